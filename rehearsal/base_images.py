"""The Python and PostgreSQL images all else stands on: the official ones, or stand-ins built from Debian packages.

A stand-in has a name of its own (`pactum-standin/...`): nothing here pretends to be an official image.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rehearsal import bounded
from rehearsal.docker_client import DockerClient
from rehearsal.docker_engine import Announce, install_packages
from rehearsal.errors import RehearsalError
from rehearsal.realisers.images import certificates

PYTHON = "python:3.13-slim-trixie"
POSTGRES = "postgres:17-alpine"
OFFICIAL_PREFIX = "docker.io/library"
STAND_IN_PREFIX = "pactum-standin"
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,python3-venv,ca-certificates"
# Mailpit's stand-in is another program, and named so.
MAIL_STAND_IN = f"{STAND_IN_PREFIX}/mail:maildump"
MAIL_CONTEXT = Path(__file__).parent / "images" / "mail"
POSTGRES_CONTEXT = Path(__file__).parent / "images" / "postgres"
PULL_SECONDS = 300
# A mirror configured in the engine may answer although Docker Hub itself does not; it then does so quickly.
BLIND_PULL_SECONDS = 20
DECISION_HOURS = 24
DEBOOTSTRAP_SECONDS = 900
PACK_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class BaseImages:
    """Where the base images come from: `prefix` stands in front of both names."""

    prefix: str

    @property
    def python(self) -> str:
        return f"{self.prefix}/{PYTHON}"

    @property
    def are_stand_ins(self) -> bool:
        return self.prefix == STAND_IN_PREFIX


def provide(client: DockerClient, scratch: Path, announce: Announce) -> BaseImages:
    """Pull the official images, or build the stand-ins where Docker Hub is out of reach; both stay for the next run."""
    if all(client.image_exists(f"{OFFICIAL_PREFIX}/{name}") for name in (PYTHON, POSTGRES)):
        return BaseImages(prefix=OFFICIAL_PREFIX)
    decision = scratch / "base-images.json"
    if not _recently_out_of_reach(decision):
        if all(_pull(client, f"{OFFICIAL_PREFIX}/{name}") for name in (PYTHON, POSTGRES)):
            return BaseImages(prefix=OFFICIAL_PREFIX)
        announce("Docker Hub cannot be reached: using stand-in base images made from Debian packages")
        scratch.mkdir(parents=True, exist_ok=True)
        decision.write_text(json.dumps({"out_of_reach_at": time.time()}), encoding="utf-8")
    if not client.image_exists(f"{STAND_IN_PREFIX}/{PYTHON}"):
        _build_python(client, scratch, announce)
    if not client.image_exists(f"{STAND_IN_PREFIX}/{POSTGRES}"):
        _build_postgres(client, announce)
    return BaseImages(prefix=STAND_IN_PREFIX)


def _recently_out_of_reach(decision: Path) -> bool:
    try:
        asked_at = float(json.loads(decision.read_text(encoding="utf-8"))["out_of_reach_at"])
    except (OSError, ValueError, KeyError):
        return False
    return time.time() - asked_at < DECISION_HOURS * 3600


def _pull(client: DockerClient, reference: str) -> bool:
    try:
        socket.create_connection(("registry-1.docker.io", 443), timeout=5).close()
        bound = PULL_SECONDS
    except OSError:
        bound = BLIND_PULL_SECONDS
    try:
        return client.attempt("pull", "--quiet", reference, timeout_seconds=bound).returncode == 0
    except RehearsalError:
        return False


def _build_python(client: DockerClient, scratch: Path, announce: Announce) -> None:
    if os.geteuid() != 0:
        raise RehearsalError(
            "Docker Hub cannot be reached, and stand-in base images can be built by root only (debootstrap).",
            remedy=f"Run `sudo python -m rehearsal base-images` once, or provide the images {OFFICIAL_PREFIX}/{PYTHON} "
            f"and {OFFICIAL_PREFIX}/{POSTGRES} to this engine.",
        )
    if shutil.which("debootstrap") is None:
        if shutil.which("apt-get") is None:
            raise RehearsalError(
                "Docker Hub cannot be reached, and there is no debootstrap to build stand-in base images with.",
                remedy="Install debootstrap, or allow this engine to pull from Docker Hub.",
            )
        install_packages(["debootstrap", "debian-archive-keyring"], announce)
    announce(f"building {STAND_IN_PREFIX}/{PYTHON} from Debian {SUITE} (about a minute, once)")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debootstrap-", dir=scratch) as directory:
        tree = Path(directory) / "tree"
        _debootstrap(tree)
        (tree / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        _import(client, tree)


def _debootstrap(tree: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree), MIRROR]
    bounded.run(
        command,
        failure=f"debootstrap could not make a Debian {SUITE} tree",
        remedy=f"Check that {MIRROR} can be reached from this machine.",
        timeout_seconds=DEBOOTSTRAP_SECONDS,
    )


def _import(client: DockerClient, tree: Path) -> None:
    excluded = ["./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*", "./proc/*", "./sys/*", "./dev/*"]
    tar = [
        "tar",
        "-C",
        str(tree),
        *(f"--exclude={path}" for path in excluded),
        "-cf",
        str(tree.parent / "tree.tar"),
        ".",
    ]
    bounded.run(
        tar,
        failure=f"the Debian tree in {tree} could not be packed",
        remedy="Make room on that disk, then run it again.",
        timeout_seconds=PACK_SECONDS,
    )
    changes = [
        "ENV LANG=C.UTF-8",
        "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LABEL pactum.standin=python",
        'CMD ["python3"]',
    ]
    options = [option for change in changes for option in ("--change", change)]
    client.run("import", *options, str(tree.parent / "tree.tar"), f"{STAND_IN_PREFIX}/{PYTHON}", timeout_seconds=300)


def _build_postgres(client: DockerClient, announce: Announce) -> None:
    announce(f"building {STAND_IN_PREFIX}/{POSTGRES} from Debian {SUITE} (half a minute, once)")
    client.run(
        "build",
        "--build-arg",
        f"BASE={STAND_IN_PREFIX}/{PYTHON}",
        "--tag",
        f"{STAND_IN_PREFIX}/{POSTGRES}",
        str(POSTGRES_CONTEXT),
        timeout_seconds=600,
    )


def provide_mail(client: DockerClient, announce: Announce) -> None:
    """Build what stands in for the mail catcher of `make dev`, where the other images are stand-ins."""
    if client.image_exists(MAIL_STAND_IN):
        return
    announce(f"building {MAIL_STAND_IN} from PyPI's packages (ten seconds, once)")
    client.run(
        "build",
        *certificates(),
        *("--build-arg", f"BASE={STAND_IN_PREFIX}/{PYTHON}", "--tag", MAIL_STAND_IN, str(MAIL_CONTEXT)),
        timeout_seconds=600,
    )
