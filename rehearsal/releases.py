"""A further release on top of what is live, good or bad, while users keep asking."""

import json
import secrets
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from rehearsal.balancer_client import BalancerClient
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import RehearsalError
from rehearsal.load import Load
from rehearsal.place import Place
from rehearsal.realisers import images
from rehearsal.smoke import Live
from rehearsal.updater import Updater

SERVING_SECONDS = 60
# Enough to notice that nobody answers; the drills ask more.
USERS = 2
REQUESTS_PER_SECOND = 10.0


def check(directory: Path) -> None:
    """RehearsalError when there is nothing to build in a release's directory."""
    if not (directory / "Dockerfile").is_file():
        raise RehearsalError(
            f"There is no Dockerfile in {directory}.", remedy="Give a directory like those in tests/releases/."
        )


def live(updater: Updater) -> Live:
    """What was deployed last. RehearsalError when nothing was."""
    if updater.live is None:
        raise RehearsalError("There is no release to build on: no update has ended well.")
    return updater.live


def build(updater: Updater, directory: Path) -> str:
    """Build the release in `directory` on the image that was deployed last, push it, and return its digest.

    The Dockerfile begins `ARG RELEASE_BEFORE` and `FROM ${RELEASE_BEFORE}`. The build argument SERIAL is different and
    greater every time: it makes another digest of the same directory, and is the number of a migration.
    """
    live(updater)
    check(directory)
    with updater.progress.phase(f"build release {directory.name}"):
        return _build(updater, directory)


def deploy(updater: Updater, directory: Path, overrides: Mapping[str, str] | None = None) -> None:
    """Build the release in `directory`, and update the stack to its digest.

    RehearsalError names why the release failed and says whether the one before kept serving; also when users saw errors
    while a good one was rolled out.
    """
    before = live(updater)
    digest = build(updater, directory)
    entry = {"release": directory.name, "digest": digest, "ok": False, "users": "", "error": ""}
    updater.report.releases.append(entry)
    load = Load(
        place=updater.place,
        url=before.url,
        paths=before.users_paths,
        readiness=before.application.readiness_path,
        users=USERS,
        requests_per_second=REQUESTS_PER_SECOND,
    )
    with load:
        try:
            updater.up({**(overrides or {}), "pactum:imageDigest": digest}, phase=f"up to release {directory.name}")
        except EmulatorEndedError:
            # Nothing serves any more, and that says nothing about the release.
            raise
        except RehearsalError as error:
            served = serves(updater.place, before, before.release)
            entry |= {"error": str(error), "users": load.verdict()}
            aftermath = f"{_aftermath(served, before.release)}; {load.verdict()}."
            raise RehearsalError(f"Release {directory.name} failed: {error}\n  {aftermath}") from error
    entry |= {"ok": not load.failed, "users": load.verdict()}
    if load.failed:
        raise RehearsalError(f"Release {directory.name} is live, but {load.verdict()}.")
    updater.progress.note(load.verdict())


def _aftermath(served: bool, release: str) -> str:
    return f"The release before ({release[:19]}…) {'keeps serving' if served else 'NO LONGER SERVES'}"


def _build(updater: Updater, directory: Path) -> str:
    tools = updater.tools
    url, _, digest = str(updater.outputs["image"]).partition("@")
    repository = images.local_reference(tools, url)
    before = f"{repository}@{digest}"
    if not tools.docker.image_exists(before):
        images.logged_in(tools).run("pull", before, timeout_seconds=images.PUSH_SECONDS)
    reference = f"{repository}:{directory.name.replace('_', '-')}-{secrets.token_hex(4)}"
    arguments = {"RELEASE_BEFORE": before, "SERIAL": str(time.time_ns())}
    options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    images.build(tools, reference, options, directory)
    return images.push(tools, reference)


def serves(place: Place, live: Live, release: str, *, within_seconds: float = SERVING_SECONDS) -> bool:
    """Whether a release answers users, given the time a rollback takes."""
    user = BalancerClient(place=place, url=live.url)
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            if json.loads(user.get(live.application.readiness_path).body).get("release") == release:
                return True
        except (OSError, HTTPException, ValueError):
            pass
        time.sleep(0.5)
    return False
