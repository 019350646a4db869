"""rehearsal/cost: what is counted in the program, what a line of the log is, and the arithmetic of the bill."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from rehearsal import configuration
from rehearsal.cost.__main__ import main
from rehearsal.cost.estimate import Assumptions, Item, estimate, total
from rehearsal.cost.inventory import ALARM, COMPOSITE, FILTER, FUNCTION, LOG_GROUP, SUBSCRIPTION, Inventory, count, take
from rehearsal.cost.log_lines import LineSize, measure
from tests.recorder import ROOT
from tests.shipped import stack_file

THERE = Inventory(
    single_alarms=25,
    math_alarms=2,
    math_metrics=7,
    composites=6,
    custom_metrics=12,
    dashboards=1,
    functions=1,
    function_memory_mib=128,
    function_architecture="arm64",
    web_retention_days=365,
    mail_subscriptions=2,
)
# A gibibyte of requests in thirty days of a hundred thousand a day.
ASSUMED = Assumptions(requests_a_day=100_000, line=LineSize(sent=400.0, kept=50.0), pass_seconds=Decimal(2))


def bill(there: Inventory = THERE, assumed: Assumptions = ASSUMED) -> dict[str, Item]:
    return {item.what: item for item in estimate(there, assumed)}


def usd(items: dict[str, Item], beginning: str) -> str:
    (found,) = [item for what, item in items.items() if what.startswith(beginning)]
    return str(found.usd)


def test_things_cost_their_number_times_the_price() -> None:
    items = bill()
    assert usd(items, "alarms on one metric") == "2.50"
    assert usd(items, "metrics in 2 alarms on metric math") == "0.70", "by metric, not by alarm"
    assert usd(items, "composite alarms") == "3.00"
    assert usd(items, "own metrics") == "3.60"
    assert usd(items, "dashboards") == "3.00"


def test_the_watch_costs_its_passes_and_what_it_publishes() -> None:
    """43,800 passes: 0.00876 for starting them, and 43,800 x 2 s x 0.125 GiB x 0.0000133334 = 0.146 for running."""
    items = bill()
    assert usd(items, "the watch") == "0.15"
    assert usd(items, "requests that publish") == "0.44"
    x86 = replace(THERE, function_architecture="x86_64", function_memory_mib=256)
    assert usd(bill(x86), "the watch") == "0.37", "0.00876 + 43,800 x 2 x 0.25 x 0.0000166667"
    assert usd(bill(replace(THERE, functions=0)), "the watch") == "0.00"
    assert usd(bill(assumed=replace(ASSUMED, pass_seconds=Decimal())), "the watch") == "0.01", "its starts alone"


def test_logs_cost_what_is_written_what_is_kept_and_what_is_read() -> None:
    """A day is 0.03725 GiB: 1.1331 GiB a month. A year's lines are 36.5 million, of 50 bytes each: 1.6997 GiB."""
    items = bill()
    assert [item.count for what, item in items.items() if "log lines" in what or "kept" in what] == [
        "1.13 GiB",
        "1.70 GiB",
    ]
    assert usd(items, "requests' log lines") == "0.57"
    assert usd(items, "the same, kept 365 days") == "0.05"
    assert usd(items, "saved queries") == "0.01"
    many = bill(assumed=replace(ASSUMED, requests_a_day=10_000_000))
    assert usd(many, "requests' log lines") == "56.66", "in proportion"


def test_messages_are_counted_for_each_address() -> None:
    (messages,) = [item for what, item in bill().items() if what.startswith("messages")]
    assert (messages.count, str(messages.usd)) == ("1,660", "0.00"), "200 mails, and two messages for each hour"
    assert str(total([messages, replace(messages, usd=Decimal("1.25"))])) == "1.25"


def test_the_total_is_what_the_lines_add_up_to() -> None:
    items = list(bill().values())
    assert str(total(items)) == "14.02"
    assert all(item.less for item in items), "each line says what lowers it"


def metric(name: str, namespace: str = "pactum/prod", **dimensions: str) -> dict[str, object]:
    return {"namespace": namespace, "metricName": name, "dimensions": dimensions}


def alarm(*metrics: dict[str, object], expression: str = "") -> tuple[str, dict[str, object]]:
    queries: list[dict[str, object]] = [{"id": f"m{number}", "metric": each} for number, each in enumerate(metrics)]
    return ALARM, {"metricQueries": [*queries, {"id": "e", "expression": expression}] if expression else queries}


def log_filter(name: str, **dimensions: str) -> tuple[str, dict[str, object]]:
    return FILTER, {"metricTransformation": {"namespace": "pactum/prod", "name": name, "dimensions": dimensions}}


def test_metrics_of_our_own_are_counted_once_whoever_feeds_or_asks_them() -> None:
    web = (LOG_GROUP, {"name": "/pactum/prod/web", "retentionInDays": 30})
    found = count(
        [
            web,
            (LOG_GROUP, {"retentionInDays": 7}),
            alarm(metric("Watched")),
            alarm(metric("Watched"), metric("RequestCount", "AWS/ApplicationELB"), expression="m0 / m1"),
            alarm(metric("TasksMissing", Service="web")),
            alarm(metric("TasksMissing", Service="mail")),
            alarm(metric("JobsFailed", Group="family:a")),
            (ALARM, metric("Queued")),
            log_filter("ErrorLines"),
            log_filter("ErrorLines"),
            log_filter("SlowQueries"),
            log_filter("JobsFailed", Group="$.detail.group"),
            (COMPOSITE, {}),
            (SUBSCRIPTION, {"protocol": "email"}),
            (SUBSCRIPTION, {"protocol": "https"}),
        ]
    )
    assert (found.single_alarms, found.math_alarms, found.math_metrics, found.composites) == (5, 1, 2, 1)
    assert found.custom_metrics == 7, "Watched, Queued, ErrorLines, SlowQueries, two TasksMissing, one JobsFailed"
    assert (found.web_retention_days, found.mail_subscriptions, found.functions) == (30, 1, 0)
    with_function = count([web, (FUNCTION, {"memorySize": 256, "architectures": ["x86_64"]})])
    assert (with_function.function_memory_mib, with_function.function_architecture) == (256, "x86_64")


@cache
def of_stack(stack: str) -> Inventory:
    return take(configuration.load(ROOT, stack, config_file=stack_file(stack)))


def test_production_is_counted_as_its_program_registers_it() -> None:
    there = of_stack("prod")
    assert (there.composites, there.math_alarms) == (6, 14), (
        "six pairs; twelve windows, the release's and the heartbeat"
    )
    assert there.math_metrics == 6 * 5 + 6 * 2 + 4 + 1, "windows of availability, of latency, release-errors, heartbeat"
    assert there.single_alarms > 20
    assert (there.dashboards, there.functions, there.web_retention_days) == (1, 1, 365)
    assert there.mail_subscriptions == 2, "pages and tickets"


def test_a_worker_adds_its_alarm_and_its_metric() -> None:
    worker = {"pactum:workers": '{"mail": {"command": ["python"]}}'}
    with_worker = take(configuration.load(ROOT, "prod", worker, config_file=stack_file("prod")))
    there = of_stack("prod")
    assert with_worker.single_alarms == there.single_alarms + 1
    assert with_worker.custom_metrics == there.custom_metrics + 1


def test_a_line_is_measured_on_what_the_application_writes() -> None:
    size = measure()
    assert 250 < size.sent < 600, "a line of JSON with the digest of its release, a trace id and a path"
    assert 26 + 20 < size.kept < size.sent / 3, "a trace id alone is 12 bytes; 26 beside each line are AWS's"
    assert measure() == size, "the same figure each time"


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["staging", "--requests-a-day", "5000", "--set", "pactum:logRetentionDays=7"]) == 0
    printed = capsys.readouterr().out
    assert "Watching staging, USD a month, at 5,000 requests a day" in printed
    assert "not verified with AWS" in printed
    assert "| the same, kept 7 days |" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| ")]
    figures = [Decimal(row.split(" | ")[2]) for row in rows[1:-1]]
    assert f"**{sum(figures)}**" in rows[-1]


def test_a_stack_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere"]) == 1
    assert "There is no stack `nowhere`" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-5", "many"])
def test_requests_a_day_are_a_number(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["prod", f"--requests-a-day={value}"])
    assert "write a whole one" in capsys.readouterr().err
