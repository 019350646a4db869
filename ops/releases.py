"""`python -m ops releases`: what was deployed to a stack, when, by whom, and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops import tasks
from ops.command import Command, Context, count
from ops.release_memory import Memory

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ops.release_record import Record, Release

PROCESS = "web"
LIMIT = 20
_HEADINGS = ("", "began", "digest", "commit", "who", "verdict", "migrations", "cause")
_LONGEST_CAUSE = 60


def _run(context: Context, options: argparse.Namespace) -> None:
    record = Memory(context).read()
    service = tasks.find_service(context.aws.ecs, context.stack)
    serving = service["taskDefinition"] if service else ""
    live = record.of_task_definition(serving) or record.newest(_digest(context, serving))
    shown = record.releases[: options.limit or None]
    context.answer.update(
        record.as_json(),
        releases=[item.as_json() | {"serving": item is live} for item in shown],
        serving=serving or None,
    )
    say = context.transcript.step
    for line in _table([_HEADINGS, *(_row(record, item, serving=item is live) for item in shown)]) if shown else []:
        say(line)
    if len(record.releases) > len(shown):
        say(f"... and {len(record.releases) - len(shown)} older ones (--limit)")
    for digest, denial in record.denials.items():
        say(f"denied: {digest}, by {denial}")
    if record.hold:
        say(f"on hold, by {record.hold}")
    if record.in_flight:
        say(f"in flight: {record.in_flight}")
    context.transcript.result(_summary(context, live, serving, empty=not record.releases))


def _digest(context: Context, serving: str) -> str:
    """Return the image of what serves: until its verdict a release's task definition is not written down."""
    if not serving:
        return ""
    definition = tasks.find_task_definition(context.aws.ecs, serving)
    return tasks.environment_of(definition, context.stack.container(PROCESS)).get("RELEASE", "")


def _summary(context: Context, live: Release | None, serving: str, *, empty: bool) -> str:
    name = serving.rsplit("/", 1)[-1]
    if not serving:
        told = f"there is no service {context.stack.service}: nothing serves"
    elif live:
        told = f"* is what ECS runs now: {live.digest} ({name})"
    else:
        told = f"ECS runs {name}, which is none of the releases remembered"
    return f"no release of {context.stack} is remembered yet; {told}" if empty else told


def _row(record: Record, release: Release, *, serving: bool) -> tuple[str, ...]:
    marks = ", denied" if release.digest in record.denials else ""
    return (
        "*" if serving else "",
        release.began_at,
        release.digest.removeprefix("sha256:")[:12],
        _commit(release.commit),
        release.who,
        release.verdict + marks,
        _migrations(release),
        release.cause if len(release.cause) <= _LONGEST_CAUSE else f"{release.cause[:_LONGEST_CAUSE]}...",
    )


def _commit(commit: str) -> str:
    digits, _, dirty = commit.partition("-")
    return digits[:10] + ("-" + dirty if dirty else "")


def _migrations(release: Release) -> str:
    if release.migrations is None:
        return "unknown"
    final = sum(not item.undoable for item in release.migrations)
    return f"{len(release.migrations)}" + (f" ({final} cannot be undone)" if final else "")


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        type=count,
        default=LIMIT,
        metavar="N",
        help="how many to show, newest first; 0 for all (default: %(default)s)",
    )


COMMAND = Command(
    name="releases",
    summary="what was deployed, when, by whom, from which commit, and how it went",
    description="List the releases of a stack, newest first: which one serves now, the verdict on each, which are\n"
    "denied, whether the stack is on hold, and what is in flight. With --json, everything that is remembered.",
    add_options=_options,
    run=_run,
    changes=False,
)
