"""EventBridge Scheduler's recurring expressions: read, refused where AWS refuses them, and asked whether they are due.

Nothing but Python: the rehearsal's emulator starts tasks by the same rules, in an interpreter without Pulumi.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\((.*)\)")
ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*")
FIELDS_OF_CRON = 6
LONGEST_RATE = 2**31 - 1
MONTHS = {name: number for number, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN"), start=1)} | {
    name: number for number, name in enumerate(("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=7)
}
# AWS counts the days of the week from Sunday, and from 1.
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
DAYS_A_WEEK, FRIDAY, SATURDAY = 7, 4, 5
# The 29th of February comes every four years.
YEARS_AHEAD = 5
AHEAD_DAYS = 366 * YEARS_AHEAD
MINUTES_A_DAY, TWO_YEARS_DAYS = 24 * 60, 731
Matches = Callable[[datetime], bool]


class ScheduleError(ValueError):
    """An expression or a time zone that EventBridge Scheduler does not take; the text says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Every so often, counted from the schedule's creation, at which it is due for the first time."""

    interval: timedelta


@dataclass(frozen=True, kw_only=True)
class Cron:
    """At the minutes that all six fields match."""

    fields: tuple[Matches, ...]

    def is_due(self, minute: datetime) -> bool:
        """Whether this minute, in the schedule's time zone, is one of them."""
        return all(field(minute) for field in self.fields)

    def is_due_on(self, day: datetime) -> bool:
        """Whether one of them is on this day."""
        return all(field(day) for field in self.fields[2:])

    def minutes(self, day: datetime) -> list[int]:
        """The minutes of a day at which it is due, on days on which it is."""
        of_minute, of_hour = self.fields[:2]
        minutes = [minute for minute in range(60) if of_minute(day.replace(minute=minute))]
        return [60 * hour + minute for hour in range(24) if of_hour(day.replace(hour=hour)) for minute in minutes]


def parse(expression: str) -> Rate | Cron:
    """Read `rate(...)` or `cron(...)`. Raises ScheduleError."""
    rate, cron = RATE.fullmatch(expression), CRON.fullmatch(expression)
    if rate:
        return _rate(int(rate[1]), rate[2], plural=bool(rate[3]))
    if cron:
        return _cron(cron[1].split())
    raise ScheduleError("is neither `rate(NUMBER UNIT)`, with minute, hour or day, nor `cron(SIX FIELDS)`")


def parse_future(expression: str, now: datetime) -> Rate | Cron:
    """Read an expression that is due some day. AWS takes others too, and never starts anything. Raises ScheduleError.

    Today counts, and so does yesterday: nobody here asks which day it is in the schedule's time zone.
    """
    rule = parse(expression)
    if isinstance(rule, Cron) and not any(rule.is_due_on(now + timedelta(days=day)) for day in range(-1, AHEAD_DAYS)):
        raise ScheduleError(f"is not due within {YEARS_AHEAD} years")
    return rule


def time_zone(name: str) -> tzinfo:
    """The zone of that name in the IANA data base. Raises ScheduleError."""
    if name == "UTC":
        return UTC
    # Other names, such as posix/UTC and localtime, may be files of this machine, which AWS does not know.
    if ZONE.fullmatch(name):
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(name)
    raise ScheduleError("is no time zone of the IANA data base")


def longest_pause(rule: Rate | Cron, zone: tzinfo, now: datetime) -> timedelta:
    """How long it is at most from one run to the next, by what the schedule is in this year and the next.

    Where clocks are put back it may be as much longer.
    """
    if isinstance(rule, Rate):
        return rule.interval
    first = datetime(now.year, 1, 1, tzinfo=zone)
    minutes = rule.minutes(first)
    days = [day for day in range(TWO_YEARS_DAYS) if rule.is_due_on(first + timedelta(days=day))]
    # What is due once only, or not even that, has all the time that can be seen.
    overnight = [later - earlier for earlier, later in pairwise(days)] or [AHEAD_DAYS]
    within = [later - earlier for earlier, later in pairwise(minutes)]
    longest = max(*within, 0, max(overnight) * MINUTES_A_DAY - minutes[-1] + minutes[0])
    offsets = [(first + timedelta(days=30 * month)).utcoffset() or timedelta() for month in range(12)]
    return timedelta(minutes=longest) + max(offsets) - min(offsets)


def _rate(number: int, unit: str, *, plural: bool) -> Rate:
    if not 1 <= number <= LONGEST_RATE:
        raise ScheduleError("is a rate of a number that AWS does not take")
    if plural is (number == 1):
        wanted = unit if number == 1 else f"{unit}s"
        raise ScheduleError(f"has the wrong unit; AWS wants `rate({number} {wanted})`")
    try:
        return Rate(interval=timedelta(**{f"{unit}s": number}))
    except OverflowError:
        raise ScheduleError("is a rate longer than anybody waits") from None


def _cron(fields: list[str]) -> Cron:
    if len(fields) != FIELDS_OF_CRON:
        raise ScheduleError(
            f"has {len(fields)} fields; cron has six: minute, hour, day of month, month, day of week, year"
        )
    minute, hour, day, month, weekday, year = (field.upper() for field in fields)
    if (day == "?") is (weekday == "?"):
        raise ScheduleError("must have `?` as its day of the month or as its day of the week, and not as both")
    return Cron(
        fields=(
            _matching(minute, "minute", 0, 59, lambda moment: moment.minute),
            _matching(hour, "hour", 0, 23, lambda moment: moment.hour),
            _day_of_month(day),
            _matching(month, "month", 1, 12, lambda moment: moment.month, MONTHS),
            _day_of_week(weekday),
            _matching(year, "year", 1970, 2199, lambda moment: moment.year),
        )
    )


def _matching(
    text: str, field: str, low: int, high: int, value: Callable[[datetime], int], names: Mapping[str, int] | None = None
) -> Matches:
    """A field of numbers, names, ranges and steps: `*`, `1,15`, `MON-FRI`, `0/10`."""
    allowed: set[int] = set()
    for part in text.split(","):
        allowed |= _part(part, field, low, high, names or {})
    return lambda moment: value(moment) in allowed


def _part(part: str, field: str, low: int, high: int, names: Mapping[str, int]) -> set[int]:
    span, stepped, step_text = part.partition("/")
    first_text, ranged, last_text = span.partition("-")
    try:
        step = int(step_text) if stepped else 1
        first = low if span == "*" else _number(first_text, names)
        last = _number(last_text, names) if ranged else (high if span == "*" or stepped else first)
    except ValueError:
        raise ScheduleError(f"has `{part}` as its {field}, which AWS does not read") from None
    if not (low <= first <= last <= high and 1 <= step <= high):
        raise ScheduleError(f"has `{part}` as its {field}, which goes from {low} to {high}")
    return set(range(first, last + 1, step))


def _number(text: str, names: Mapping[str, int]) -> int:
    if text in names:
        return names[text]
    # int() would also take signs, spaces and digits of other scripts.
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError(text)
    return int(text)


def _day_of_month(text: str) -> Matches:
    """`L` is the last day, `15W` the weekday nearest to the 15th within its month."""
    if text == "?":
        return lambda _: True
    if text == "L":
        return lambda moment: moment.day == _days(moment)
    nearest = re.fullmatch(r"([0-9]{1,2})W", text)
    if nearest and 1 <= int(nearest[1]) <= 31:  # noqa: PLR2004 - days of the longest month
        wanted = int(nearest[1])
        return lambda moment: wanted <= _days(moment) and moment.day == _nearest_weekday(moment, wanted)
    return _matching(text, "day of the month", 1, 31, lambda moment: moment.day)


def _day_of_week(text: str) -> Matches:
    """`6L` (or `FRIL`) is the last Friday of the month, `3#2` (or `TUE#2`) its second Tuesday, `L` Saturday."""
    if text == "?":
        return lambda _: True
    if text == "L":
        return lambda moment: _weekday(moment) == DAYS_A_WEEK
    days = "|".join(WEEKDAYS)
    last, nth = re.fullmatch(rf"([1-7]|{days})L", text), re.fullmatch(rf"([1-7]|{days})#([1-5])", text)
    if last:
        wanted = _number(last[1], WEEKDAYS)
        return lambda moment: _weekday(moment) == wanted and moment.day + DAYS_A_WEEK > _days(moment)
    if nth:
        wanted, number = _number(nth[1], WEEKDAYS), int(nth[2])
        return lambda moment: _weekday(moment) == wanted and (moment.day - 1) // DAYS_A_WEEK + 1 == number
    return _matching(text, "day of the week", 1, DAYS_A_WEEK, _weekday, WEEKDAYS)


def _weekday(moment: datetime) -> int:
    return moment.isoweekday() % DAYS_A_WEEK + 1


def _days(moment: datetime) -> int:
    return calendar.monthrange(moment.year, moment.month)[1]


def _nearest_weekday(moment: datetime, day: int) -> int:
    weekday = moment.replace(day=day).weekday()
    if weekday <= FRIDAY:
        return day
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    return day + 1 if day < _days(moment) else day - 2
