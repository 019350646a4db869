"""A further release on top of what is live, good or bad, while a user keeps asking."""

import json
import secrets
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from rehearsal.balancer_client import BalancerClient
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import RehearsalError
from rehearsal.realisers import images
from rehearsal.session import Rehearsal
from rehearsal.watcher import Watcher

SERVING_SECONDS = 60


def check(directory: Path) -> None:
    """RehearsalError when there is nothing to build in a release's directory."""
    if not (directory / "Dockerfile").is_file():
        raise RehearsalError(
            f"There is no Dockerfile in {directory}.", remedy="Give a directory like those in tests/releases/."
        )


def deploy(rehearsal: Rehearsal, directory: Path, overrides: Mapping[str, str] | None = None) -> None:
    """Build the release in `directory` on the live image, push it, and update the stack to its digest.

    The Dockerfile begins `ARG RELEASE_BEFORE` and `FROM ${RELEASE_BEFORE}`. RehearsalError names why the release failed
    and says whether the one before kept serving; also when users saw errors while a good one was rolled out.
    """
    before = rehearsal.live
    if before is None:
        raise RehearsalError("There is no release to build on: no update has ended well.")
    check(directory)
    with rehearsal.progress.phase(f"build release {directory.name}"):
        digest = _build(rehearsal, directory)
    entry = {"release": directory.name, "digest": digest, "ok": False, "users": "", "error": ""}
    rehearsal.report.releases.append(entry)
    with Watcher(place=rehearsal.place, url=before.url) as watcher:
        try:
            rehearsal.up({**(overrides or {}), "pactum:imageDigest": digest}, phase=f"up to release {directory.name}")
        except EmulatorEndedError:
            # Nothing serves any more, and that says nothing about the release.
            raise
        except RehearsalError as error:
            served = _serves(rehearsal, before.url, before.release)
            entry |= {"error": str(error), "users": watcher.verdict()}
            aftermath = f"{_aftermath(served, before.release)}; {watcher.verdict()}."
            raise RehearsalError(f"Release {directory.name} failed: {error}\n  {aftermath}") from error
    entry |= {"ok": not watcher.failures, "users": watcher.verdict()}
    if watcher.failures:
        raise RehearsalError(f"Release {directory.name} is live, but {watcher.verdict()}.")
    rehearsal.progress.note(watcher.verdict())


def _aftermath(served: bool, release: str) -> str:
    return f"The release before ({release[:19]}…) {'keeps serving' if served else 'NO LONGER SERVES'}"


def _build(rehearsal: Rehearsal, directory: Path) -> str:
    tools = rehearsal.tools
    url, _, digest = str(rehearsal.outputs["image"]).partition("@")
    repository = images.local_reference(tools, url)
    before = f"{repository}@{digest}"
    if not tools.docker.image_exists(before):
        images.logged_in(tools).run("pull", before, timeout_seconds=images.PUSH_SECONDS)
    reference = f"{repository}:{directory.name.replace('_', '-')}-{secrets.token_hex(4)}"
    images.build(tools, reference, ["--build-arg", f"RELEASE_BEFORE={before}"], directory)
    return images.push(tools, reference)


def _serves(rehearsal: Rehearsal, url: str, release: str) -> bool:
    """Whether the release before answers users, given the time a rollback takes."""
    user = BalancerClient(place=rehearsal.place, url=url)
    deadline = time.monotonic() + SERVING_SECONDS
    while time.monotonic() < deadline:
        try:
            if json.loads(user.get("/readyz").body).get("release") == release:
                return True
        except (OSError, HTTPException, ValueError):
            pass
        time.sleep(0.5)
    return False
