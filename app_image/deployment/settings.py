"""The settings that production decides, made from the environment alone: a project's settings take them over whole.

It imports all of these names, adds "deployment" to INSTALLED_APPS, and hands its MIDDLEWARE to `deployed`.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from deployment.environment import BUILDING, DIGEST, EnvironmentInvalid, environment_of_a_build, read_environment
from deployment.json_logs import logging_config

__all__ = [
    "ALLOWED_HOSTS",
    "CSRF_COOKIE_SECURE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASES",
    "DEBUG",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_BACKEND",
    "EMAIL_HOST",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_HOST_USER",
    "EMAIL_PORT",
    "EMAIL_TIMEOUT",
    "EMAIL_USE_TLS",
    "ENVIRONMENT",
    "LOGGING",
    "SECRET_KEY",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_SSL_REDIRECT",
    "SERVER_EMAIL",
    "SESSION_COOKIE_SECURE",
    "SILENCED_SYSTEM_CHECKS",
    "STATIC_ROOT",
    "STATIC_URL",
    "STORAGES",
    "X_FRAME_OPTIONS",
    "deployed",
]

if os.environ.get(BUILDING) == "true":
    if os.environ.get("RELEASE", "").startswith(DIGEST):
        raise EnvironmentInvalid(
            f"{BUILDING} is 'true' while RELEASE is a digest: a build's made-up values serve nobody. Remove it."
        )
    ENVIRONMENT = environment_of_a_build()
    # Nothing connects there, and its driver is most of what would be imported.
    DATABASES = {"default": {"ENGINE": "django.db.backends.dummy"}}
else:
    from deployment.database_settings import connection_settings

    ENVIRONMENT = read_environment(os.environ)
    DATABASES = {"default": connection_settings(ENVIRONMENT.database)}

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.development
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
LOGGING = logging_config(
    ENVIRONMENT.log_level, ENVIRONMENT.release, secrets=ENVIRONMENT.secrets, readable=ENVIRONMENT.development
)
logging.captureWarnings(True)

# Collected, compressed and named by their content when the image is built; a developer's come from their sources.
STATIC_URL = "/static/"
STATIC_ROOT = Path(__file__).resolve().parent.parent / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT.development
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

MAIL = ENVIRONMENT.mail
MAIL_LOGIN = MAIL.login if MAIL else None
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if MAIL else "deployment.no_mail.NoMail"
EMAIL_HOST = MAIL.host if MAIL else ""
EMAIL_PORT = MAIL.port if MAIL else 0
EMAIL_USE_TLS = MAIL.use_tls if MAIL else False
EMAIL_HOST_USER = MAIL_LOGIN.user if MAIL_LOGIN else ""
EMAIL_HOST_PASSWORD = MAIL_LOGIN.password if MAIL_LOGIN else ""
# A mail server that hangs must not hold a thread: Django's own default is to wait for ever.
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL.sender if MAIL else "nobody@localhost"

# The balancer ends TLS and always overwrites this header, so a user cannot forge it. Nobody else reaches the port.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SESSION_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_SECURE = ENVIRONMENT.https
CSRF_TRUSTED_ORIGINS = [
    # Django writes a domain with its subdomains ".example.com" among hosts, "*.example.com" among origins.
    f"https://{'*' if host.startswith('.') else ''}{host}"
    for host in ENVIRONMENT.allowed_hosts
    if ENVIRONMENT.https
]
X_FRAME_OPTIONS = "DENY"

# HSTS for all subdomains, and the browsers' preload list, are decisions about the whole domain, not about this app.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

SECURITY = "django.middleware.security.SecurityMiddleware"


def deployed(middleware: list[str]) -> list[str]:
    """Return a project's middleware with what every deployment needs, each in its place."""
    inner = [name for name in middleware if name != SECURITY]
    return [
        # First, so that every answer, also a refused one, has an id and a line in the log.
        "deployment.request_log.RequestLogMiddleware",
        # Before ALLOWED_HOSTS and the redirect to https: the balancer asks by IP address, over http.
        "deployment.health.HealthMiddleware",
        SECURITY,
        "whitenoise.middleware.WhiteNoiseMiddleware",
        *inner,
    ]
