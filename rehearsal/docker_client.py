"""Runs the docker command, always with a bound on its time."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal import children
from rehearsal.errors import RehearsalError

SHOWN_LINES = 30
# BuildKit's line with the digest of a step's cache key: it says nothing to a person.
BUILD_NOISE = re.compile(r"#\d+ sha256:")


@dataclass(frozen=True, kw_only=True)
class DockerClient:
    """A docker executable that was found to work; `environment` is added to ours (DOCKER_CONFIG, for example)."""

    executable: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def attempt(
        self, *arguments: str, timeout_seconds: float, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run docker and return what it did, whatever its exit code. RehearsalError when it does not end in time."""
        environment = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain", **self.environment}
        try:
            return children.run(
                [self.executable, *arguments], environment=environment, timeout_seconds=timeout_seconds, stdin=stdin
            )
        except subprocess.TimeoutExpired:
            raise RehearsalError(
                f"`docker {' '.join(arguments[:2])}` did not end within {timeout_seconds:.0f} s.",
                remedy="See whether the Docker engine still answers: `docker info`.",
            ) from None
        except OSError as error:
            raise RehearsalError(f"{self.executable} cannot be run: {error}.") from error

    def run(self, *arguments: str, timeout_seconds: float = 60, stdin: str | None = None) -> str:
        """Run docker and return its standard output. RehearsalError with its last lines when it fails."""
        done = self.attempt(*arguments, timeout_seconds=timeout_seconds, stdin=stdin)
        if done.returncode:
            raise RehearsalError(f"`docker {' '.join(arguments[:2])}` failed:\n{last_lines(done.stdout + done.stderr)}")
        return done.stdout

    def image_exists(self, reference: str) -> bool:
        return self.attempt("image", "inspect", reference, timeout_seconds=30).returncode == 0

    def with_config(self, directory: Path) -> "DockerClient":
        """The same client with a login file of its own, so that the user's ~/.docker is never touched."""
        directory.mkdir(parents=True, exist_ok=True)
        return DockerClient(executable=self.executable, environment={"DOCKER_CONFIG": str(directory)})


def last_lines(text: str, count: int = SHOWN_LINES) -> str:
    """The last `count` lines that say something, indented to stand under a message."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not BUILD_NOISE.match(line)]
    return "\n".join(f"    {line}" for line in lines[-count:])
