"""The contract's terms for one application: what its stack file says, and what its containers are given."""

from __future__ import annotations

import contextvars
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi

from infra import settings
from rehearsal import configuration
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.serving import Serving
    from infra.settings import ApplicationSettings, Settings, TimesSettings
    from rehearsal.configuration import Configuration

CA_FILE = "/etc/ssl/certs/rds-global-bundle.pem"
RELEASE = f"sha256:{'c0' * 32}"
HOST = "contract.example"
APP_USER = "contract_app"
# There is no such bucket: an application that asks for it before it was asked itself is not ready without S3.
MEDIA_BUCKET = "contract-media"
MASTER_USER = "contract_master"
SECRETS = ("SECRET_KEY", "DATABASE_PASSWORD", "DATABASE_MASTER_PASSWORD")
MASTER = ("DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """`context` is where the application's is on this machine.

    `python_image` is the base of the build where the stack file names one, else empty.
    """

    application: ApplicationSettings
    context: Path
    memory_mib: int
    serving: Serving
    times: TimesSettings
    python_image: str = ""
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    media_bucket: bool = False
    slow_query_milliseconds: int = 1000
    page: str = "/"


@dataclass(kw_only=True)
class Given:
    """The variables of one trial's containers, with secrets that were made up for it."""

    terms: Terms
    database: str
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*SECRETS, *self.terms.application.secrets):
            self.secrets.setdefault(name, f"made-up-{secrets.token_hex(32)}")

    def to_web(self, **changes: str | None) -> dict[str, str]:
        """What the web task is given, changed as said; None takes a variable away."""
        terms = self.terms
        ours = {
            "PORT": str(terms.application.port),
            "RELEASE": RELEASE,
            "ALLOWED_HOSTS": HOST,
            "HTTPS": "true",
            "LOG_LEVEL": "INFO",
            "SLOW_QUERY_MILLISECONDS": str(terms.slow_query_milliseconds),
            "HEALTH_PATH": terms.application.health_path,
            "READINESS_PATH": terms.application.readiness_path,
            "WEB_CONCURRENCY": str(terms.serving.processes),
            "WEB_THREADS": str(terms.serving.threads),
            "DATABASE_POOL_MAX": str(terms.serving.connections),
            "KEEP_ALIVE_SECONDS": str(terms.times.keep_alive_seconds),
            "GRACEFUL_SECONDS": str(terms.times.graceful_seconds),
            "DATABASE_HOST": "database",
            "DATABASE_PORT": "5432",
            "DATABASE_NAME": self.database,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_SSLROOTCERT": CA_FILE,
            "DATABASE_USER": APP_USER,
            **({"MEDIA_BUCKET": MEDIA_BUCKET} if terms.media_bucket else {}),
            **{name: value for name, value in self.secrets.items() if name not in MASTER},
            **terms.application.environment,
            **changes,
        }
        return self._under_all_names({name: value for name, value in ours.items() if value is not None})

    def to_migration(self, **changes: str | None) -> dict[str, str]:
        """What the migration is given: the master login besides, and neither size nor times."""
        master = {"DATABASE_MASTER_USER": MASTER_USER, "DATABASE_MASTER_PASSWORD": self.secrets[MASTER[1]]}
        for_web = ("WEB_CONCURRENCY", "WEB_THREADS", "DATABASE_POOL_MAX", "KEEP_ALIVE_SECONDS", "GRACEFUL_SECONDS")
        return self.to_web(**{**dict.fromkeys(for_web), **master, **changes})

    def _under_all_names(self, ours: Mapping[str, str]) -> dict[str, str]:
        second = {
            theirs: ours[name] for name, theirs in self.terms.application.environment_names.items() if name in ours
        }
        return {**ours, **second}


def read(stack: str, overrides: Mapping[str, str], *, config_file: Path | None = None, page: str = "/") -> Terms:
    """The terms that a stack's configuration sets. RehearsalError for what Pulumi's engine or the program refuses."""
    loaded = configuration.load(PROJECT_ROOT, stack, overrides, config_file=config_file)
    read_ = contextvars.copy_context().run(_settings, loaded)
    application, image = read_.application, read_.image
    return Terms(
        application=application,
        context=PROJECT_ROOT / application.context,
        memory_mib=read_.web.memory_mib,
        serving=read_.web.serving,
        times=read_.times,
        python_image=image.python_image if image.python_image != loaded.defaults.get("pactum:pythonImage") else "",
        build_arguments=image.build_arguments,
        media_bucket=read_.storage.media_bucket,
        slow_query_milliseconds=read_.observability.slow_query_milliseconds,
        page=page,
    )


def _settings(loaded: Configuration) -> Settings:
    """The program's own settings, by its own rules. Pulumi keeps what it is told in the caller's context."""
    pulumi.runtime.set_all_config(dict(loaded.values))
    # Names only: no resource is registered.
    pulumi.runtime.set_mocks(None, project=loaded.project, stack=loaded.stack)  # type: ignore[arg-type]
    try:
        return settings.load()
    except settings.SettingsError as error:
        raise RehearsalError(str(error)) from error
