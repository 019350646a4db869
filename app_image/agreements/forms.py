"""What a person fills in to create an agreement."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.db import transaction

from agreements.models import Agreement, Party

FEWEST_PARTIES = 2
MOST_PARTIES = 50
LONGEST_NAME = 200


class AgreementForm(forms.ModelForm):
    """A new agreement with its parties, one name a line."""

    parties = forms.CharField(
        label="Parties",
        help_text=f"One name a line, {FEWEST_PARTIES} or more.",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=MOST_PARTIES * (LONGEST_NAME + 2),
    )
    field_order = ("title", "parties", "terms", "status")

    class Meta:
        model = Agreement
        fields = ("title", "terms", "status")
        widgets: ClassVar = {"terms": forms.Textarea(attrs={"rows": 10})}

    def clean_parties(self) -> list[str]:
        """Return the names, trimmed; refuse too few, too many, repeated and overlong ones."""
        names = [" ".join(line.split()) for line in self.cleaned_data["parties"].splitlines() if line.strip()]
        if len(names) < FEWEST_PARTIES:
            raise forms.ValidationError(f"An agreement needs at least {FEWEST_PARTIES} parties, one name a line.")
        if len(names) > MOST_PARTIES:
            raise forms.ValidationError(f"An agreement takes at most {MOST_PARTIES} parties; these are {len(names)}.")
        if long := [name for name in names if len(name) > LONGEST_NAME]:
            raise forms.ValidationError(f"A name has at most {LONGEST_NAME} characters: “{long[0][:40]}…” is longer.")
        seen: set[str] = set()
        for name in names:
            if name.lower() in seen:
                raise forms.ValidationError(f"Each party is named once: “{name}” is there twice.")
            seen.add(name.lower())
        return names

    @transaction.atomic
    def save(self, commit: bool = True) -> Agreement:
        """Store the agreement and its parties, both or neither."""
        agreement: Agreement = super().save(commit)
        Party.objects.bulk_create(Party(agreement=agreement, name=name) for name in self.cleaned_data["parties"])
        return agreement
