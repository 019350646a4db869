"""What the infrastructure tells the application: environment and secret references, the same for every process."""

from dataclasses import dataclass

import pulumi

from infra.database import Database
from infra.secrets import Secrets
from infra.settings import WebSettings
from infra.task_definition import json_key

PORT = 8000
HEALTH_PATH = "/healthz"
MIGRATE_COMMAND = ("python", "manage.py", "migrate_safely")
CA_BUNDLE = "/etc/ssl/certs/rds-global-bundle.pem"
THREADS_PER_PROCESS = 4


@dataclass(frozen=True, kw_only=True)
class ApplicationEnvironment:
    """The variables of docs/app-contract.md, as inputs of a task definition."""

    release: pulumi.Output[str]
    database: Database
    secrets: Secrets

    def plain(self, allowed_hosts: pulumi.Input[str], *, https: bool) -> dict[str, pulumi.Input[str]]:
        """Settings that are no secret."""
        return {
            "PORT": str(PORT),
            "RELEASE": self.release,
            "ALLOWED_HOSTS": allowed_hosts,
            "HTTPS": "true" if https else "false",
            "LOG_LEVEL": "INFO",
            "DATABASE_HOST": self.database.host,
            "DATABASE_PORT": self.database.port.apply(str),
            "DATABASE_NAME": self.database.name,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_SSLROOTCERT": CA_BUNDLE,
        }

    def web(
        self, allowed_hosts: pulumi.Input[str], settings: WebSettings, *, https: bool
    ) -> dict[str, pulumi.Input[str]]:
        """The same for what answers users: with its size."""
        return {**self.plain(allowed_hosts, https=https), **serving(settings)}

    def secret(self) -> dict[str, pulumi.Input[str]]:
        """Where the application's secrets are."""
        return {
            "SECRET_KEY": self.secrets.secret_key_arn,
            "DATABASE_USER": json_key(self.secrets.database_login_arn, "username"),
            "DATABASE_PASSWORD": json_key(self.secrets.database_login_arn, "password"),
        }

    def master(self) -> dict[str, pulumi.Input[str]]:
        """Where the database's master login is: for the migration only."""
        return {
            "DATABASE_MASTER_USER": json_key(self.database.master_secret_arn, "username"),
            "DATABASE_MASTER_PASSWORD": json_key(self.database.master_secret_arn, "password"),
        }


def serving(settings: WebSettings) -> dict[str, pulumi.Input[str]]:
    """Processes, threads and database connections of a web task, from its CPU: two processes a vCPU, one at least."""
    return {
        "WEB_CONCURRENCY": str(max(1, 2 * settings.cpu // 1024)),
        "WEB_THREADS": str(THREADS_PER_PROCESS),
        "DATABASE_POOL_MAX": str(THREADS_PER_PROCESS),
    }
