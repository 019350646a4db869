"""The project's addresses; `/healthz` and `/readyz` are answered before, by `deployment.health`."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

urlpatterns = [
    # The name of the first makes the admin's login page offer it; mails lead to the others.
    path("admin/password_reset/", auth.PasswordResetView.as_view(), name="admin_password_reset"),
    path("admin/password_reset/done/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("reset/<uidb64>/<token>/", auth.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("reset/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("admin/", admin.site.urls),
    path("", include("agreements.urls")),
]
