"""The tables of docs/observability.md, made of what they tell of: `python -m tests.observability_docs` writes them."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from typing import TYPE_CHECKING

from infra.observability.alarm import AlarmRule, Missing, Place, Severity
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.objectives import PAIRS, objectives, requests_floor
from infra.settings import Settings, load
from rehearsal import configuration
from rehearsal.cost.__main__ import REQUESTS_A_DAY, table
from rehearsal.cost.estimate import Assumptions, estimate
from rehearsal.cost.inventory import take
from rehearsal.cost.log_lines import measure
from tests.alarm_scenarios import __main__ as alarm_scenarios
from tests.recorder import ROOT, configure, record
from tests.shipped import stack_file

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "observability.md"
STACK = "prod"
TOLD = {
    Severity.PAGE: "**page**",
    Severity.TICKET: "ticket",
    Severity.HEARTBEAT: "somebody outside",
    Severity.NOBODY: "nobody",
}
COUNTS_AS = {Missing.BREACHING: "bad", Missing.FINE: "good", Missing.AS_BEFORE: "as before"}
COMPARED = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
}
GIB, DAY, HOUR, MINUTE = 1024**3, 86400, 3600, 60
MONTH_DAYS = 30


def settings() -> Settings:
    """Of production."""
    configure(STACK)
    loaded: list[Settings] = []
    recorder = record(lambda: loaded.append(load()), stack=STACK)
    if recorder.error:
        raise recorder.error
    return loaded[0]


def blocks() -> dict[str, str]:
    """What belongs between the marks of each name, but for the scenarios, which take a while."""
    stack = settings()
    return {
        "alarms": "\n".join(_alarms(stack)) + "\n",
        "paces": "\n".join(_paces(stack)) + "\n",
        "cost": "\n".join(_cost()) + "\n",
    }


def written(page: str, made: dict[str, str]) -> str:
    """The page with these blocks in it."""
    for name, text in made.items():
        before, _, rest = page.partition(f"<!-- {name} -->\n")
        _, mark, after = rest.partition(f"<!-- /{name} -->")
        if not mark:
            raise ValueError(f"{PAGE.name} has no place for {name}: between <!-- {name} --> and <!-- /{name} -->")
        page = f"{before}<!-- {name} -->\n{text}{mark}{after}"
    return page


def _alarms(stack: Settings) -> Iterator[str]:
    yield "| | alarm | told | raised when | no data is |"
    yield "|---|---|---|---|---|"
    composites = composite_rules(stack)
    parts = {label for rule in composites for label in rule.all_of}
    rules = [rule for rule in alarm_rules(stack) if rule.label not in parts]
    for section in dict.fromkeys(rule.told.section for rule in rules):
        for both in (one for one in composites if one.told.section is section):
            yield _row(section, both.label, both.told.runbook, both.told.severity, " and ".join(both.all_of), "")
        for rule in (one for one in rules if one.told.section is section):
            yield _row(section, rule.label, rule.told.runbook, rule.told.severity, _when(rule), COUNTS_AS[rule.missing])


def _row(section: str, label: str, runbook: str, severity: Severity, when: str, missing: str) -> str:
    return f"| {section} | [{label}](runbooks/{runbook}.md) | {TOLD[severity]} | {when} | {missing} |"


def _when(rule: AlarmRule) -> str:
    names = ", ".join(dict.fromkeys(metric.name for metric in rule.metrics))
    what = f"of {names}" if rule.expression else f"{names}, {rule.metrics[0].statistic}"
    return f"{what} {COMPARED[rule.comparison]} {_number(rule)} {_often(rule)}"


def _often(rule: AlarmRule) -> str:
    if rule.periods == 1:
        return f"in {_time(rule.period_seconds)}"
    if rule.period_seconds == MINUTE:
        return f"in {rule.datapoints} of {rule.periods} minutes"
    return f"in {rule.datapoints} of {rule.periods} times {_time(rule.period_seconds)}"


def _number(rule: AlarmRule) -> str:
    if rule.threshold >= GIB // 16 and Place.DATABASE in rule.metrics[0].dimensions.values():
        return f"{rule.threshold / GIB:.2g} GiB"
    return f"{rule.threshold:g}"


def _time(seconds: int) -> str:
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds % unit == 0:
            return f"a {name}".replace("a hour", "an hour") if seconds == unit else f"{seconds // unit} {name}s"
    raise ValueError(seconds)


def _paces(stack: Settings) -> Iterator[str]:
    titles = ("alarm", "pace", "looks at", "budget gone by then", "30 days' budget lasts")
    yield f"| {' | '.join((*titles, 'availability: bad', 'latency: slow', 'says nothing below'))} |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|"
    availability, latency = objectives(stack)
    for pair in PAIRS:
        windows = f"{_time(pair.long_seconds)} and {_time(pair.short_seconds)}"
        gone = pair.rate * pair.long_seconds / (MONTH_DAYS * DAY)
        lasts = f"{MONTH_DAYS * 24 / pair.rate:.0f} hours"
        shares = [f"{objective.threshold(pair.rate):g} %" for objective in (availability, latency)]
        floors = [requests_floor(stack, seconds) for seconds in (pair.long_seconds, pair.short_seconds)]
        yield (
            f"| {pair.name} | {pair.rate:g} | {windows} | {gone:.0%} | {lasts} | {shares[0]} | {shares[1]}"
            f" | {floors[0]:,} and {floors[1]:,} requests |"
        )


def scenarios() -> str:
    """The table that `python -m tests.alarm_scenarios` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        alarm_scenarios.main([STACK])
    # Without the spaces that line it up on a terminal.
    return re.sub(r" +", " ", re.sub(r"-{4,}", "---", printed.getvalue()))


def _cost() -> list[str]:
    assumed = Assumptions(requests_a_day=REQUESTS_A_DAY, line=measure())
    return table(
        STACK, estimate(take(configuration.load(ROOT, STACK, config_file=stack_file(STACK))), assumed), assumed
    )


if __name__ == "__main__":
    made = {**blocks(), "scenarios": scenarios()}
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    sys.exit(0)
