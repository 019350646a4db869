"""The project's addresses; `/healthz` and `/readyz` are answered before, by `deployment.health`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("agreements.urls")),
]
