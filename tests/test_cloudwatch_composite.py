"""Rules of composite alarms, by what the documentation of PutCompositeAlarm says of them."""

from __future__ import annotations

import pytest

from rehearsal.cloudwatch.composite import LONGEST_RULE, RuleError, read

STATES = {"fast": "ALARM", "slow": "OK", "new": "INSUFFICIENT_DATA", "with space (1)": "ALARM", 'a "b"': "ALARM"}


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("ALARM(fast)", "ALARM"),
        ('ALARM("fast")', "ALARM"),
        ("ALARM(slow)", "OK"),
        ("ALARM(new)", "OK"),
        ("OK(slow)", "ALARM"),
        ("INSUFFICIENT_DATA(new)", "ALARM"),
        ("NOT ALARM(slow)", "ALARM"),
        ("NOT NOT ALARM(fast)", "ALARM"),
        ("ALARM(fast) AND ALARM(slow)", "OK"),
        ("ALARM(fast) OR ALARM(slow)", "ALARM"),
        ("ALARM(fast) OR ALARM(slow) AND ALARM(slow)", "ALARM"),
        ("(ALARM(fast) OR ALARM(slow)) AND ALARM(slow)", "OK"),
        ("NOT ALARM(fast) AND ALARM(slow) OR OK(slow)", "ALARM"),
        ("NOT (ALARM(fast) AND ALARM(slow))", "ALARM"),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:fast)", "ALARM"),
        ('ALARM("with space (1)")', "ALARM"),
        (r'ALARM("a \"b\"")', "ALARM"),
        ("  ALARM( fast )\n\tAND TRUE ", "ALARM"),
        ("FALSE", "OK"),
    ],
)
def test_a_rule_gives_the_state_of_its_alarms_together(rule: str, state: str) -> None:
    assert read(rule).state(STATES) == state


def test_a_rule_names_the_alarms_that_it_looks_at() -> None:
    rule = 'ALARM("a") AND (NOT OK(b) OR ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:c)) AND ALARM(a)'
    assert read(rule).alarms == {"a", "b", "c"}
    assert read("TRUE").alarms == frozenset()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "ends too early"),
        ("ALARM(fast) AND", "ends too early"),
        ("ALARM(fast", "lacks a ')'"),
        ("ALARM fast", "lacks a '('"),
        ("ALARM()", "names no alarm"),
        ("(ALARM(fast)", "lacks a ')'"),
        ("ALARM(fast) ALARM(slow)", "goes on with 'ALARM'"),
        ("ALARM(fast) and ALARM(slow)", "'and'"),
        ("WARNING(fast)", "'WARNING'"),
        ("AT_LEAST(1, ALARM, (fast, slow))", "'AT_LEAST'"),
        ('ALARM("fast)', "open quotation mark"),
        ("ALARM(" + "x" * LONGEST_RULE + ")", f"at most {LONGEST_RULE}"),
    ],
)
def test_a_rule_that_is_not_covered_is_refused_by_name(rule: str, said: str) -> None:
    with pytest.raises(RuleError) as error:
        read(rule)
    assert said in str(error.value)


def test_an_alarm_that_nobody_knows_is_no_alarm_that_is_fine() -> None:
    with pytest.raises(KeyError, match="gone"):
        read("ALARM(gone)").state(STATES)
