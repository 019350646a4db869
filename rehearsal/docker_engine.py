"""Finds a Docker engine that can do what a rehearsal needs, or installs the distribution's where that is possible."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rehearsal import bounded
from rehearsal.docker_client import DockerClient, last_lines
from rehearsal.errors import RehearsalError

STANDARD_PLACES = ("/usr/bin/docker", "/usr/local/bin/docker", "/opt/homebrew/bin/docker", "/snap/bin/docker")
ENGINE_LOG = Path("/var/log/pactum-dockerd.log")
START_SECONDS = 60
INSTALL_SECONDS = 900
# The images of a rehearsal take about 1.5 GiB, its build cache as much again.
MINIMUM_FREE_GIB = 4

Announce = Callable[[str], None]


def candidates() -> Iterator[str]:
    """Docker executables worth trying: what PATH finds first, then every other one on PATH and in standard places."""
    seen: set[str] = set()
    on_path = [
        str(Path(directory) / "docker") for directory in os.environ.get("PATH", "").split(os.pathsep) if directory
    ]
    for path in [*on_path, *STANDARD_PLACES]:
        if path not in seen and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def find(paths: Iterator[str] | None = None) -> DockerClient:
    """The first docker client whose engine answers and builds with BuildKit.

    RehearsalError says what each client lacks; NoEngineError if none even answers.
    """
    findings: list[str] = []
    answering = False
    for path in paths if paths is not None else candidates():
        client = DockerClient(executable=path)
        done = client.attempt("version", "--format", "{{.Server.Version}}", timeout_seconds=20)
        if done.returncode:
            findings.append(f"{path}: {_last_line(done.stderr)}")
            continue
        answering = True
        problem = _buildkit_problem(client)
        if not problem:
            return client
        findings.append(f"{path}: {problem}")
    if not findings:
        raise NoEngineError("There is no docker command on this machine.", remedy=_hint())
    listing = "\n".join(f"    {finding}" for finding in findings)
    if answering:
        raise RehearsalError(
            f"The Docker engine answers, but no client builds with BuildKit:\n{listing}",
            remedy="Install the client's buildx plugin (docker-buildx) or an engine of version 20.10 or newer.",
        )
    raise NoEngineError(f"No Docker engine answers:\n{listing}", remedy=_hint())


class NoEngineError(RehearsalError):
    """No engine answers; `ensure` may be able to install or start one."""


_INSTALL_HINT = (
    "Start Docker, or install it (https://docs.docker.com/engine/install/). "
    "As root on Debian or Ubuntu, `make docker-engine` does both."
)


def _hint() -> str:
    chosen = os.environ.get("DOCKER_HOST")
    if chosen:
        return (
            f"DOCKER_HOST is {chosen}: start the engine there, correct the variable, or unset it to use this machine's."
        )
    return _INSTALL_HINT


def _buildkit_problem(client: DockerClient) -> str:
    """Empty when BuildKit builds work: a client may lack buildx, an engine may be too old, so only a build tells."""
    tag = f"pactum-buildkit-probe:{os.getpid()}"
    done = client.attempt(
        "build", "--quiet", "--tag", tag, "-", stdin="FROM scratch\nLABEL pactum.probe=buildkit\n", timeout_seconds=60
    )
    if done.returncode:
        return next((line for line in done.stderr.splitlines() if "ERROR" in line), _last_line(done.stderr))
    client.attempt("image", "rm", "--force", tag, timeout_seconds=30)
    return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no answer"


def ensure(announce: Announce) -> DockerClient:
    """A working client; as root on Debian or Ubuntu, Docker Engine is installed and started first when none answers."""
    try:
        return find()
    except NoEngineError as error:
        if os.environ.get("DOCKER_HOST") or not _can_install():
            raise
        first_line = str(error).splitlines()[0]
        announce(f"{first_line} Installing the distribution's and starting it; it stays a service of this machine.")
    if shutil.which("dockerd") is None:
        _install(announce)
    _start(announce)
    return find()


def _can_install() -> bool:
    release = Path("/etc/os-release")
    distribution = release.read_text(encoding="utf-8") if release.exists() else ""
    named = [line for line in distribution.splitlines() if line.startswith(("ID=", "ID_LIKE="))]
    return os.geteuid() == 0 and any("debian" in line or "ubuntu" in line for line in named)


def _install(announce: Announce) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_packages(["docker.io"], announce, environment=environment)
    # Debian 13 and Ubuntu 24.04 ship the client and BuildKit's client side apart.
    for package in ("docker-cli", "docker-buildx"):
        if bounded.attempt(["apt-cache", "show", package], timeout_seconds=60).returncode == 0:
            install_packages([package], announce, environment=environment)


def install_packages(packages: list[str], announce: Announce, *, environment: dict[str, str] | None = None) -> None:
    """Install Debian packages, announced. RehearsalError with apt's last lines when that fails."""
    announce(f"apt-get install {' '.join(packages)}")
    environment = environment or {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet"]
    # It may fail for one foreign repository while Debian's own answers: `install` decides.
    bounded.attempt([*apt, "update"], timeout_seconds=INSTALL_SECONDS, environment=environment)
    bounded.run(
        [*apt, "install", "--yes", "--no-install-recommends", *packages],
        failure=f"`apt-get install {' '.join(packages)}` failed",
        remedy="Install it by hand, then run the rehearsal again.",
        timeout_seconds=INSTALL_SECONDS,
        environment=environment,
    )


def _start(announce: Announce) -> None:
    if Path("/run/systemd/system").is_dir():
        announce("systemctl start docker")
        bounded.attempt(["systemctl", "start", "docker"], timeout_seconds=START_SECONDS)
    else:
        announce(f"starting dockerd; its log is {ENGINE_LOG}")
        with ENGINE_LOG.open("ab") as log:
            # A session of its own: it is a service of the machine and outlives the rehearsal and its terminal.
            subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for path in candidates():
            done = DockerClient(executable=path).attempt("info", timeout_seconds=20)
            if done.returncode == 0:
                return
        time.sleep(0.5)
    log_tail = last_lines(ENGINE_LOG.read_text(errors="replace")) if ENGINE_LOG.exists() else ""
    raise RehearsalError(
        f"dockerd was started but does not answer after {START_SECONDS} s:\n{log_tail}",
        remedy="In a container, dockerd needs --privileged; else run the rehearsal where an engine is available.",
    )


def check_disk(client: DockerClient, working_copy: Path, *, minimum_gib: float = MINIMUM_FREE_GIB) -> None:
    """RehearsalError when the engine's or the working copy's disk has less than `minimum_gib` free."""
    done = client.attempt("info", "--format", "{{.DockerRootDir}}", timeout_seconds=30)
    engine_root = Path(done.stdout.strip() or "/nonexistent")
    # A remote engine's or a virtual machine's directory is not here; its own builds will say when it is full.
    for place, what in ((engine_root, "Docker engine"), (working_copy, "working copy")):
        if not place.is_dir():
            continue
        free_gib = shutil.disk_usage(place).free / 2**30
        if free_gib < minimum_gib:
            raise RehearsalError(
                f"The {what}'s disk ({place}) has {free_gib:.1f} GiB free; a rehearsal needs {minimum_gib:.0f} GiB.",
                remedy="Make room, for example with `docker builder prune` and `docker image prune`.",
            )
