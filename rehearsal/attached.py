"""`python -m rehearsal update STACK`: one more update of a stack that a rehearsal holds up, from a process of its own.

It owns nothing: the rehearsal that started the emulator stays its owner, and removes everything at its end. It may be
killed at any moment, and leaves behind what a killed `pulumi up` leaves.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal import children, processes, releases
from rehearsal.docker_client import DockerClient
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.engine import Finder
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress
from rehearsal.realisers.realiser import Realiser
from rehearsal.realisers.tables import realiser_of
from rehearsal.settings_option import add_settings
from rehearsal.updater import Updater

HELD = "held before"


@dataclass(kw_only=True)
class Attached(Updater):
    """Updates a stack on an emulator that another process owns."""

    def _watch(self, *, wait_seconds: float = 0) -> None:
        del wait_seconds
        if processes.recorded(self.place.emulator_record) is None:
            raise EmulatorEndedError("The rehearsal has ended meanwhile, and its emulator with it.")


def _record(place: Place, stack: str) -> Path:
    return place.scratch / f"rehearsal-{stack}.json"


def announce(
    place: Place,
    *,
    stack: str,
    overrides: Mapping[str, str],
    docker: DockerClient,
    config_file: Path | None = None,
) -> None:
    """Write down what another process needs to attach to this stack of a rehearsal, which may hold several."""
    content = {
        "overrides": dict(overrides),
        "docker": docker.executable,
        "config_file": str(config_file.absolute()) if config_file else "",
    }
    _record(place, stack).write_text(json.dumps(content), encoding="utf-8")


def withdraw(place: Place) -> None:
    """The rehearsal has ended: nobody can attach any more."""
    for path in place.scratch.glob("rehearsal-*.json"):
        path.unlink(missing_ok=True)


def forget(place: Place) -> None:
    """Remove what an earlier rehearsal on this port has left, its state above all: the next one starts empty."""
    withdraw(place)
    for pattern in ("state-*.json", "outputs-*.json", "update-*.log"):
        for path in place.scratch.glob(pattern):
            path.unlink(missing_ok=True)


def attach(place: Place, stack: str, progress: Progress, *, find: Finder = realiser_of) -> Attached:
    """The stack that a rehearsal on this port holds up. RehearsalError when there is none."""
    try:
        record = json.loads(_record(place, stack).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if record is None or processes.recorded(place.emulator_record) is None:
        raise RehearsalError(
            f"No rehearsal of {stack} is up on port {place.gateway_port}.",
            remedy=f"Start one that stays up: `make rehearse STACK={stack} KEEP=1`"
            " (REHEARSAL_GATEWAY_PORT names another port).",
        )
    updater = Attached(
        stack=stack,
        place=place,
        progress=progress,
        overrides=record["overrides"],
        config_file=Path(record["config_file"]) if record.get("config_file") else None,
        find=find,
    )
    children.belong_to(place.docker_label)
    updater.equip(DockerClient(executable=record["docker"]))
    updater.take_outputs()
    return updater


def holding(held_type: str, wait: Callable[[], None]) -> Finder:
    """Finds realisers, and waits before the one resource of a type is made: a moment that drills need to name."""

    def find(type_: str) -> Realiser:
        if type_ == held_type:
            wait()
        return realiser_of(type_)

    return find


def _wait_for_a_line(held_type: str) -> None:
    print(f"{HELD} {held_type}", flush=True)
    sys.stdin.readline()


def main(arguments: list[str], progress: Progress) -> int:
    """Update a stack that another rehearsal, with --keep, holds up."""
    options = _parser().parse_args(arguments)
    held = options.hold_before
    find = holding(held, lambda: _wait_for_a_line(held)) if held else realiser_of
    updater = attach(Place(), options.stack, progress, find=find)
    overrides = dict(options.set)
    if options.release:
        overrides["pactum:imageDigest"] = releases.build(updater, options.release)
    elif options.digest:
        overrides["pactum:imageDigest"] = options.digest
    tally = updater.up(overrides, phase=f"update {options.stack}")
    for reason in tally.reasons:
        progress.note(reason)
    progress.say(f"live: {updater.live.release if updater.live else ''}, {tally.changed} resources changed")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal update", description="Update a stack that `make rehearse KEEP=1` holds up."
    )
    parser.add_argument("stack", metavar="STACK")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--release", metavar="DIR", type=Path, help="deploy what this directory's Dockerfile makes of the live image"
    )
    what.add_argument("--digest", metavar="sha256:...", help="deploy an image that is in the repository")
    add_settings(parser)
    parser.add_argument(
        "--hold-before",
        metavar="TYPE",
        default="",
        help="wait for a line on standard input before resources of this type (aws:ecs/service:Service) are looked at",
    )
    return parser
