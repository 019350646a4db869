"""What a stack is made with: the only reader of Pulumi's configuration.

`load()` returns frozen dataclasses, or raises one SettingsError that lists every problem of the stack file.
Keys, types, defaults and descriptions are declared in Pulumi.yaml.
"""

import re
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from infra.application_settings import ApplicationSettings, read_application
from infra.aws_rules import EMAIL, INSTANCE_CLASS, LONGEST_START_SECONDS, NAME, NAME_LENGTH, REGION, RETENTION_DAYS
from infra.config_reader import ConfigReader, SettingsError, listed
from infra.image_settings import ImageSettings, read_image
from infra.network_settings import HTTPS, NetworkSettings, read_network
from infra.web_settings import WebSettings, read_web

__all__ = [
    "ApplicationSettings",
    "BootstrapSettings",
    "ImageSettings",
    "NetworkSettings",
    "Settings",
    "SettingsError",
    "WebSettings",
    "load",
    "load_bootstrap",
]


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Size and protection of the PostgreSQL instance."""

    instance_class: str
    storage_gib: int
    storage_maximum_gib: int
    multi_az: bool
    backup_days: int


@dataclass(frozen=True, kw_only=True)
class ObservabilitySettings:
    """How long logs are kept, and when somebody is told."""

    log_retention_days: int
    alarm_email: str
    error_count: int
    rollback_error_percent: int
    slow_milliseconds: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a stack is made with. `name` is the prefix of what the stack creates, such as pactum-staging."""

    project: str
    stack: str
    region: str
    account_id: str
    deletion_protection: bool
    image: ImageSettings
    application: ApplicationSettings
    network: NetworkSettings
    database: DatabaseSettings
    web: WebSettings
    observability: ObservabilitySettings

    @property
    def name(self) -> str:
        return f"{self.project}-{self.stack}"


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """What an account is prepared with, once."""

    repository_name: str
    untagged_days: int


def load() -> Settings:
    """Read and check the configuration of the application's stack. Raises SettingsError with every problem."""
    config = _reader(pulumi.get_project())
    region = config.text("aws:region", pattern=REGION, example="us-east-1", required=True)
    account_id = _account(config)
    _check_names(config, pulumi.get_project(), pulumi.get_stack())
    database = _database(config)
    settings = Settings(
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        region=region,
        account_id=account_id,
        image=read_image(config, region, account_id),
        application=read_application(config, pulumi.get_stack()),
        network=read_network(config, region),
        database=database,
        deletion_protection=config.flag("deletionProtection"),
        web=read_web(config, region, database.instance_class),
        observability=ObservabilitySettings(
            log_retention_days=_retention(config),
            alarm_email=config.text("alarmEmail", pattern=EMAIL, example="on-call@example.com"),
            error_count=config.whole("alarmErrorCount", 1, 1_000_000),
            rollback_error_percent=config.whole("rollbackErrorPercent", 1, 100),
            slow_milliseconds=config.whole("alarmSlowMilliseconds", 50, 60_000),
        ),
    )
    _check_grace(config, settings)
    _check_mail(config, settings)
    config.finish()
    return settings


def load_bootstrap() -> BootstrapSettings:
    """Read and check the configuration of the account's bootstrap stack. Raises SettingsError with every problem."""
    config = _reader(pulumi.get_project())
    _account(config)
    settings = BootstrapSettings(
        repository_name=config.text(
            "repositoryName", pattern=r"[a-z0-9]+([._/-][a-z0-9]+)*", example="pactum", required=True
        ),
        untagged_days=config.whole("untaggedDays", 1, 3650),
    )
    config.finish()
    return settings


def _reader(namespace: str) -> ConfigReader:
    # pulumi.Config answers only for keys one knows; misspelt ones are found in the values the engine handed over.
    return ConfigReader(namespace=namespace, values={**get_config_env(), **CONFIG.get()})


def _check_names(config: ConfigReader, project: str, stack: str) -> None:
    if not re.fullmatch(NAME, project):
        config.refuse(
            "project",
            f"`{project}` is no name for a load balancer, a database and its logins.",
            "Name it in Pulumi.yaml with small letters, digits and single hyphens, beginning with a letter.",
        )
    if not re.fullmatch(NAME, stack) or len(project) + len(stack) > NAME_LENGTH:
        config.refuse(
            "stack",
            f"`{stack}` does not fit into the names of AWS resources.",
            "Name the stack with small letters, digits and single hyphens,"
            f" {NAME_LENGTH - len(project)} characters at most.",
        )


def _check_grace(config: ConfigReader, settings: Settings) -> None:
    if settings.application.health_command and settings.web.health_grace_seconds > LONGEST_START_SECONDS:
        config.refuse(
            "healthGraceSeconds",
            f"is more than {LONGEST_START_SECONDS}; ECS would count a failed healthCommand from then on.",
            f"Choose {LONGEST_START_SECONDS} at most, or set pactum:healthCommand to [].",
        )


def _check_mail(config: ConfigReader, settings: Settings) -> None:
    environment, network = settings.application.environment, settings.network
    if not environment.get("EMAIL_HOST") or config.is_refused("natMode", "outboundPorts"):
        return
    if network.nat_mode == "none":
        config.refuse(
            "environment",
            "EMAIL_HOST is set and pactum:natMode is none: there is no way out.",
            "Remove it, or choose another natMode.",
        )
    elif environment.get("EMAIL_PORT", "587") not in map(str, (HTTPS, *network.outbound_ports)):
        config.refuse(
            "environment",
            "EMAIL_HOST is set, but tasks may not go out on EMAIL_PORT (587 unless it is set): no mail would be sent.",
            "Add that port to pactum:outboundPorts.",
        )


def _account(config: ConfigReader) -> str:
    accounts = config.texts("aws:allowedAccountIds")
    if len(accounts) != 1 or not re.fullmatch(r"\d{12}", accounts[0]):
        config.refuse(
            "aws:allowedAccountIds",
            "must name the one account this stack lives in.",
            'Write its twelve digits as a text in a list: ["123456789012"].',
        )
        return ""
    return accounts[0]


def _database(config: ConfigReader) -> DatabaseSettings:
    storage = config.whole("databaseStorageGib", 20, 65536)
    maximum = config.whole("databaseStorageMaximumGib", 22, 65536)
    if maximum * 10 < storage * 11 and not config.is_refused("databaseStorageGib", "databaseStorageMaximumGib"):
        config.refuse(
            "databaseStorageMaximumGib",
            f"is less than 10 % above databaseStorageGib ({storage}); RDS refuses that.",
            f"Choose {-(-storage * 11 // 10)} or more.",
        )
    return DatabaseSettings(
        instance_class=config.text(
            "databaseInstanceClass", pattern=INSTANCE_CLASS, example="db.t4g.micro or db.m7g.large", required=True
        ),
        storage_gib=storage,
        storage_maximum_gib=maximum,
        multi_az=config.flag("databaseMultiAz"),
        backup_days=config.whole("databaseBackupDays", 1, 35),
    )


def _retention(config: ConfigReader) -> int:
    days = config.whole("logRetentionDays", 1, 3653)
    if days not in RETENTION_DAYS and not config.is_refused("logRetentionDays"):
        config.refuse(
            "logRetentionDays", "is not a period CloudWatch Logs offers.", f"Choose {listed(RETENTION_DAYS)}."
        )
    return days
