"""What was executed, as tables between two marks of docs/pipelines.md."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rehearsal.place import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.pipelines.executed.jobs import Ran
    from tests.pipelines.executed.matrix import Row

PAGE = PROJECT_ROOT / "docs/pipelines.md"
BEGIN, END = "<!-- executed: made by `make pipelines` -->", "<!-- /executed -->"
NOTHING = "-"

# What a host's report is: `rows` to compare, and `path`, the jobs of the first push with their seconds.
Report = dict[str, Any]


def of_host(rows: Sequence[Row], *, seconds: float) -> Report:
    """What was executed on one host; digests by letters, in the order in which they were made."""
    digests = [digest for row in rows for digest in (row.built, *row.serves) if digest]
    names = {digest: chr(ord("A") + number) for number, digest in enumerate(dict.fromkeys(digests))} | {"": NOTHING}
    return {
        "seconds": round(seconds),
        "rows": [
            [row.event, row.branch, _order(row.ran), names[row.built], *(names[digest] for digest in row.serves)]
            for row in rows
        ],
        "path": [
            [ran.job, round(ran.began_seconds, 1), round(ran.seconds, 1), [list(each) for each in ran.commands]]
            for ran in rows[0].ran.values()
        ],
    }


def _order(ran: Mapping[str, Ran]) -> str:
    levels: dict[int, list[str]] = {}
    for each in ran.values():
        levels.setdefault(each.level, []).append(_told(each))
    return " → ".join(" ∥ ".join(sorted(levels[level])) for level in sorted(levels))


def _told(ran: Ran) -> str:
    if ran.code is None:
        return f"({ran.job} not begun)"
    commands = ", ".join(command.removeprefix("make ").replace("STACK=", "") for command, _ in ran.commands)
    return f"{commands}{' **red**' if ran.code else ''}"


def differences(reports: Mapping[str, Report]) -> list[str]:
    """Where a host did something else than the first."""
    first, *others = reports
    return [
        f"{host}: {found} is {first}'s {expected}"
        for host in others
        for expected, found in zip(reports[first]["rows"], reports[host]["rows"], strict=True)
        if found != expected
    ]


def write(reports: Mapping[str, Report]) -> None:
    """Put the tables into the page, in the place of those of the last time."""
    page = PAGE.read_text(encoding="utf-8")
    section = f"{BEGIN}\n{text(reports)}\n{END}"
    changed, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: section, page, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{PAGE} has {count} sections between {BEGIN} and {END}, and not one")
    PAGE.write_text(changed, encoding="utf-8")


def text(reports: Mapping[str, Report]) -> str:
    """The matrix, which is the same for the hosts, and the way from a push to staging by its seconds."""
    first = next(iter(reports.values()))
    hosts = ", ".join(f"{name} ({report['seconds']} s)" for name, report in reports.items())
    return "\n".join(
        [
            f"Executed {datetime.now(tz=UTC):%Y-%m-%d} at {_commit()} on {hosts}: the table is the same for each.",
            "A letter is a digest, as ECR and ECS tell it: the same letter, the same digest. ∥ is side by side.",
            "",
            "| event | branch | what ran, in which order | tested | staging runs | prod runs |",
            "|---|---|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in first["rows"]),
            "",
            "The first push to main by its seconds, GitHub alone on two processors (trimmed tests, stacks made anew):",
            "",
            "| job | begins | ends | its commands |",
            "|---|---|---|---|",
            *(_path_row(*row) for row in first["path"]),
        ]
    )


def _path_row(job: str, began: float, seconds: float, commands: Sequence[Sequence[Any]]) -> str:
    told = ", ".join(f"`{command}` {taken:.0f} s" for command, taken in commands)
    return f"| {job} | {began:.0f} s | {began + seconds:.0f} s | {told} |"


def _commit() -> str:
    command = ["git", "-C", str(PROJECT_ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
