"""rehearsal/realisers/observing.py and events.py: metric filters, rules on events and who may write their log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal.realisers.tables import DECLARED, REHEARSED
from rehearsal.state import Deployed
from tests.test_rehearsal_realisers import FakeClient, tools_with

if TYPE_CHECKING:
    from rehearsal.state import Properties

FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
QUERY = "aws:cloudwatch/queryDefinition:QueryDefinition"
SAVED: Properties = {
    "name": "pactum/staging/errors",
    "queryString": "filter 1 = 1",
    "logGroupNames": ["/pactum/staging/web"],
}
COUNTED: Properties = {
    "name": "errors",
    "logGroupName": "/pactum/staging/web",
    "pattern": '{ $.level = "ERROR" }',
    "metricTransformation": {
        "name": "ErrorLines",
        "namespace": "pactum/staging",
        "value": "1",
        "unit": "Count",
        "defaultValue": "0",
    },
}
BY_GROUP: Properties = {"name": "JobsFailed", "namespace": "n", "value": "1", "dimensions": {"Group": "$.detail.group"}}
# What a resource is asked to be, and the one call that makes it so.
CALLS: list[tuple[str, Properties, str, Properties]] = [
    (
        FILTER,
        COUNTED,
        "put_metric_filter",
        {
            "filterName": "errors",
            "logGroupName": "/pactum/staging/web",
            "filterPattern": '{ $.level = "ERROR" }',
            "metricTransformations": [
                {
                    "metricName": "ErrorLines",
                    "metricNamespace": "pactum/staging",
                    "metricValue": "1",
                    "unit": "Count",
                    "defaultValue": 0.0,
                }
            ],
        },
    ),
    (
        FILTER,
        {**COUNTED, "metricTransformation": BY_GROUP},
        "put_metric_filter",
        {
            "filterName": "errors",
            "logGroupName": "/pactum/staging/web",
            "filterPattern": '{ $.level = "ERROR" }',
            "metricTransformations": [
                {
                    "metricName": "JobsFailed",
                    "metricNamespace": "n",
                    "metricValue": "1",
                    "dimensions": {"Group": "$.detail.group"},
                }
            ],
        },
    ),
    (
        RULE,
        {"name": "tasks", "eventPattern": "{}", "state": "DISABLED", "tags": {"a": "b"}},
        "put_rule",
        {"Name": "tasks", "EventPattern": "{}", "State": "DISABLED", "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    (
        TARGET,
        {"rule": "tasks", "targetId": "it", "arn": "arn:log", "retryPolicy": {"maximumRetryAttempts": 2}},
        "put_targets",
        {"Rule": "tasks", "Targets": [{"Id": "it", "Arn": "arn:log", "RetryPolicy": {"MaximumRetryAttempts": 2}}]},
    ),
    (
        POLICY,
        {"policyName": "events", "policyDocument": "{}"},
        "put_resource_policy",
        {"policyName": "events", "policyDocument": "{}"},
    ),
]


@pytest.mark.parametrize(("type_", "inputs", "operation", "request_"), CALLS)
def test_it_is_made_and_changed_by_one_call(
    monkeypatch: pytest.MonkeyPatch, type_: str, inputs: Properties, operation: str, request_: Properties
) -> None:
    client = FakeClient({"RuleArn": "arn:rule"})
    realiser = REHEARSED[type_]
    realiser.check(inputs)
    realiser.create(tools_with(monkeypatch, client), "it", inputs)
    assert client.asked == {operation: request_}
    again = FakeClient({"RuleArn": "arn:rule"})
    assert realiser.update
    deployed = Deployed(urn="urn", type=type_, name="it", id="it", inputs=inputs, outputs=inputs)
    realiser.update(tools_with(monkeypatch, again), deployed, inputs)
    assert again.asked == client.asked, "AWS replaces what has this name"


def test_a_saved_query_is_changed_and_removed_by_the_id_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    realiser = REHEARSED[QUERY]
    realiser.check(SAVED)
    client = FakeClient({"queryDefinitionId": "q-1"})
    made = realiser.create(tools_with(monkeypatch, client), "it", SAVED)
    assert (made.id, made.outputs) == ("q-1", {"queryDefinitionId": "q-1"})
    assert client.asked == {"put_query_definition": SAVED}
    again = FakeClient({"queryDefinitionId": "q-1"})
    deployed = Deployed(urn="urn", type=QUERY, name="it", id=made.id, inputs=SAVED, outputs={**SAVED, **made.outputs})
    assert realiser.update
    assert realiser.delete
    realiser.update(tools_with(monkeypatch, again), deployed, {**SAVED, "queryString": "filter 2 = 2"})
    realiser.delete(tools_with(monkeypatch, again), deployed)
    assert again.asked == {
        "put_query_definition": {**SAVED, "queryString": "filter 2 = 2", "queryDefinitionId": "q-1"},
        "delete_query_definition": {"queryDefinitionId": "q-1"},
    }, "without its id an update would save a second query of the same name"


def test_a_rules_arn_is_what_its_logs_policy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    made = REHEARSED[RULE].create(tools_with(monkeypatch, FakeClient({"RuleArn": "arn:rule"})), "it", {"name": "tasks"})
    assert (made.id, made.outputs) == ("tasks", {"arn": "arn:rule"})


@pytest.mark.parametrize(
    ("type_", "changed"),
    [(FILTER, "logGroupName"), (RULE, "tags"), (TARGET, "rule"), (POLICY, "policyName")],
)
def test_what_would_be_another_thing_asks_for_a_fresh_rehearsal(type_: str, changed: str) -> None:
    assert REHEARSED[type_].beyond_update([changed], {changed: "other"}) == [changed]


def test_a_chat_is_said_not_to_be_told() -> None:
    for kind in ("slack", "teams"):
        type_ = f"aws:chatbot/{kind}ChannelConfiguration:{kind.capitalize()}ChannelConfiguration"
        assert "no Amazon Q" in DECLARED[type_], "the report must not claim that somebody was told"
