"""The contract's terms for one application: what its stack file says, and what its containers are given."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal import configuration
from rehearsal.place import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CA_FILE = "/etc/ssl/certs/rds-global-bundle.pem"
RELEASE = f"sha256:{'c0' * 32}"
HOST = "contract.example"
APP_USER = "contract_app"
MASTER_USER = "contract_master"
SECRETS = ("SECRET_KEY", "DATABASE_PASSWORD", "DATABASE_MASTER_PASSWORD")
MASTER = ("DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Commands are argument lists; an empty one is the image's own. `names` maps our variable to a second name."""

    context: Path
    dockerfile: str
    port: int
    health_path: str
    readiness_path: str
    health_command: tuple[str, ...]
    web_command: tuple[str, ...]
    migrate_command: tuple[str, ...]
    memory_mib: int
    plain: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    page: str = "/"


@dataclass(kw_only=True)
class Given:
    """The variables of one trial's containers, with secrets that were made up for it."""

    terms: Terms
    database: str
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*SECRETS, *self.terms.secrets):
            self.secrets.setdefault(name, f"made-up-{secrets.token_hex(32)}")

    def to_web(self, **changes: str | None) -> dict[str, str]:
        """What the web task is given, changed as said; None takes a variable away."""
        terms = self.terms
        ours = {
            "PORT": str(terms.port),
            "RELEASE": RELEASE,
            "ALLOWED_HOSTS": HOST,
            "HTTPS": "true",
            "LOG_LEVEL": "INFO",
            "HEALTH_PATH": terms.health_path,
            "READINESS_PATH": terms.readiness_path,
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": "4",
            "DATABASE_POOL_MAX": "4",
            "DATABASE_HOST": "database",
            "DATABASE_PORT": "5432",
            "DATABASE_NAME": self.database,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_SSLROOTCERT": CA_FILE,
            "DATABASE_USER": APP_USER,
            **{name: value for name, value in self.secrets.items() if name not in MASTER},
            **changes,
        }
        return self._under_all_names({name: value for name, value in ours.items() if value is not None})

    def to_migration(self, **changes: str | None) -> dict[str, str]:
        """What the migration is given: the master login besides, and no size."""
        master = {"DATABASE_MASTER_USER": MASTER_USER, "DATABASE_MASTER_PASSWORD": self.secrets[MASTER[1]]}
        size = dict.fromkeys(("WEB_CONCURRENCY", "WEB_THREADS", "DATABASE_POOL_MAX"))
        return self.to_web(**{**size, **master, **changes})

    def _under_all_names(self, ours: Mapping[str, str]) -> dict[str, str]:
        second = {theirs: ours[name] for name, theirs in self.terms.names.items() if name in ours}
        return {**self.terms.plain, **ours, **second}


def read(stack: str, overrides: Mapping[str, str], *, config_file: Path | None = None, page: str = "/") -> Terms:
    """The terms that a stack's configuration sets. RehearsalError for what Pulumi's engine would refuse."""
    values = configuration.load(PROJECT_ROOT, stack, overrides, config_file=config_file).values

    def words(key: str) -> tuple[str, ...]:
        return tuple(json.loads(values.get(f"pactum:{key}", "[]")))

    def mapping(key: str) -> dict[str, str]:
        return {name: str(value) for name, value in json.loads(values.get(f"pactum:{key}", "{}")).items()}

    plain = mapping("environment")
    return Terms(
        context=PROJECT_ROOT / values.get("pactum:imageContext", "app_image"),
        dockerfile=values.get("pactum:dockerfile", "Dockerfile"),
        port=int(values.get("pactum:port", "8000")),
        health_path=values.get("pactum:healthPath", "/healthz"),
        readiness_path=values.get("pactum:readinessPath", "/readyz"),
        health_command=words("healthCommand"),
        web_command=words("webCommand"),
        migrate_command=words("migrateCommand"),
        memory_mib=int(values.get("pactum:taskMemoryMib", "512")),
        plain=plain,
        names=mapping("environmentNames"),
        secrets=words("secrets"),
        page=page,
    )
