"""What the infrastructure tells the application: environment and secret references, the same for every process."""

from dataclasses import dataclass

import pulumi

from infra.application_settings import ApplicationSettings
from infra.database import Database
from infra.private_bucket import PrivateBucket
from infra.secrets import Secrets
from infra.serving import Serving
from infra.task_definition import json_key
from infra.times_settings import TimesSettings

CA_BUNDLE = "/etc/ssl/certs/rds-global-bundle.pem"


@dataclass(frozen=True, kw_only=True)
class ApplicationEnvironment:
    """The variables of docs/app-contract.md, as inputs of a task definition."""

    settings: ApplicationSettings
    times: TimesSettings
    slow_query_milliseconds: int
    release: pulumi.Output[str]
    database: Database
    secrets: Secrets
    media: PrivateBucket | None = None

    @property
    def media_bucket_arn(self) -> pulumi.Output[str] | None:
        """The bucket for uploads, where the stack has one."""
        return self.media.arn if self.media else None

    def plain(self, allowed_hosts: pulumi.Input[str], *, https: bool) -> dict[str, pulumi.Input[str]]:
        """Settings that are no secret."""
        variables: dict[str, pulumi.Input[str]] = {
            "PORT": str(self.settings.port),
            "HEALTH_PATH": self.settings.health_path,
            "READINESS_PATH": self.settings.readiness_path,
            "RELEASE": self.release,
            "ALLOWED_HOSTS": allowed_hosts,
            "HTTPS": "true" if https else "false",
            "LOG_LEVEL": "INFO",
            "SLOW_QUERY_MILLISECONDS": str(self.slow_query_milliseconds),
            "DATABASE_HOST": self.database.host,
            "DATABASE_PORT": self.database.port.apply(str),
            "DATABASE_NAME": self.database.name,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_SSLROOTCERT": CA_BUNDLE,
            **self.settings.environment,
        }
        if self.media:
            variables["MEDIA_BUCKET"] = self.media.bucket
        return self._with_second_names(variables)

    def web(self, allowed_hosts: pulumi.Input[str], size: Serving, *, https: bool) -> dict[str, pulumi.Input[str]]:
        """The same for what answers users: with its size, and the times that balancer and ECS keep."""
        serving: dict[str, pulumi.Input[str]] = {
            "WEB_CONCURRENCY": str(size.processes),
            "WEB_THREADS": str(size.threads),
            "DATABASE_POOL_MAX": str(size.connections),
            "KEEP_ALIVE_SECONDS": str(self.times.keep_alive_seconds),
            "GRACEFUL_SECONDS": str(self.times.graceful_seconds),
        }
        return {**self.plain(allowed_hosts, https=https), **self._with_second_names(serving)}

    def background(
        self, allowed_hosts: pulumi.Input[str], connections: int, *, https: bool
    ) -> dict[str, pulumi.Input[str]]:
        """The same for what answers nobody: with how many database connections it may have."""
        pool = self._with_second_names({"DATABASE_POOL_MAX": str(connections)})
        return {**self.plain(allowed_hosts, https=https), **pool}

    def secret(self) -> dict[str, pulumi.Input[str]]:
        """Where the application's secrets are."""
        return self._with_second_names(
            {
                "SECRET_KEY": self.secrets.secret_key_arn,
                "DATABASE_USER": json_key(self.secrets.database_login_arn, "username"),
                "DATABASE_PASSWORD": json_key(self.secrets.database_login_arn, "password"),
                **self.secrets.given_arns,
            }
        )

    def master(self) -> dict[str, pulumi.Input[str]]:
        """Where the database's master login is: for the migration only."""
        return self._with_second_names(
            {
                "DATABASE_MASTER_USER": json_key(self.database.master_secret_arn, "username"),
                "DATABASE_MASTER_PASSWORD": json_key(self.database.master_secret_arn, "password"),
            }
        )

    def _with_second_names(self, variables: dict[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
        names = self.settings.environment_names
        return {**variables, **{names[ours]: value for ours, value in variables.items() if ours in names}}
