"""What realisers work with: clients of the emulator only, docker, and the environment of commands."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from rehearsal.docker_client import DockerClient
from rehearsal.place import REGION, Place

# The emulator answers in milliseconds; creating a database, the slowest call, takes seconds.
READ_SECONDS = 120


@dataclass(kw_only=True)
class Tools:
    """All of it points at this machine: no call can reach a real account, whatever the user's AWS settings are."""

    place: Place
    docker: DockerClient
    directory: Path
    command_timeout_seconds: float
    region: str = REGION
    notify: Callable[[str], None] = lambda _: None
    # Secrets that got a value in an operator's place -> where it is from.
    operator_values: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' types at run time
        """A boto3 client of the emulator."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = emulator_client(self.place, service, self.region)
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in the rehearsed account and region."""
        return f"arn:aws:{service}:{self.region}:{self.place.account_id}:{resource}"

    def command_environment(self, additions: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command of the program: ours, the emulator instead of AWS, then the resource's own."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**inherited, **aws_environment(self.place, self.region), **additions}


def emulator_client(place: Place, service: str, region: str = REGION) -> Any:  # noqa: ANN401 - see Tools.client
    """A boto3 client that can reach the emulator and nothing else."""
    # Neither AWS_PROFILE nor ~/.aws is read: (name in a profile, environment variable, default, conversion).
    nothing_of_the_user = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
        "ca_bundle": (None, None, None, None),
    }
    session: Any = boto3.session.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - what the emulator takes
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=nothing_of_the_user),
    )
    configuration = Config(
        connect_timeout=10,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 2},
        max_pool_connections=20,
        proxies={},
    )
    return session.client(service, endpoint_url=place.endpoint_url, config=configuration)


def aws_environment(place: Place, region: str = REGION) -> dict[str, str]:
    """Variables that make any AWS tool talk to the emulator; they take the place of every AWS_ variable of the user."""
    theirs = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    no_proxy = ",".join(filter(None, [theirs, "127.0.0.1", "localhost"]))
    return {
        "AWS_ENDPOINT_URL": place.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Where both are set, the lower-case one is what is read.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), no_proxy),
        "OPS_CONNECT_TO": f"127.0.0.1:{place.gateway_port}",
        "OPS_TRANSCRIPT": str(place.transcript),
    }
