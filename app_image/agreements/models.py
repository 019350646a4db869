"""An agreement and its parties."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse


class Agreement(models.Model):
    """Terms that two or more parties agree on."""

    class Status(models.TextChoices):
        """How far an agreement has come."""

        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        ENDED = "ended", "Ended"

    title = models.CharField(max_length=200)
    terms = models.TextField(max_length=20_000)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("-created_at", "-id"), name="agreement_newest_first"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=("draft", "active", "ended")), name="agreement_status_is_known"
            ),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("agreements:detail", args=(self.pk,))


class Party(models.Model):
    """One who takes part in an agreement; a name is in an agreement once, whatever its case."""

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="parties")
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "parties"
        constraints = (models.UniqueConstraint("agreement", Lower("name"), name="party_once_in_an_agreement"),)

    def __str__(self) -> str:
        return self.name
