"""How the programs run their own rules: before a resource is made, and over all of them in the end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.sync_await import _sync_await
from pulumi_aws import cloudwatch, ec2, iam

from infra import task_definition
from infra.guardrails.program import Guarded, GuardrailError, guard_program, plain
from infra.guardrails.resource import UNKNOWN, StackFacts
from stacks.application import deploy
from tests.guarded import STACKS, stack
from tests.recorder import DIGEST, Recorder, configure, record

FACTS = StackFacts(
    project="pactum", stack="staging", production=False, default_tags={"project": "pactum", "stack": "staging"}
)
LOG_GROUP, ROLE_POLICY = "aws:cloudwatch/logGroup:LogGroup", "aws:iam/rolePolicy:RolePolicy"
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}}]})


def endless_logs(*further: str) -> None:
    guard_program(FACTS)
    cloudwatch.LogGroup("kept", retention_in_days=30)
    broken = cloudwatch.LogGroup("endless")
    for name in further:
        cloudwatch.LogGroup(name, opts=pulumi.ResourceOptions(depends_on=[broken]))


def names(recorder: Recorder) -> list[str]:
    return [resource.name for resource in recorder.resources]


def test_an_update_fails_before_the_resource_is_made() -> None:
    recorder = record(endless_logs)
    assert isinstance(recorder.error, GuardrailError), "a RunError is shown without a traceback"
    text = str(recorder.error)
    assert text.startswith(f"{LOG_GROUP} endless: its logs are kept, and paid for, for ever (G27, ")
    assert text.endswith("Set pactum:logRetentionDays.")
    assert "endless" not in names(recorder)


def test_an_update_makes_nothing_after_that() -> None:
    def program() -> None:
        guard_program(FACTS)
        guarded = pulumi.runtime.settings.get_monitor()
        for name, days in (("endless", None), ("kept", 30)):
            with pytest.raises(GuardrailError, match="endless"):
                guarded.RegisterResource(request(LOG_GROUP, name, {"retentionInDays": days}))  # type: ignore[union-attr]

    recorder = record(program)
    assert isinstance(recorder.error, GuardrailError)
    assert names(recorder) == []


def test_a_preview_tells_of_everything_at_once() -> None:
    recorder = record(lambda: endless_logs("another"), preview=True)
    assert isinstance(recorder.error, GuardrailError)
    assert [line.split()[1] for line in str(recorder.error).splitlines()] == ["endless:", "another:"]
    assert "endless" in names(recorder), "nothing is made in a preview, so it can go on and find the rest"


def wildcard_about_another() -> None:
    guard_program(FACTS)
    role = iam.Role("role", assume_role_policy=TRUST)
    # Not known before the role is there.
    policy = role.arn.apply(lambda _: json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))
    iam.RolePolicy("policy", role=role.id, policy=policy)


def test_what_only_aws_knows_is_looked_at_when_it_is_known() -> None:
    assert record(wildcard_about_another, preview=True).error is None, "nothing wrong is known yet"
    recorder = record(wildcard_about_another)
    assert isinstance(recorder.error, GuardrailError)
    assert "it allows * on everything (G25" in str(recorder.error)
    assert names(recorder) == ["role"], "the policy is never there"


def test_rules_about_several_resources_are_looked_at_when_all_are_there() -> None:
    def program() -> None:
        guard_program(FACTS)
        ec2.Vpc("network", cidr_block="10.0.0.0/16")

    for preview in (False, True):
        recorder = record(program, preview=preview)
        assert isinstance(recorder.error, GuardrailError)
        assert "network: whatever names no security group" in str(recorder.error)
        assert names(recorder) == ["network"]


def test_a_program_that_failed_by_itself_is_told_of_that_and_no_more() -> None:
    def program() -> None:
        guard_program(FACTS)
        ec2.Vpc("network", cidr_block="10.0.0.0/16")
        raise RuntimeError("of its own")

    assert str(record(program).error) == "of its own"


def test_a_secret_is_looked_into_and_stays_one() -> None:
    def program() -> None:
        guard_program(FACTS)
        role = iam.Role("role", assume_role_policy=TRUST)
        iam.RolePolicy("kept", role=role.id, policy=pulumi.Output.secret(json.dumps({"Statement": []})))
        everything = {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}
        iam.RolePolicy("broken", role=role.id, policy=pulumi.Output.secret(json.dumps(everything)))

    recorder = record(program)
    assert "broken: it allows everything but what its NotAction names" in str(recorder.error)
    (kept,) = recorder.of_type(ROLE_POLICY)
    assert kept.inputs["policy"][rpc._special_sig_key] == rpc._special_secret_sig


def test_what_the_engine_is_asked_is_not_touched() -> None:
    asked: list[object] = []

    def registered(given: object) -> object:
        asked.append(given)
        return SimpleNamespace(urn="urn")

    engine = SimpleNamespace(RegisterResource=registered, Invoke=asked.append)
    guarded = Guarded(engine, FACTS, collect=False)
    topic = request("aws:sns/topic:Topic", "it", {})
    guarded.RegisterResource(topic)
    guarded.Invoke("invoke")
    assert asked == [topic, "invoke"]


def request(type_: str, name: str, properties: dict[str, object]) -> Any:
    return SimpleNamespace(
        type=type_,
        name=name,
        object=_sync_await(rpc.serialize_properties(properties, {})),
        protect=False,
        propertyDependencies={},
        provider="",
        remote=False,
    )


@pytest.mark.parametrize("value", ["text", 1.5, True, None, ["a", {"b": 2}], {"a": {"b": [None]}}])
def test_values_are_seen_as_the_program_wrote_them(value: object) -> None:
    assert seen(value) == value
    assert seen(pulumi.Output.secret(value)) == value


def test_whole_numbers_are_whole() -> None:
    assert isinstance(seen(30), int), "messages know one kind of number, and limits are compared with days"


def test_values_that_are_not_known_are_seen_as_that() -> None:
    unknown: pulumi.Output[str] = pulumi.Output(set(), _done("x"), _done(value=False))
    assert seen({"a": unknown})["a"] is UNKNOWN


def seen(value: object) -> Any:
    made = _sync_await(rpc.serialize_properties({"it": value}, {}, keep_output_values=False))
    return plain(made.fields["it"]) if "it" in made.fields else None


async def _done(value: Any) -> Any:
    return value


@pytest.mark.parametrize("name", STACKS)
def test_every_stack_is_guarded(name: str) -> None:
    assert stack(name).facts.stack == name
    assert stack(name).facts.production is (name != "staging")


def test_no_update_of_ours_gets_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_definition, "CONTAINER_USER", "0:0")
    configure("staging", imageDigest=DIGEST)
    recorder = record(deploy)
    assert "runs as root (G03" in str(recorder.error)
    assert recorder.of_type("aws:ecs/taskDefinition:TaskDefinition") == []
    assert recorder.of_type("aws:ecs/service:Service") == []
