"""The month's bill, line by line: how many, at which price, and what makes it less."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from rehearsal.cost import prices
from rehearsal.cost.inventory import Inventory
from rehearsal.cost.log_lines import LineSize

# As AWS reckons.
MONTH_HOURS = 730
GIB = Decimal(1024**3)
PASSES = MONTH_HOURS * 60
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What no program says: how much is going on."""

    requests_a_day: int
    line: LineSize
    # Measured in the rehearsal: one to two seconds, of which most is waiting.
    pass_seconds: Decimal = Decimal("1.5")
    # Alarms that begin and end, a month; each is a mail to each address.
    messages: int = 100


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the bill."""

    what: str
    count: str
    usd: Decimal
    less: str
    """What lowers it: a key of the stack file, or where it is written."""


def estimate(there: Inventory, assumed: Assumptions) -> list[Item]:
    """All lines, those of things before those of what goes on."""
    return [*_things(there), *_watching(there, assumed), *_logs(there, assumed), _messages(there, assumed)]


def total(items: list[Item]) -> Decimal:
    """Of the lines as they are shown."""
    return sum((item.usd for item in items), Decimal())


def _things(there: Inventory) -> list[Item]:
    table = "fewer `workers` and `jobs`; rows of infra/observability/alarm_table.py"
    pairs = "PAIRS in infra/observability/objectives.py"
    return [
        _item("alarms on one metric", there.single_alarms, prices.ALARM_METRIC, table),
        _item(f"metrics in {there.math_alarms} alarms on metric math", there.math_metrics, prices.ALARM_METRIC, pairs),
        _item("composite alarms", there.composites, prices.COMPOSITE_ALARM, pairs),
        _item("own metrics, at most", there.custom_metrics, prices.CUSTOM_METRIC, "fewer `workers` and `jobs`"),
        _item("dashboards", there.dashboards, prices.DASHBOARD, "none: the one of the stack"),
    ]


def _watching(there: Inventory, assumed: Assumptions) -> list[Item]:
    passes = PASSES * there.functions
    gib_seconds = passes * assumed.pass_seconds * there.function_memory_mib / 1024
    cost = passes * prices.FUNCTION_REQUEST + gib_seconds * prices.FUNCTION_GIB_SECOND[there.function_architecture]
    rarer = "rate(1 minute) in infra/observability/watch.py, and with it how soon alarms are raised"
    return [
        Item(what="the watch, a pass a minute", count=f"{passes:,}", usd=_cents(cost), less=rarer),
        _item("requests that publish its numbers", passes, prices.METRIC_REQUEST, rarer),
    ]


def _logs(there: Inventory, assumed: Assumptions) -> list[Item]:
    """What comes in a month, and what is kept when the log has grown as old as it gets."""
    lines = Decimal(assumed.requests_a_day) * MONTH_HOURS / 24
    sent = lines * Decimal(str(assumed.line.sent)) / GIB
    kept_lines = Decimal(assumed.requests_a_day) * there.web_retention_days
    kept = kept_lines * Decimal(str(assumed.line.kept)) / GIB
    day = sent * 24 / MONTH_HOURS
    return [
        Item(
            what="requests' log lines, written",
            count=f"{sent:.2f} GiB",
            usd=_cents(sent * prices.LOG_INGESTED_GIB),
            less="`environment: {LOG_LEVEL: WARNING}`, which leaves no line of a request that went well",
        ),
        Item(
            what=f"the same, kept {there.web_retention_days} days",
            count=f"{kept:.2f} GiB",
            usd=_cents(kept * prices.LOG_KEPT_GIB_MONTH),
            less="`logRetentionDays`",
        ),
        Item(
            what="saved queries over a day, 30 times",
            count=f"{30 * day:.2f} GiB",
            usd=_cents(30 * day * prices.LOG_SCANNED_GIB),
            less="`ops logs query NAME --since 1h` instead of a day",
        ),
    ]


def _messages(there: Inventory, assumed: Assumptions) -> Item:
    mails, heartbeats = assumed.messages * there.mail_subscriptions, 2 * MONTH_HOURS
    return Item(
        what=f"messages: {mails} mails, {heartbeats} signs of life",
        count=f"{mails + heartbeats:,}",
        usd=_cents(mails * prices.MAIL + heartbeats * prices.HTTPS_MESSAGE),
        less="fewer subscriptions",
    )


def _item(what: str, count: int, price: Decimal, less: str) -> Item:
    return Item(what=what, count=f"{count:,}", usd=_cents(count * price), less=less)


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT, rounding=ROUND_HALF_UP)
