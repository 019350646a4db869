"""`ci-rollback STACK`: `python -m ops rollback`, for a person who has a pipeline's button and no credentials."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.pipeline import child, choice
from ops.pipeline.surroundings import context_of, ops_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event

TO = "TO"
_RELEASE = re.compile(r"(sha256:)?[0-9a-f]{7,64}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stack; where to is what a person typed, and comes by the environment."""
    choice.add_stack(parser, "the stack to roll back")
    parser.epilog = f"{TO} in the environment says where to, by digest or commit; empty, to the last good release."


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Roll back, and return the command's exit code.

    Raises:
        CannotAct: what was typed names no release.

    """
    root = Path.cwd()
    to = environment.get(TO, "").strip()
    if to and not _RELEASE.fullmatch(to):
        raise CannotAct(
            f"{TO} is {to!r}, which names no release. Nothing was done. Give the first 7 or more digits of a digest or "
            "of a commit, as `python -m ops releases` shows them, or nothing for the last good release.",
        )
    context = context_of(options.stack, environment, root=root)
    reason = f"by the pipeline {event.run_url}" if event.run_url else "by make ci-rollback"
    context.transcript.step(f"ci-rollback: {context.stack}, to {to or 'the last good release'}")
    ran = child.stream(
        ops_command(context, "rollback", "--reason", reason, *([to] if to else [])),
        directory=root,
        environment=environment,
        told=f"`python -m ops status {context.stack.options}` shows what serves.",
    )
    return ran.code
