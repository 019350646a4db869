"""Where a stage's words go besides the host: the log, the job's summary, and files for people."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ops.pipeline.event import GITHUB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.pipeline.event import Event

DIRECTORY = "ci"


def keep(root: Path, name: str, text: str) -> str:
    """Write a file for people, `ci/NAME`, which the host keeps; answers what it is called there."""
    directory = root / DIRECTORY
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")
    return f"{DIRECTORY}/{name}"


def say(text: str, event: Event, environment: Mapping[str, str]) -> None:
    """Print a text, and add it to the job's summary where there is one.

    GitHub takes lines of a log for commands: not those of this text, which others have written.
    """
    if event.host == GITHUB:
        end = secrets.token_hex(16)
        print(f"::stop-commands::{end}\n{text}\n::{end}::", flush=True)
        with suppress(OSError), Path(environment.get("GITHUB_STEP_SUMMARY") or "/dev/null").open("a") as summary:
            summary.write(f"{text}\n")
    else:
        print(text, flush=True)
