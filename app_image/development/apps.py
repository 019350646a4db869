"""The app with what a developer starts from."""

from django.apps import AppConfig


class DevelopmentConfig(AppConfig):
    """The command `sample_data`; no models."""

    name = "development"
