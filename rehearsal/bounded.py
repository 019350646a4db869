"""Runs a program of the machine that prepares a rehearsal (pip, apt, tar), with a bound on its time."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError


def attempt(
    command: Sequence[str], *, timeout_seconds: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it and return what it did, whatever its exit code.

    RehearsalError when it cannot be started or does not end within `timeout_seconds`; it is killed then.
    """
    try:
        return subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            errors="replace",
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RehearsalError(
            f"`{_short(command)}` did not end within {timeout_seconds:.0f} s.",
            remedy="See what it waits for (a package index that cannot be reached, a lock, a slow disk), then run the "
            "rehearsal again.",
        ) from None
    except OSError as error:
        raise RehearsalError(f"{command[0]} cannot be run: {error.strerror or error}.") from error


def run(
    command: Sequence[str],
    *,
    failure: str,
    remedy: str,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run it. RehearsalError with `failure`, its last lines and `remedy` when it fails."""
    done = attempt(command, timeout_seconds=timeout_seconds, environment=environment)
    if done.returncode:
        raise RehearsalError(f"{failure}:\n{last_lines(done.stdout + done.stderr)}", remedy=remedy)


def _short(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:3]])
