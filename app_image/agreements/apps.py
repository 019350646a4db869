"""The app that keeps agreements between parties."""

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    """Agreements and the parties to them."""

    name = "agreements"
