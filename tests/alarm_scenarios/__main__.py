"""Prints what each scenario shows: which alarms tell somebody, after how many minutes, and when it is over."""

from __future__ import annotations

import sys

from tests.alarm_scenarios.registered import Registered, registered
from tests.alarm_scenarios.scenarios import SCENARIOS, Raised, Scenario, play
from tests.recorder import ROOT

HEADINGS = ("scenario", "told first", "by a page", "minute late", "also told")


def main(arguments: list[str]) -> int:
    """Print the table, as Markdown, for the stack that is asked for."""
    stack = arguments[0] if arguments else "prod"
    if not (ROOT / f"Pulumi.{stack}.yaml").is_file():
        print(f"There is no stack {stack}: no Pulumi.{stack}.yaml is in {ROOT}. Name one that is.", file=sys.stderr)
        return 2
    rows = [HEADINGS, *(_row(scenario, registered(stack)) for scenario in SCENARIOS)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in (HEADINGS, tuple("-" * width for width in widths), *rows[1:]):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
    return 0


def _row(scenario: Scenario, stack: Registered) -> tuple[str, ...]:
    found, late = play(scenario, stack), play(scenario, stack, late_minutes=1)
    pages, late_pages = (_pages(each) for each in (found, late))
    return (
        scenario.name,
        f"{found[0].label} ({found[0].audience[:-1]})" if found else "nobody",
        f"{pages[0].label}, {pages[0].after} min" if pages else "-",
        f"{late_pages[0].after} min" if late_pages else "-",
        ", ".join(f"{each.label} {each.after}" for each in found[1:]) or "-",
    )


def _pages(found: list[Raised]) -> list[Raised]:
    return [each for each in found if each.audience == "pages"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
