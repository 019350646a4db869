"""What a stack file says of the buckets beside the application."""

from dataclasses import dataclass

from infra.config_reader import ConfigReader


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Which buckets the stack has: one for what users upload, one for the load balancer's log of requests."""

    media_bucket: bool = False
    access_logs: bool = False


def read_storage(config: ConfigReader) -> StorageSettings:
    """Read the buckets' keys; what is wrong with them is left with `config`."""
    return StorageSettings(media_bucket=config.flag("mediaBucket"), access_logs=config.flag("accessLogs"))
