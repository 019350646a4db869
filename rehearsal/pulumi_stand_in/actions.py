"""What each command does: previews and updates of the rehearsed stack, its outputs, and its lock."""

import argparse
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import attached
from rehearsal.attached import Attached
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress
from rehearsal.pulumi_stand_in import words
from rehearsal.pulumi_stand_in.state_lock import StateLock

BACKEND = "PULUMI_BACKEND_URL"
CANCELLED = "update canceled"
PROJECT = re.compile(r"^name: *(\S+)", re.MULTILINE)
CONFIG = re.compile(r"^config:.*\n", re.MULTILINE)

Option = tuple[tuple[str, ...], dict[str, Any]]


class PulumiError(Exception):
    """What the CLI says, after `error:`."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: what it does, and which options it takes besides those of every command."""

    act: Callable[[Place, argparse.Namespace], int]
    options: list[Option] = field(default_factory=list)


def login(place: Place, options: argparse.Namespace) -> int:
    """Say where the state is kept. There is nothing to log in to."""
    del place
    print(f"Logged in to the rehearsal as {os.environ.get('USER', 'nobody')} ({options.url or _backend()})")
    return 0


def stack(place: Place, options: argparse.Namespace) -> int:
    """`stack output [NAME]`: what the last update that ended well has exported."""
    if options.what != "output":
        raise PulumiError(f'unknown command "{options.what}" for "pulumi stack"')
    outputs = _attached(place, options).outputs
    if options.name and options.name not in outputs:
        raise PulumiError(f"current stack does not have output property '{options.name}'")
    shown = outputs[options.name] if options.name else outputs
    print(json.dumps(shown, indent=2) if options.json else _plain(shown))
    return 0


def preview(place: Place, options: argparse.Namespace) -> int:
    """What an update would change."""
    updater = _attached(place, options)
    # Before what the program prints, which comes first.
    print(f"Previewing update ({updater.stack}):", flush=True)
    log = Path(options.event_log or os.devnull)
    try:
        tally = updater.plan()
    except RehearsalError as error:
        log.write_text(words.error_event(str(error)), encoding="utf-8")
        raise
    log.write_text(words.events(updater.stack, updater.project, tally), encoding="utf-8")
    print(words.previewed(updater.stack, updater.project, tally))
    print(words.outputs(updater.outputs, updater.planned_outputs))
    if options.expect_no_changes and tally.changed:
        raise PulumiError("no changes were expected but changes were proposed")
    return 0


def up(place: Place, options: argparse.Namespace) -> int:
    """Update the stack, alone."""
    if not options.yes:
        raise PulumiError("--yes or --skip-preview must be passed in to proceed when running in non-interactive mode")
    updater = _attached(place, options)
    lock = _lock(updater)
    with lock.held():
        lock.keep_state()
        print(f"Updating ({updater.stack}):", flush=True)
        tally = updater.up(phase=f"update {updater.stack}")
    print(words.updated(updater.outputs, tally))
    return 0


def cancel(place: Place, options: argparse.Namespace) -> int:
    """Remove the stack's lock, whoever has it."""
    if not options.yes:
        raise PulumiError("--yes must be passed in to proceed when running in non-interactive mode")
    updater = _attached(place, options)
    _lock(updater).cancel()
    print(f"The currently running update for '{updater.stack}' has been canceled!")
    return 0


def _attached(place: Place, options: argparse.Namespace) -> Attached:
    if not options.stack:
        raise PulumiError("no stack selected; please use `pulumi stack select` or choose one interactively")
    # Opening the backend is the first that every command does.
    _backend()
    own = Path(options.config_file) if getattr(options, "config_file", "") else None
    for setting in getattr(options, "config", None) or []:
        _write(own or place.root / f"Pulumi.{options.stack}.yaml", *setting.split("=", 1))
    try:
        updater = attached.attach(place, options.stack, Progress())
    except RehearsalError as error:
        raise PulumiError(f"no stack named '{options.stack}' found ({error})") from error
    updater.config_file = own or updater.config_file
    return updater


def _write(stack_file: Path, key: str, value: str) -> None:
    """Set a value in the stack's file, where --config of the CLI puts it, too."""
    text, line = stack_file.read_text(encoding="utf-8"), f"  {key}: {json.dumps(value)}\n"
    known = re.compile(rf"^  {re.escape(key)}:.*\n", re.MULTILINE)
    changed = known.sub(line, text) if known.search(text) else CONFIG.sub(f"config:\n{line}", text, count=1)
    stack_file.write_text(changed, encoding="utf-8")


def _lock(updater: Attached) -> StateLock:
    return StateLock(s3=updater.tools.client("s3"), backend=_backend(), project=updater.project, stack=updater.stack)


def _backend() -> str:
    backend = os.environ.get(BACKEND, "")
    if not backend:
        raise PulumiError(f"PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions ({BACKEND})")
    return backend


def _plain(shown: Any) -> str:  # noqa: ANN401 - any output
    if isinstance(shown, str):
        return shown
    return "\n".join(f"    {name:<24} {value}" for name, value in shown.items())


_STACK_FILE: list[Option] = [
    (("--config-file",), {"default": ""}),
    (("--config", "-c"), {"action": "append", "metavar": "KEY=VALUE"}),
]
_FLAG = {"action": "store_true"}
COMMANDS: dict[str, Command] = {
    "login": Command(act=login, options=[(("url",), {"nargs": "?", "default": ""})]),
    "stack": Command(
        act=stack,
        options=[(("what",), {}), (("name",), {"nargs": "?", "default": ""}), (("--json", "-j"), _FLAG)],
    ),
    "preview": Command(
        act=preview,
        options=[
            *_STACK_FILE,
            # Without effect: the rows tell the properties, and the program itself runs the guardrails.
            (("--diff",), _FLAG),
            (("--policy-pack",), {"action": "append"}),
            (("--event-log",), {"default": ""}),
            (("--expect-no-changes",), _FLAG),
        ],
    ),
    "up": Command(act=up, options=[*_STACK_FILE, (("--yes", "-y"), _FLAG), (("--skip-preview", "-f"), _FLAG)]),
    "cancel": Command(act=cancel, options=[(("--yes", "-y"), _FLAG)]),
}
