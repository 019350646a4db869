"""What a stack is made with: the only reader of Pulumi's configuration.

`load()` returns frozen dataclasses, or raises one SettingsError that lists every problem of the stack file.
Keys, types, defaults and descriptions are declared in Pulumi.yaml.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from infra.access_settings import read_permissions_boundary
from infra.account_settings import read_account, read_region, read_tags
from infra.application_settings import ApplicationSettings, read_application
from infra.aws_rules import INSTANCE_CLASS
from infra.bootstrap_settings import BootstrapSettings, read_bootstrap
from infra.config_reader import ConfigReader, SettingsError
from infra.edge_settings import EdgeSettings, read_edge
from infra.image_settings import ImageSettings, read_image
from infra.name_rules import check_names
from infra.network_settings import HTTPS, NetworkSettings, check_room, read_network
from infra.observability_settings import ObservabilitySettings, read_observability
from infra.process_settings import ProcessSettings, read_processes
from infra.production_rules import check_production
from infra.storage_settings import StorageSettings, read_storage
from infra.times_settings import TimesSettings, read_times
from infra.web_settings import WebSettings, read_web

__all__ = [
    "ApplicationSettings",
    "BootstrapSettings",
    "EdgeSettings",
    "ImageSettings",
    "NetworkSettings",
    "ObservabilitySettings",
    "ProcessSettings",
    "Settings",
    "SettingsError",
    "StorageSettings",
    "TimesSettings",
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
class Settings:
    """Everything a stack is made with. `name` is the prefix of what the stack creates, such as pactum-staging."""

    project: str
    stack: str
    region: str
    account_id: str
    default_tags: Mapping[str, object]
    """Tags that the provider gives to everything."""
    production: bool
    """Whether users depend on it: what protects them is required then."""
    deletion_protection: bool
    permissions_boundary_arn: str
    image: ImageSettings
    application: ApplicationSettings
    network: NetworkSettings
    database: DatabaseSettings
    storage: StorageSettings
    edge: EdgeSettings
    web: WebSettings
    processes: ProcessSettings
    times: TimesSettings
    observability: ObservabilitySettings

    @property
    def name(self) -> str:
        return f"{self.project}-{self.stack}"


def load() -> Settings:
    """Read and check the configuration of the application's stack. Raises SettingsError with every problem."""
    config = _reader(pulumi.get_project())
    region = read_region(config)
    account_id = read_account(config)
    check_names(config, pulumi.get_project(), pulumi.get_stack())
    database = _database(config)
    application = read_application(config, pulumi.get_stack())
    times = read_times(config, application.health_command)
    processes = read_processes(config, times)
    settings = Settings(
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        region=region,
        account_id=account_id,
        default_tags=read_tags(config),
        production=config.flag("production"),
        image=read_image(config, region, account_id),
        application=application,
        network=read_network(config, region),
        database=database,
        storage=read_storage(config),
        deletion_protection=config.flag("deletionProtection"),
        permissions_boundary_arn=read_permissions_boundary(
            config, account_id, pulumi.get_project(), pulumi.get_stack()
        ),
        edge=read_edge(config, region, account_id),
        web=read_web(config, database.instance_class, times, processes),
        processes=processes,
        times=times,
        observability=read_observability(config),
    )
    _check_mail(config, settings)
    check_room(config, settings.network, settings.web.maximum, processes)
    check_production(config, settings)
    config.finish()
    return settings


def load_bootstrap() -> BootstrapSettings:
    """Read and check the configuration of the account's bootstrap stack. Raises SettingsError with every problem."""
    config = _reader(pulumi.get_project())
    region = read_region(config)
    settings = read_bootstrap(config, pulumi.get_stack(), region, read_account(config))
    config.finish()
    return settings


def _reader(namespace: str) -> ConfigReader:
    # pulumi.Config answers only for keys one knows; misspelt ones are found in the values the engine handed over.
    values = {**get_config_env(), **CONFIG.get()}
    return ConfigReader(namespace=namespace, values=values, unshown=set(filter(is_config_secret, values)))


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
