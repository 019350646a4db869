"""The pages: all agreements, one agreement, a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.views.generic import CreateView, DetailView, ListView

from agreements.forms import AgreementForm
from agreements.models import Agreement

if TYPE_CHECKING:
    from django.forms import ModelForm
    from django.http import HttpResponse


class AgreementList(ListView):
    """All agreements, the newest first."""

    queryset = Agreement.objects.prefetch_related("parties").defer("terms")
    paginate_by = 25


class AgreementDetail(DetailView):
    """One agreement with its terms."""

    queryset = Agreement.objects.prefetch_related("parties")


class AgreementCreate(CreateView):
    """The form for a new agreement."""

    model = Agreement
    form_class = AgreementForm

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store the agreement, say so, and show it."""
        response = super().form_valid(form)
        messages.success(self.request, "The agreement is stored.")
        return response
