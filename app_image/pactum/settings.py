"""Django's settings, made from the environment alone (see `pactum.environment`)."""

import logging
import os

from pactum.database_settings import connection_settings
from pactum.environment import read_environment
from pactum.json_logs import logging_config
from pactum.static_settings import BASE_DIR, INSTALLED_APPS, STATIC_ROOT, STATIC_URL, STORAGES

__all__ = ["BASE_DIR", "INSTALLED_APPS", "STATIC_ROOT", "STATIC_URL", "STORAGES"]

ENVIRONMENT = read_environment(os.environ)

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
ROOT_URLCONF = "pactum.urls"
WSGI_APPLICATION = "pactum.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": connection_settings(ENVIRONMENT.database)}
LOGGING = logging_config(ENVIRONMENT.log_level, ENVIRONMENT.release)
logging.captureWarnings(True)

MIDDLEWARE = [
    # First, so that every answer, also a refused one, has an id and a line in the log.
    "pactum.request_log.RequestLogMiddleware",
    # Before ALLOWED_HOSTS and the redirect to https: the balancer asks by IP address, over http.
    "pactum.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

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
