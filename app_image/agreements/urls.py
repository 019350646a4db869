"""The addresses of the agreements' pages."""

from django.urls import path
from django.views.generic import TemplateView

from agreements.views import AgreementCreate, AgreementDetail, AgreementList

app_name = "agreements"

urlpatterns = [
    path("", AgreementList.as_view(), name="list"),
    path("about/", TemplateView.as_view(template_name="agreements/about.html"), name="about"),
    path("agreements/new/", AgreementCreate.as_view(), name="create"),
    path("agreements/<int:pk>/", AgreementDetail.as_view(), name="detail"),
]
