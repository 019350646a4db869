"""infra/observability/events.py: whose events are kept, where, and who may write them there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.observability.events import (
    Events,
    EventsArgs,
    database_events,
    delivery_policy,
    deployments,
    stopped_tasks,
)
from infra.settings import load
from tests.aws_events import CLUSTER, DATABASE, NAME, deployment, of_database, service_action, stopped_task
from tests.recorder import ACCOUNT, DIGEST, REGION, Recorder, configure, record

if TYPE_CHECKING:
    from collections.abc import Mapping

RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
LOG = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/pactum/staging/events"
RULES = [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}-{label}-0a1b2c3" for label in ("tasks", "database")]
OTHER_CLUSTER = CLUSTER.replace(NAME, "pactum-prod")
PATTERNS = {
    "tasks": stopped_tasks(CLUSTER),
    "deployments": deployments(CLUSTER),
    "database": database_events(DATABASE),
}


def is_meant(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """EventBridge's rules for patterns, as far as ours need them: any of the values, or any value's beginning."""
    for key, wanted in pattern.items():
        found = event.get(key)
        if isinstance(wanted, dict):
            if not isinstance(found, dict) or not is_meant(wanted, found):
                return False
            continue
        values = found if isinstance(found, list) else [found]
        texts = [each for each in wanted if isinstance(each, str)]
        prefixes = tuple(each["prefix"] for each in wanted if isinstance(each, dict))
        if not any(value in texts or str(value).startswith(prefixes or ("\0",)) for value in values):
            return False
    return True


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        (stopped_task("service:web", "EssentialContainerExited", 1), ["tasks"]),
        (stopped_task("service:web", "EssentialContainerExited", 1, OTHER_CLUSTER), []),
        (deployment("SERVICE_DEPLOYMENT_FAILED"), ["deployments"]),
        (deployment("SERVICE_DEPLOYMENT_FAILED", "pactum-prod/web"), []),
        (deployment("SERVICE_DEPLOYMENT_FAILED", f"{NAME}-two/web"), []),
        (service_action("SERVICE_STEADY_STATE"), ["deployments"]),
        (of_database("RDS-EVENT-0049", "failover", "A Multi-AZ failover has completed."), ["database"]),
        (of_database("RDS-EVENT-0049", "failover", "A Multi-AZ failover has completed.", "pactum-prod-database"), []),
    ],
)
def test_a_stacks_own_events_are_kept_by_one_rule_each(event: dict[str, Any], rules: list[str]) -> None:
    assert [label for label, pattern in PATTERNS.items() if is_meant(pattern, event)] == rules


def test_a_task_that_still_runs_is_no_event_to_keep() -> None:
    running = stopped_task("service:web", "", None)
    running["detail"]["lastStatus"] = "RUNNING"
    assert not is_meant(PATTERNS["tasks"], running), "each start is four events that nobody looks at"


def events() -> Recorder:
    configure("staging", imageDigest=DIGEST, logRetentionDays=90)

    def make() -> None:
        settings = load()
        args = EventsArgs(
            settings=settings, cluster_arn=pulumi.Output.from_input(CLUSTER), database_identifier=DATABASE
        )
        Events(settings.name, args)

    recorder = record(make)
    assert recorder.error is None, recorder.error
    return recorder


def test_rules_send_events_as_they_are_to_the_log() -> None:
    recorder = events()
    assert {each.name: json.loads(each.inputs["eventPattern"]) for each in recorder.of_type(RULE)} == {
        f"{NAME}-{label}": pattern for label, pattern in PATTERNS.items()
    }
    group = recorder.only("aws:cloudwatch/logGroup:LogGroup")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/pactum/staging/events", 90)
    targets = recorder.of_type(TARGET)
    assert {each.inputs["rule"] for each in targets} == {f"{NAME}-{label}" for label in PATTERNS}
    for target in targets:
        assert set(target.inputs) == {"rule", "arn"}, "metric filters count by AWS's own fields; a role is refused"
        assert recorder.waits(target, recorder.only(POLICY)), "what comes before the policy is lost"


def test_each_filter_of_events_is_made_on_their_log() -> None:
    filters = events().of_type("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    assert {each.inputs["metricTransformation"]["name"] for each in filters} == {
        "DeploymentsFailed",
        "TasksCrashed",
        "JobsFailed",
        "DatabaseFailovers",
    }
    assert {each.inputs["logGroupName"] for each in filters} == {"/pactum/staging/events"}


def test_only_the_stacks_own_rules_write_to_its_log() -> None:
    streams, lines = delivery_policy(LOG, RULES)["Statement"]
    for statement in (streams, lines):
        assert statement["Principal"] == {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
        assert statement["Resource"].startswith(f"{LOG}:"), "and to no other log"
    assert lines["Action"] == "logs:PutLogEvents"
    assert lines["Condition"] == {"ArnEquals": {"aws:SourceArn": sorted(RULES)}}, (
        "a rule of somebody else's could forge"
    )
    assert streams["Action"] == "logs:CreateLogStream", "the one call that does not say for which rule"
    made = events().only(POLICY).inputs
    assert made["policyName"] == f"{NAME}-events", "known by its name: two stacks have two"
    assert len(json.loads(made["policyDocument"])["Statement"][1]["Condition"]["ArnEquals"]["aws:SourceArn"]) == 3
