"""What a subcommand is, and what it is given to work with."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops.aws import Aws, Whereabouts
    from ops.clock import Clock
    from ops.stack import Stack
    from ops.transcript import Transcript

ACCOUNT_DIGITS = 12
LONGEST_TEXT = 500


@dataclass(frozen=True, kw_only=True)
class Context:
    """The surroundings of one run: which stack, which account, where words go, what time it is."""

    stack: Stack
    aws: Aws
    whereabouts: Whereabouts
    transcript: Transcript
    clock: Clock
    environment: Mapping[str, str]
    dry_run: bool = False
    """Say what would be done, and change nothing (--dry-run)."""
    json: bool = False
    """Standard output is for a program (--json): `answer` alone, or one object a line where lines are the answer."""
    answer: dict[str, Any] = field(default_factory=dict)
    """What --json prints when the command ends, well or not, beside who, where and whether it went well."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One subcommand: its name, its help, its own options, and what it does.

    `run` answers an exit code of its own, or None for 0.
    """

    name: str
    summary: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context, argparse.Namespace], int | None]
    changes: bool = True
    """Whether it changes anything: then it has --dry-run."""
    streams: bool = False
    """Whether it writes its answer itself, line by line, with --json as without."""
    concludes: bool = False
    """Whether with --json `answer` follows those lines as the last one; else it does only when the command failed."""


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add the option that says why a person forbids something."""
    parser.add_argument(
        "--reason", required=True, type=text, metavar="TEXT", help="why, for whoever is refused because of it"
    )


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add the option that says whom to ask the balancer for."""
    parser.add_argument(
        "--host", metavar="DOMAIN", help="the domain users call, behind HTTPS (default: the first of ALLOWED_HOSTS)"
    )


def seconds(text: str) -> int:
    """Parse a duration in whole seconds, at least one."""
    return _whole_number(text, "a number of seconds")


def count(text: str) -> int:
    """Parse a count, zero included."""
    return _whole_number(text, "a count", at_least=0)


def text(given: str) -> str:
    """Parse a text for people: one line, and not empty."""
    line = " ".join(given.split())
    if not line or len(line) > LONGEST_TEXT:
        raise argparse.ArgumentTypeError(f"give a text of 1 to {LONGEST_TEXT} characters")
    return line


def account_number(text: str) -> str:
    """Parse an AWS account's number; text, for it may begin with zeros."""
    if not text.isascii() or not text.isdigit() or len(text) != ACCOUNT_DIGITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not an AWS account: give its {ACCOUNT_DIGITS} digits")
    return text


def _whole_number(text: str, what: str, at_least: int = 1) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < at_least:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}: give a whole number, at least {at_least}")
    return int(text)
