"""How inputs of the program become parameters of AWS, and which types there are."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.image import DRAW
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers import commands, images
from rehearsal.realisers.names import prefixed_name, unique_name
from rehearsal.realisers.realiser import Field, capitalised, parameters, tag_list, verbatim
from rehearsal.realisers.tables import DECLARED, REHEARSED, realiser_of
from rehearsal.realisers.tools import aws_environment
from rehearsal.state import Deployed
from tests.rehearsal_fakes import fake_tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehearsal.realisers.tools import Tools
    from rehearsal.state import Properties


def test_auto_names_are_the_logical_name_with_seven_hexadecimal_digits() -> None:
    assert re.fullmatch(r"pactum-staging-web-[0-9a-f]{7}", unique_name("pactum-staging-web", limit=64))
    assert len(unique_name("a-very-long-logical-name-of-a-target-group", limit=32)) == 32, "AWS refuses longer ones"
    assert unique_name("same", limit=32) != unique_name("same", limit=32), "two stacks must not collide"


def test_prefixed_names_have_the_providers_26_characters() -> None:
    first, second = prefixed_name("pactum/staging/secret-key-"), prefixed_name("pactum/staging/secret-key-")
    assert re.fullmatch(r"pactum/staging/secret-key-[0-9a-f]{26}", first)
    assert first != second, "two secrets made in the same instant need two names"


def test_fields_become_parameters_and_unset_ones_are_left_out() -> None:
    fields: dict[str, Field] = {
        "vpcId": "VpcId",
        "rules": "Rules",
        "options": verbatim("Options"),
        "unset": "Unset",
        "tags": tag_list(),
    }
    inputs = {"vpcId": "vpc-1", "rules": [{"fromPort": 1}], "options": {"asIs": 1}, "unset": None, "tags": {"b": "2"}}
    assert parameters(fields, inputs) == {
        "VpcId": "vpc-1",
        "Rules": [{"FromPort": 1}],
        "Options": {"asIs": 1},
        "Tags": [{"Key": "b", "Value": "2"}],
    }


def test_fields_that_share_a_parameter_are_merged() -> None:
    fields = {
        "minimum": lambda value: {"deployment": {"minimum": value}},
        "maximum": lambda value: {"deployment": {"maximum": value}},
    }
    assert parameters(fields, {"minimum": 100, "maximum": 200}) == {"deployment": {"minimum": 100, "maximum": 200}}


def test_capitalising_reaches_every_level_and_no_value() -> None:
    assert capitalised({"healthCheck": [{"path": "/healthz"}]}) == {"HealthCheck": [{"Path": "/healthz"}]}


def test_a_type_is_either_rehearsed_or_declared() -> None:
    assert not REHEARSED.keys() & DECLARED.keys(), "a type that is made must not be reported as not made"
    assert all(DECLARED.values()), "whoever reads the report must learn why"


def test_no_type_both_maps_an_input_and_calls_it_not_rehearsed() -> None:
    for type_, realiser in REHEARSED.items():
        both = realiser.properties & realiser.not_rehearsed.keys()
        assert not both, f"{type_}: {both} cannot be both"


@pytest.mark.parametrize(
    ("type_", "changed", "inputs"),
    [
        ("aws:secretsmanager/secret:Secret", "kmsKeyId", {"kmsKeyId": "other"}),
        ("aws:secretsmanager/secret:Secret", "policy", {"policy": "{}"}),
        ("aws:secretsmanager/secret:Secret", "namePrefix", {"namePrefix": "other-"}),
        ("aws:secretsmanager/secret:Secret", "recoveryWindowInDays", {"recoveryWindowInDays": 7}),
        ("aws:secretsmanager/secret:Secret", "description", {}),
        ("aws:ecs/service:Service", "healthCheckGracePeriodSeconds", {}),
        ("aws:ecs/service:Service", "enableExecuteCommand", {}),
        ("aws:ecs/service:Service", "networkConfiguration", {"networkConfiguration": {"subnets": ["other"]}}),
        ("aws:ecs/service:Service", "alarms", {}),
        ("aws:dynamodb/table:Table", "hashKey", {"hashKey": "other"}),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "tags", {"tags": {"owner": "other"}}),
    ],
)
def test_what_an_update_does_not_send_asks_for_a_fresh_rehearsal(type_: str, changed: str, inputs: Properties) -> None:
    assert REHEARSED[type_].beyond_update([changed], inputs) == [changed], "the report must not claim it"


@pytest.mark.parametrize(
    ("type_", "inputs"),
    [
        ("aws:secretsmanager/secret:Secret", {"description": "other", "tags": {"a": "b"}}),
        ("aws:ecs/service:Service", {"taskDefinition": "other", "desiredCount": 3}),
        ("aws:ecs/service:Service", {"alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}}),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"threshold": 2}),
    ],
)
def test_what_a_deployment_changes_is_an_update(type_: str, inputs: Properties) -> None:
    assert REHEARSED[type_].beyond_update(inputs, inputs) == []


def test_only_what_an_update_acts_on_is_called_updatable() -> None:
    for type_, realiser in REHEARSED.items():
        assert realiser.removable <= realiser.updatable, type_
        assert bool(realiser.updatable) == (realiser.update is not None), type_
        assert not realiser.updatable & realiser.not_rehearsed.keys(), f"{type_}: without effect is no update"


class FakeClient:
    """An AWS client that remembers what it was asked, and answers every time the same."""

    def __init__(self, answer: Properties) -> None:
        self.asked: dict[str, Properties] = {}
        self._answer = answer

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*_: object, **request: object) -> Any:
            self.asked[operation] = dict(request)
            return self if operation == "get_waiter" else self._answer

        return call


def tools_with(monkeypatch: pytest.MonkeyPatch, client: FakeClient) -> Tools:
    tools = fake_tools()
    monkeypatch.setattr(tools, "client", lambda _: client)
    return tools


def test_a_table_is_made_as_the_program_describes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({"TableDescription": {"TableArn": "arn"}})
    realiser = REHEARSED["aws:dynamodb/table:Table"]
    inputs: Properties = {
        "name": "pactum-staging-releases",
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "stack",
        "attributes": [{"name": "stack", "type": "S"}],
        "pointInTimeRecovery": {"enabled": True},
        "serverSideEncryption": {"enabled": True},
        "deletionProtectionEnabled": True,
        "tags": {"a": "b"},
    }
    realiser.check(inputs)
    made = realiser.create(tools_with(monkeypatch, client), "t", inputs)
    assert (made.id, made.outputs) == ("pactum-staging-releases", {"arn": "arn"})
    assert client.asked["create_table"] == {
        "TableName": "pactum-staging-releases",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "stack", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "stack", "AttributeType": "S"}],
        "SSESpecification": {"Enabled": True},
        "DeletionProtectionEnabled": True,
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert client.asked["update_continuous_backups"] == {
        "TableName": "pactum-staging-releases",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }, "AWS turns it on in a call of its own"


def test_a_services_alarms_are_sent_at_creation_and_at_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({"service": {"serviceArn": "arn"}})
    realiser, tools = REHEARSED["aws:ecs/service:Service"], tools_with(monkeypatch, client)
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    inputs: Properties = {"cluster": "c", "taskDefinition": "one", "deploymentMaximumPercent": 200, "alarms": alarms}
    made = realiser.create(tools, "s", inputs)
    assert realiser.update is not None
    realiser.update(tools, _deployed(inputs, made.outputs), {**inputs, "taskDefinition": "two"})
    for operation in ("create_service", "update_service"):
        assert client.asked[operation]["deploymentConfiguration"] == {"maximumPercent": 200, "alarms": alarms}, (
            "UpdateService replaces the structure whole: what it does not repeat is lost"
        )


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(RehearsalError, match="does not know the resource type `aws:neptune/cluster:Cluster`"):
        realiser_of("aws:neptune/cluster:Cluster")


def test_a_command_runs_in_a_shell_with_the_emulator_in_place_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-users-own")
    script = 'echo "$AWS_ENDPOINT_URL $OWN ${AWS_PROFILE-hidden}"; echo warned >&2'
    done = commands.execute(fake_tools(), script, {"environment": {"OWN": "x"}})
    assert done == {"stdout": "http://127.0.0.1:1 x hidden", "stderr": "warned"}, (
        "a rehearsed command must never reach a real account"
    )


def test_a_failing_command_is_told_with_what_it_wrote() -> None:
    with pytest.raises(RehearsalError, match=r"ended with exit code 3:\n    no such table"):
        commands.execute(fake_tools(), "echo no such table >&2; exit 3", {})


def test_a_pipe_is_told_by_the_program_at_its_head() -> None:
    told: list[str] = []
    commands.execute(dataclasses.replace(fake_tools(), notify=told.append), DRAW, {})
    assert told == ["od -An -N4 -tx1 /dev/urandom"]


def test_a_long_message_of_a_failed_command_keeps_its_first_line() -> None:
    script = "echo release is not live >&2; seq 60 >&2; exit 1"
    with pytest.raises(RehearsalError, match="release is not live"):
        commands.execute(fake_tools(), script, {})


def test_a_command_without_an_end_is_killed() -> None:
    tools = fake_tools()
    tools.command_timeout_seconds = 0.3
    with pytest.raises(RehearsalError, match="did not end within"):
        commands.execute(tools, "sleep 30 & wait", {})


def test_only_a_changed_trigger_replaces_a_command() -> None:
    realiser, tools = REHEARSED["command:local:Command"], fake_tools()
    inputs: Properties = {"create": "echo made", "update": "echo updated $PULUMI_COMMAND_STDOUT", "triggers": [1]}
    made = realiser.create(tools, "c", inputs)
    before = _deployed(inputs, made.outputs)
    assert realiser.update is not None
    assert realiser.update(tools, before, {**inputs, "triggers": [2]}).outputs["stdout"] == "made"
    assert realiser.update(tools, before, {**inputs, "create": "true"}).outputs["stdout"] == "updated made"


def test_a_command_that_left_the_program_or_is_replaced_runs_its_own_end(tmp_path: Path) -> None:
    realiser, tools = REHEARSED["command:local:Command"], fake_tools()
    ends = f"echo ended $PULUMI_COMMAND_STDOUT >> {tmp_path}/ends"
    before = _deployed({"create": "echo made", "delete": ends, "triggers": [1]}, {"stdout": "made", "stderr": ""})
    assert realiser.delete is not None
    assert realiser.update is not None
    realiser.delete(tools, before)
    realiser.update(tools, before, {**before.inputs, "triggers": [2]})
    assert (tmp_path / "ends").read_text() == "ended made\n" * 2
    realiser.delete(tools, _deployed({"create": "echo made"}, {}))


def _deployed(inputs: Properties, outputs: Properties) -> Deployed:
    return Deployed(urn="u", type="t", name="n", id="i", inputs=inputs, outputs=outputs)


def test_what_aws_calls_an_image_maps_to_the_emulators_registry() -> None:
    name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pactum:abc"
    assert images.local_reference(fake_tools(), name) == "localhost:1/pactum:abc"
    with pytest.raises(RehearsalError, match="not in an ECR repository"):
        images.local_reference(fake_tools(), "docker.io/library/pactum:abc")


def test_a_context_is_what_dockerignore_leaves_of_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    (tmp_path / ".dockerignore").write_text("*.pyc\n")
    tools, inputs = fake_tools(), {"build": {"context": str(tmp_path)}}
    before = images.context_digest(tools, inputs)
    (tmp_path / "module.pyc").write_text("byte-code")
    assert images.context_digest(tools, inputs) == before, "what is ignored is not built, so it changes nothing"
    (tmp_path / "module.py").write_text("code")
    assert images.context_digest(tools, inputs) != before, "a new file is a new image"


def test_the_emulator_is_never_looked_for_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example")
    environment = aws_environment(Place())
    assert environment["no_proxy"] == environment["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"
