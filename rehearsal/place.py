"""Where a rehearsal happens: directories of the working copy and ports of this machine."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.errors import RehearsalError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
LABEL = "pactum.rehearsal"
DEFAULT_GATEWAY_PORT = 4666
HIGHEST_PORT = 65535


def _port(variable: str, default: int) -> int:
    """A port from the environment. RehearsalError when it is none."""
    given = os.environ.get(variable, "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= HIGHEST_PORT):
        raise RehearsalError(
            f"{variable}={given} is no port.", remedy=f"Set it to a number from 1 to {HIGHEST_PORT}, or unset it."
        )
    return int(given)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Directories and ports of one rehearsal; everything it makes in Docker carries the label `docker_label`.

    `gateway_port` answers the AWS APIs and takes pushed images, `front_port` is the balancer for a browser. Both listen
    on 127.0.0.1 only; REHEARSAL_GATEWAY_PORT and REHEARSAL_FRONT_PORT move them. `account_id` is what the
    emulator plays. `kept` is the scratch directory of a rehearsal that another working copy holds up.
    """

    root: Path = PROJECT_ROOT
    kept: Path | None = None
    account_id: str = ACCOUNT_ID
    gateway_port: int = field(default_factory=lambda: _port("REHEARSAL_GATEWAY_PORT", DEFAULT_GATEWAY_PORT))
    front_port: int = field(default_factory=lambda: _port("REHEARSAL_FRONT_PORT", 8000))

    @property
    def scratch(self) -> Path:
        """Logs, login file, state and certificate; a rehearsal on another port beside the usual one has its own."""
        if self.kept:
            return self.kept
        usual = self.root / ".rehearsal"
        return usual if self.gateway_port == DEFAULT_GATEWAY_PORT else usual / str(self.gateway_port)

    @property
    def report(self) -> Path:
        usual = self.root / "rehearsal-report"
        return (usual if self.gateway_port == DEFAULT_GATEWAY_PORT else usual / str(self.gateway_port)) / "report.json"

    @property
    def emulator_virtualenv(self) -> Path:
        return self.root / ".venv-emulator"

    @property
    def transcript(self) -> Path:
        return self.scratch / "operations.log"

    @property
    def emulator_record(self) -> Path:
        """Where the emulator's process is written down for a later run, in case this one is killed."""
        return self.scratch / f"emulator-{self.gateway_port}.json"

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def registry(self) -> str:
        # Docker pushes without TLS to this host name only because it is localhost.
        return f"localhost:{self.gateway_port}"

    @property
    def front_url(self) -> str:
        return f"http://127.0.0.1:{self.front_port}/"

    @property
    def docker_label(self) -> str:
        return f"{LABEL}={self.gateway_port}"
