"""infra/schedule_expression.py: what EventBridge Scheduler takes, and when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.schedule_expression import Cron, Rate, ScheduleError, longest_pause, parse, parse_future, time_zone


def due(expression: str, moment: str) -> bool:
    rule = parse(expression)
    assert isinstance(rule, Cron)
    return rule.is_due(datetime.fromisoformat(moment).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("expression", "interval"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(12 hours)", timedelta(hours=12)),
        ("rate(7 days)", timedelta(days=7)),
    ],
)
def test_rates_are_intervals(expression: str, interval: timedelta) -> None:
    assert parse(expression) == Rate(interval=interval)


@pytest.mark.parametrize(
    ("expression", "due_at", "not_at"),
    [
        # Examples of Amazon's documentation, "Cron-based schedules" and "Cron expressions reference".
        ("cron(0 10 * * ? *)", "2026-11-23 10:00", "2026-11-23 10:01"),
        ("cron(15 12 * * ? *)", "2026-11-23 12:15", "2026-11-23 11:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-23 18:00", "2026-11-22 18:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00", "2026-12-02 08:00"),
        ("cron(0/15 * * * ? *)", "2026-11-23 07:45", "2026-11-23 07:50"),
        ("cron(*/10 * * * ? *)", "2026-11-23 07:50", "2026-11-23 07:55"),
        ("cron(5-20/5 8-17 ? * 2-6 *)", "2026-11-23 08:20", "2026-11-23 08:25"),
        ("cron(15 10 ? * 6L 2022-2026)", "2026-11-27 10:15", "2026-11-20 10:15"),
        ("cron(15 10 ? * fril 2022-2026)", "2026-11-27 10:15", "2027-11-26 10:15"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-02 09:00", "2026-11-09 09:00"),
        ("cron(0 9 ? * TUE#5 *)", "2026-12-29 09:00", "2026-12-22 09:00"),
        ("cron(0 9 ? * 1,SAT *)", "2026-11-22 09:00", "2026-11-23 09:00"),
        ("cron(0 9 ? * L *)", "2026-11-21 09:00", "2026-11-22 09:00"),
        ("cron(0 9 L * ? *)", "2028-02-29 09:00", "2028-02-28 09:00"),
        ("cron(0 9 ? JAN,jul WED *)", "2026-07-01 09:00", "2026-08-05 09:00"),
        # The 1st of August 2026 is a Saturday, the 31st of January 2027 a Sunday, the 15th of each in a weekend too.
        ("cron(0 9 3W * ? *)", "2026-08-03 09:00", "2026-08-02 09:00"),
        ("cron(0 9 1W * ? *)", "2026-08-03 09:00", "2026-08-01 09:00"),
        ("cron(0 9 15W * ? *)", "2026-08-14 09:00", "2026-08-15 09:00"),
        ("cron(0 9 15W * ? *)", "2026-11-16 09:00", "2026-11-15 09:00"),
        ("cron(0 9 31W * ? *)", "2027-01-29 09:00", "2027-01-31 09:00"),
        ("cron(0 9 31W * ? *)", "2026-12-31 09:00", "2026-11-30 09:00"),
    ],
)
def test_cron_is_due_at_the_minutes_that_all_fields_match(expression: str, due_at: str, not_at: str) -> None:
    assert due(expression, due_at)
    assert not due(expression, not_at)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("every day", "is neither `rate(NUMBER UNIT)`"),
        ("at(2026-11-23T10:00:00)", "is neither `rate(NUMBER UNIT)`"),
        ("rate(1 minutes)", "AWS wants `rate(1 minute)`"),
        ("rate(5 minute)", "AWS wants `rate(5 minutes)`"),
        ("rate(0 minutes)", "a number that AWS does not take"),
        ("rate(2147483648 minutes)", "a number that AWS does not take"),
        ("rate(2147483647 days)", "longer than anybody waits"),
        ("cron(0 10 * * ?)", "has 5 fields; cron has six"),
        ("cron(0 10 * * * *)", "must have `?`"),
        ("cron(0 10 ? * ? *)", "must have `?`"),
        ("cron(60 10 * * ? *)", "`60` as its minute, which goes from 0 to 59"),
        ("cron(0 24 * * ? *)", "`24` as its hour, which goes from 0 to 23"),
        ("cron(0 10 0 * ? *)", "`0` as its day of the month, which goes from 1 to 31"),
        ("cron(0 10 32W * ? *)", "`32W` as its day of the month"),
        ("cron(0 10 * 13 ? *)", "`13` as its month, which goes from 1 to 12"),
        ("cron(0 10 ? * 0 *)", "`0` as its day of the week, which goes from 1 to 7"),
        ("cron(0 10 ? * MON#6 *)", "`MON#6` as its day of the week"),
        ("cron(0 10 ? * FRI-MON *)", "`FRI-MON` as its day of the week"),
        ("cron(0 10 * * ? 1969)", "`1969` as its year, which goes from 1970 to 2199"),
        ("cron(*/0 10 * * ? *)", "`*/0` as its minute"),
        ("cron(1- 10 * * ? *)", "`1-` as its minute, which AWS does not read"),
        ("cron(+1 10 * * ? *)", "`+1` as its minute, which AWS does not read"),
        ("cron(1,,2 10 * * ? *)", "`` as its minute, which AWS does not read"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_its_reason(expression: str, words: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert words in str(refused.value)


NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 0 31 2 ? *)",
        "cron(0 0 31 4,6 ? *)",
        "cron(0 0 * * ? 2025)",
        "cron(0 0 21 11 ? 2026)",
        "cron(0 0 ? 2 SUN 2033)",
        "cron(0 0 30 2 ? 2026-2199)",
    ],
)
def test_what_is_never_due_again_is_refused(expression: str) -> None:
    parse(expression)  # AWS takes it
    with pytest.raises(ScheduleError, match="is not due within 5 years"):
        parse_future(expression, NOW)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 day)",
        "cron(0 0 29 2 ? *)",
        "cron(0 3 23 11 ? 2026)",
        "cron(59 23 22 11 ? 2026)",  # it is still the 22nd in Honolulu
        "cron(59 23 31 12 ? 2026)",
        "cron(0 0 1 1 ? 2031)",
        "cron(0 9 ? * TUE#5 *)",
    ],
)
def test_what_is_due_some_day_is_read(expression: str) -> None:
    assert type(parse_future(expression, NOW)) is type(parse(expression))


@pytest.mark.parametrize(
    ("expression", "zone", "pause"),
    [
        ("rate(5 minutes)", "Europe/Berlin", timedelta(minutes=5)),
        ("cron(* * * * ? *)", "UTC", timedelta(minutes=1)),
        ("cron(0/15 * * * ? *)", "UTC", timedelta(minutes=15)),
        ("cron(0 8-18 * * ? *)", "UTC", timedelta(hours=14)),
        ("cron(0,50 3 * * ? *)", "UTC", timedelta(hours=23, minutes=10)),
        ("cron(0 1,14 * * ? *)", "UTC", timedelta(hours=13)),
        ("cron(15 3 * * ? *)", "UTC", timedelta(days=1)),
        ("cron(15 3 * * ? *)", "Asia/Tokyo", timedelta(days=1)),
        ("cron(15 3 * * ? *)", "Europe/Berlin", timedelta(days=1, hours=1)),
        ("cron(0 18 ? * MON-FRI *)", "UTC", timedelta(days=3)),
        ("cron(0 8-18 ? * MON-FRI *)", "UTC", timedelta(days=2, hours=14)),
        ("cron(0 9 1 * ? *)", "UTC", timedelta(days=31)),
        ("cron(0 9 ? * FRIL *)", "UTC", timedelta(days=35)),
        ("cron(0 9 1 1 ? *)", "UTC", timedelta(days=365)),
        ("cron(0 3 23 11 ? 2026)", "UTC", timedelta(days=1830)),
    ],
)
def test_the_longest_pause_is_that_between_two_runs(expression: str, zone: str, pause: timedelta) -> None:
    assert longest_pause(parse(expression), time_zone(zone), NOW) == pause


def test_the_longest_pause_is_the_same_all_year() -> None:
    """It is an alarm's threshold: an update without a change of the stack file should not change it."""
    monday = parse("cron(0 9 ? * 2#1 *)")
    found = {longest_pause(monday, UTC, datetime(2026, month, 17, 8, 31, tzinfo=UTC)) for month in range(1, 13)}
    assert found == {timedelta(days=35)}


def test_time_zones_are_those_of_the_iana_data_base() -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert summer.astimezone(time_zone("Europe/Berlin")).hour == 14
    assert summer.astimezone(time_zone("Etc/GMT+3")).hour == 9
    assert time_zone("UTC") is UTC, "a machine without the data base still knows it"


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "berlin", "America", "posix/UTC", "localtime", "../../etc/passwd"]
)
def test_other_names_are_no_time_zones(name: str) -> None:
    with pytest.raises(ScheduleError, match="is no time zone of the IANA data base"):
        time_zone(name)
