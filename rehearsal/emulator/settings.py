"""What the parent process asks of the emulator, read once from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HIGHEST_PORT = 65535
DEFAULT_BAKE_SECONDS = 3.0
LABEL_KEY = "pactum.rehearsal"


class CannotStartError(Exception):
    """The emulator cannot run here; the message says what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One running emulator. Ports are on 127.0.0.1."""

    port: int
    front_port: int
    directory: Path
    parent_pid: int | None
    rds_ca_file: Path
    image_prefix: str
    account_id: str
    database_base_port: int
    longest_grace_seconds: float | None
    bake_seconds: float
    metric_delay_seconds: float
    log_level: str

    @property
    def label(self) -> str:
        """What every container, volume and network of this emulator carries, as `key=value`."""
        return f"{LABEL_KEY}={self.port}"

    @property
    def labels(self) -> dict[str, str]:
        """The same label as the Docker API takes it."""
        return {LABEL_KEY: str(self.port)}

    @property
    def network(self) -> str:
        """Name of the Docker network that tasks and databases share."""
        return f"pactum-rehearsal-{self.port}"

    @classmethod
    def from_environment(cls, environment: "Mapping[str, str]") -> "Settings":
        """Read the variables that `__main__` documents. Raises CannotStartError naming the variable that is wrong."""
        port = _port(environment, "REHEARSAL_PORT", 4666, lowest=1)
        bake = _seconds(environment, "REHEARSAL_BAKE_SECONDS")
        directory = Path(environment.get("REHEARSAL_DIRECTORY") or ".rehearsal").absolute()
        return cls(
            port=port,
            front_port=_port(environment, "REHEARSAL_FRONT_PORT", 8000, lowest=0),
            directory=directory,
            parent_pid=_parent(environment.get("REHEARSAL_PARENT_PID", "")),
            rds_ca_file=Path(environment.get("REHEARSAL_RDS_CA_FILE") or directory / "rds-ca.pem").absolute(),
            image_prefix=environment.get("REHEARSAL_IMAGE_PREFIX", ""),
            account_id=_account(environment.get("REHEARSAL_ACCOUNT_ID") or "123456789012"),
            database_base_port=_port(
                environment, "REHEARSAL_DATABASE_BASE_PORT", min(port + 20_000, HIGHEST_PORT - 500), lowest=1
            ),
            longest_grace_seconds=_seconds(environment, "REHEARSAL_LONGEST_GRACE_SECONDS"),
            bake_seconds=DEFAULT_BAKE_SECONDS if bake is None else bake,
            metric_delay_seconds=_seconds(environment, "REHEARSAL_METRIC_DELAY_SECONDS") or 0.0,
            log_level=environment.get("REHEARSAL_LOG_LEVEL") or "INFO",
        )

    def ministack_environment(self, gateway: str) -> dict[str, str]:
        """What MiniStack reads from its environment; `gateway` is the address of the Docker network on this host."""
        return {
            "GATEWAY_PORT": str(self.port),
            "EDGE_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            # RDS reports this as the endpoint of a database: it answers on this host and inside task containers.
            "MINISTACK_HOST": gateway,
            "MINISTACK_HOSTNAME": "pactum-rehearsal",
            "MINISTACK_ACCOUNT_ID": self.account_id,
            "MINISTACK_REGION": "us-east-1",
            "MINISTACK_IMAGE_PREFIX": self.image_prefix,
            "MINISTACK_DOCKER_TIMEOUT": "60",
            "RDS_BASE_PORT": str(self.database_base_port),
            "RDS_PERSIST": "1",
            "DOCKER_NETWORK": "",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "0",
            "AUTH": "false",
            "USE_SSL": "0",
            "LOG_LEVEL": self.log_level,
        }


def _port(environment: "Mapping[str, str]", name: str, default: int, *, lowest: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit() or not lowest <= int(text) <= HIGHEST_PORT:
        raise CannotStartError(f"{name} is {text!r}; give a port number from {lowest} to {HIGHEST_PORT}")
    return int(text)


def _seconds(environment: "Mapping[str, str]", name: str) -> float | None:
    text = environment.get(name, "")
    if not text:
        return None
    if not text.isdigit():
        raise CannotStartError(f"{name} is {text!r}; give a whole number of seconds, or leave it out")
    return float(text)


def _parent(text: str) -> int | None:
    if not text:
        return None
    if not text.isdigit() or int(text) <= 1:
        raise CannotStartError(f"REHEARSAL_PARENT_PID is {text!r}; give the process id of the rehearsal")
    return int(text)


def _account(text: str) -> str:
    twelve_digits = 12
    if not text.isdigit() or len(text) != twelve_digits:
        raise CannotStartError(f"REHEARSAL_ACCOUNT_ID is {text!r}; an AWS account is 12 digits")
    return text


def from_process() -> Settings:
    """Read the settings of this process."""
    return Settings.from_environment(os.environ)
