"""A login to the registry that lasts as long as a stage needs it, in a directory of its own."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ops.aws import Aws

_SECONDS = 60


@contextmanager
def login(aws: Aws, registry: str, docker: str, environment: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Yield the environment in which `docker` may push to and pull from the registry; afterwards nobody may.

    Raises:
        CannotAct: AWS gives no login, or the registry does not take it.

    """
    authorization = aws.ecr.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
    with tempfile.TemporaryDirectory(prefix="pactum-docker-") as directory:
        logged_in = {**environment, "DOCKER_CONFIG": directory}
        # The engine is chosen by ~/.docker, where DOCKER_HOST does not: the new directory knows nothing of that.
        host = environment.get("DOCKER_HOST") or _engine(docker, environment)
        if host:
            logged_in["DOCKER_HOST"] = host
        command = [docker, "login", "--username", user, "--password-stdin", registry]
        ran = _run(command, logged_in, password)
        if ran.returncode:
            raise CannotAct(
                f"the registry {registry} does not take the login that AWS gave: {ran.stderr.strip()[-500:]}\n"
                "Nothing was pushed. Is it the registry of this account and region, and reachable from here?",
            )
        yield logged_in


def _engine(docker: str, environment: Mapping[str, str]) -> str:
    """Return the address of the engine that the user's own context names; empty where docker does not say."""
    ran = _run([docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], environment)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _run(command: list[str], environment: Mapping[str, str], said: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            input=said,
            env={**environment, "PATH": environment.get("PATH", os.defpath)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotAct(f"`docker {command[1]}` cannot be run: {error}.") from error
