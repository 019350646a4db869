"""infra/observability/alarm_table.py: every alarm has who is told, where to look, and what missing data counts as."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from infra.observability import names
from infra.observability.alarm import AlarmRule, CompositeRule, Missing, Section, Severity
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.alarm_texts import TEXTS
from infra.observability.description import LONGEST, description
from tests.recorder import stack_config
from tests.test_settings import settings

if TYPE_CHECKING:
    from infra.settings import Settings

GIB = 1024**3
WORKER = {"command": ["python", "manage.py", "send_mail"]}
JOB = {"command": ["python", "manage.py", "tick"], "schedule": "rate(5 minutes)", "overdueMinutes": 20}
# What an alarm of the issue is about, and its label.
ASKED_FOR = {
    "5xx by the target": "target-errors",
    "5xx by the balancer": "balancer-errors",
    "95th percentile": "slow-p95",
    "99th percentile": "slow-p99",
    "no healthy target": "no-healthy-target",
    "fewer tasks than desired": "tasks-missing-web",
    "tasks that crash": "crash-looping",
    "CPU": "service-cpu",
    "memory": "service-memory",
    "the database's CPU": "database-cpu",
    "the database's storage": "database-storage",
    "the database's memory": "database-memory",
    "the database's connections": "database-connections",
    "failovers": "database-failover",
    "slow statements": "slow-queries",
    "unhandled exceptions": "exceptions",
    "errors in logs": "error-lines",
    "failed deployments": "deployment-failed",
    "the readiness path": "not-ready",
    "failed jobs": "job-failed-clear-sessions",
    "overdue jobs": "job-overdue-clear-sessions",
    "the certificate": "certificate-expiry",
    "secrets": "secret-age",
}


def rules(stack: str = "prod", **changes: object) -> dict[str, AlarmRule]:
    return {rule.label: rule for rule in alarm_rules(settings(stack, **changes))}


def everything(found: Settings) -> list[AlarmRule | CompositeRule]:
    return [*alarm_rules(found), *composite_rules(found)]


def busy() -> Settings:
    """A stack with all that makes further alarms."""
    return settings("prod", workers={"mail": WORKER}, jobs={"tick": JOB, "clear-sessions": JOB})


@pytest.mark.parametrize("label", ASKED_FOR.values(), ids=list(ASKED_FOR))
def test_somebody_is_told_of(label: str) -> None:
    assert rules()[label].told.severity in (Severity.PAGE, Severity.TICKET)


def test_labels_are_unique_and_names_of_alarms_are_short_enough() -> None:
    counted = Counter(rule.label for rule in everything(busy()))
    assert max(counted.values()) == 1, "two resources of one name"
    assert all(re.fullmatch(r"[a-z0-9-]{1,200}", label) for label in counted)


def test_users_and_those_they_depend_on_are_paged_for_and_what_can_wait_is_a_ticket() -> None:
    paged = {rule.told.runbook for rule in everything(busy()) if rule.told.severity is Severity.PAGE}
    assert paged == {
        *("target-errors", "balancer-errors", "slow-p95", "not-ready", "availability-burn", "latency-burn"),
        *("no-healthy-target", "tasks-missing", "crash-looping", "database-storage", "database-connections"),
        *("job-overdue", "watch-silent"),
    }


def test_nobody_is_told_only_by_what_others_look_at() -> None:
    found = busy()
    parts = {label for rule in composite_rules(found) for label in rule.all_of}
    silent = {rule.label for rule in alarm_rules(found) if rule.told.severity is Severity.NOBODY}
    assert silent == {*parts, "release-errors"}
    assert {rule.label for rule in alarm_rules(found) if rule.rolls_back} == {"release-errors"}


def test_every_choice_for_missing_data_has_its_reason() -> None:
    for rule in alarm_rules(busy()):
        assert re.fullmatch(r"[A-Z].{20,}\.", rule.because), rule.label


def test_missing_data_is_an_outage_where_only_an_outage_has_none() -> None:
    missing = {rule.label: rule.missing for rule in alarm_rules(busy())}
    breaching = {label for label, choice in missing.items() if choice is Missing.BREACHING}
    assert breaching == {"no-healthy-target", "watch-silent"}
    assert missing["heartbeat"] is Missing.FINE, "a sign of life must not come without the watch"
    assert missing["target-errors"] is Missing.FINE, "a quiet night is no incident"


def test_gauges_of_the_watch_stay_what_they_were_while_it_is_silent() -> None:
    gauges = {names.READINESS_FAILING, names.TASKS_MISSING, names.SECONDS_SINCE_SUCCESS, names.SECRET_AGE_DAYS}
    looked_at = {rule.metrics[0].name: rule.missing for rule in alarm_rules(busy())}
    assert {name: looked_at[name] for name in gauges} == dict.fromkeys(gauges, Missing.AS_BEFORE), (
        "one alarm tells of a dead watch, and not ten"
    )


def test_one_bad_minute_is_no_incident_for_what_is_measured_by_the_minute() -> None:
    """What is counted once is one: a failed job, a failover. A release is rolled back at once."""
    events = {names.DEPLOYMENTS_FAILED, names.DATABASE_FAILOVERS}
    for rule in alarm_rules(busy()):
        told = rule.told.severity in (Severity.PAGE, Severity.TICKET)
        if told and rule.period_seconds == 60 and rule.metrics[0].name not in events:
            assert rule.datapoints >= 2, rule.label


def test_cloudwatch_takes_periods_and_ranges_and_looks_every_minute() -> None:
    for rule in alarm_rules(busy()):
        assert rule.period_seconds % 60 == 0
        assert 1 <= rule.datapoints <= rule.periods
        looked_back = rule.period_seconds * rule.periods
        assert looked_back <= 24 * 3600, f"{rule.label}: an alarm on more than a day is evaluated once an hour"
        assert len(rule.metrics) == 1 or rule.expression, rule.label
        assert len(rule.metrics) <= 10, "PutMetricAlarm takes ten metrics"


def test_what_is_described_fits_into_the_message_and_names_command_runbook_and_dashboard() -> None:
    found = busy()
    for rule in everything(found):
        text = description(rule, found)
        assert len(text) <= LONGEST, rule.label
        assert re.search(r"^Look first: (python -m ops .* --stack prod|aws .*)$", text, re.MULTILINE), text
        assert f"Runbook: https://github.com/OWNER/pactum/blob/main/docs/runbooks/{rule.told.runbook}.md" in text
        assert text.endswith(f"Dashboard: pactum-prod, {rule.told.section.value}")
        assert "{" not in text.replace("'{", ""), "a name was left out"


def test_without_an_address_the_runbook_is_named_by_its_file() -> None:
    found = settings("staging")
    (rule,) = [rule for rule in alarm_rules(found) if rule.label == "target-errors"]
    assert "\nRunbook: docs/runbooks/target-errors.md\n" in description(rule, found)


def test_every_text_is_somebodys() -> None:
    kinds = {rule.told.runbook for rule in everything(busy())} - {"availability-burn", "latency-burn"}
    assert kinds == set(TEXTS)


def test_an_alarm_of_several_says_which_one_it_is_about() -> None:
    found = {rule.label: rule for rule in alarm_rules(busy())}
    assert found["tasks-missing-mail"].told.summary.startswith("mail ")
    web, mail = found["tasks-missing-web"], found["tasks-missing-mail"]
    assert (web.datapoints, mail.datapoints, mail.periods) == (5, 3, 3), "no worker for three minutes pages somebody"
    assert found["tasks-missing-mail"].metrics[0].dimensions == {"Service": "mail"}
    assert found["job-failed-tick"].metrics[0].dimensions == {"Group": "family:pactum-prod-tick"}
    assert found["job-failed-tick"].told.first_look == "python -m ops logs --process tick --since 1d --stack prod"
    assert found["job-overdue-tick"].metrics[0].dimensions == {"Job": "tick"}
    assert found["job-overdue-tick"].threshold == 20 * 60


def test_a_stack_without_jobs_or_certificate_has_no_alarms_on_them() -> None:
    kinds = {rule.told.runbook for rule in rules("staging", jobs={}).values()}
    assert not kinds & {"job-failed", "job-overdue", "jobs-not-started", "certificate-expiry"}
    assert "certificate-expiry" in rules("prod")


def test_the_stack_files_numbers_are_the_thresholds() -> None:
    found = rules(alarmErrorCount=7, alarmSlowMilliseconds=800, rollbackErrorPercent=9, secretMaximumAgeDays=40)
    assert (found["target-errors"].threshold, found["balancer-errors"].threshold) == (7, 7)
    assert [found[label].threshold for label in ("slow-p95", "slow-p99")] == pytest.approx([0.8, 2.4])
    assert (found["release-errors"].threshold, found["secret-age"].threshold) == (9, 40)


def test_the_databases_thresholds_follow_its_size() -> None:
    small = rules("staging", databaseInstanceClass="db.t4g.micro", databaseStorageGib=20, webMaximum=1)
    large = rules(
        "staging", databaseInstanceClass="db.m7g.large", databaseStorageGib=100, databaseStorageMaximumGib=200
    )
    assert (small["database-storage"].threshold, large["database-storage"].threshold) == (2 * GIB, 10 * GIB)
    assert large["database-memory"].threshold == 8 * small["database-memory"].threshold
    # 74 and 665: what tasks may have together (infra/serving.py).
    assert (small["database-connections"].threshold, large["database-connections"].threshold) == (66, 598)


def test_alarms_on_the_service_do_not_wait_for_it() -> None:
    assert rules()["service-cpu"].metrics[0].dimensions == {"ClusterName": "pactum-prod", "ServiceName": "web"}


def test_the_heartbeat_is_raised_in_the_first_minutes_of_every_hour_only() -> None:
    heartbeat = rules()["heartbeat"]
    assert heartbeat.told.severity is Severity.HEARTBEAT
    assert heartbeat.expression == "IF(MINUTE(m0) < 10, m0, 0)"
    assert heartbeat.metrics[0].name == names.WATCHED, "without the watch there is no sign of life"


def test_the_certificate_is_told_of_after_acm_should_have_renewed_it() -> None:
    certificate = rules()["certificate-expiry"]
    assert (certificate.comparison, certificate.threshold) == ("LessThanThreshold", 30)
    assert certificate.told.section is Section.WATCH
    assert certificate.missing is Missing.AS_BEFORE, "ACM counts no more days when there are none"


def test_the_stack_file_has_an_address_for_pages_in_production() -> None:
    assert stack_config("prod")["pactum:alarmEmail"], "alarms that reach nobody are none"
