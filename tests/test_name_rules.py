"""infra/name_rules.py: no name that the program makes is longer than AWS takes."""

from __future__ import annotations

import pulumi
import pytest

from infra.name_rules import ADDED_BY_PULUMI, LIMITS, NAME_LENGTH, PROCESS_NAME_LENGTH
from infra.settings import SettingsError, load
from stacks.application import deploy
from tests.recorder import ACCOUNT, DIGEST, Recorder, record, stack_config

STACK = "p" * (NAME_LENGTH - len("pactum"))
# What AWS's own documentation and the provider's schema say of names, by type. None: the name is no part of AWS's.
MOST_CHARACTERS: dict[str, int] = {
    "aws:lb/loadBalancer:LoadBalancer": 32,
    "aws:lb/targetGroup:TargetGroup": 32,
    "aws:rds/instance:Instance": 63,
    "aws:rds/subnetGroup:SubnetGroup": 255,
    "aws:rds/parameterGroup:ParameterGroup": 255,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:s3/bucket:Bucket": 63,
    "aws:ec2/securityGroup:SecurityGroup": 255,
    "aws:ecs/cluster:Cluster": 255,
    "aws:ecs/service:Service": 255,
    "aws:ecs/taskDefinition:TaskDefinition": 255,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:secretsmanager/secret:Secret": 512,
    "aws:sns/topic:Topic": 256,
    "aws:dynamodb/table:Table": 255,
    "aws:scheduler/scheduleGroup:ScheduleGroup": 64,
    "aws:scheduler/schedule:Schedule": 64,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/eventTarget:EventTarget": 64,
    "aws:lambda/function:Function": 64,
    "aws:lambda/permission:Permission": 100,
    "aws:appautoscaling/policy:Policy": 256,
    "aws:wafv2/webAcl:WebAcl": 128,
}
GIVEN_NAMES = ("name", "identifier", "family", "bucket")


def recorded(stack: str) -> Recorder:
    command = ["python", "manage.py", "work"]
    longest = "w" * PROCESS_NAME_LENGTH, "j" * PROCESS_NAME_LENGTH
    config = stack_config(
        "prod",
        imageDigest=DIGEST,
        mediaBucket=True,
        permissionsBoundaryArn=f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-{stack}",
        **{"aws:defaultTags": {"tags": {"project": "pactum", "stack": stack}}},
        workers={longest[0]: {"command": command}},
        jobs={longest[1]: {"command": command, "schedule": "rate(1 hour)"}},
    )
    pulumi.runtime.set_all_config(config)
    return record(deploy, stack=stack)


def physical_length(inputs: dict[str, object], logical_name: str) -> int:
    given = [inputs[key] for key in GIVEN_NAMES if inputs.get(key)]
    return len(str(given[0])) if given else len(logical_name) + ADDED_BY_PULUMI


def test_with_the_longest_names_there_may_be_everything_fits_into_awss_limits() -> None:
    recorder = recorded(STACK)
    assert recorder.error is None
    too_long = [
        f"{one.type} {one.name}"
        for one in recorder.resources
        if one.type in MOST_CHARACTERS and physical_length(one.inputs, one.name) > MOST_CHARACTERS[one.type]
    ]
    assert too_long == [], "the update would fail halfway"


def test_the_table_of_limits_is_what_the_program_makes() -> None:
    recorder = recorded(STACK)
    for type_, limit in LIMITS.items():
        assert limit.longest == MOST_CHARACTERS[type_]
        of_ours = [one for one in recorder.of_type(type_) if "www" not in one.name and "jjj" not in one.name]
        longest = max(physical_length(one.inputs, one.name) for one in of_ours)
        assert longest == len(f"pactum-{STACK}") + len(limit.suffix) + limit.added, f"the longest name of {type_}"


def test_a_stacks_name_that_is_one_character_too_long_is_refused_with_the_arithmetic() -> None:
    pulumi.runtime.set_all_config(stack_config("staging"))
    pulumi.runtime.set_mocks(None, project="pactum", stack=f"{STACK}p")  # type: ignore[arg-type] # names only
    with pytest.raises(SettingsError) as refused:
        load()
    assert (
        f"pactum:stack\n      `{STACK}p` does not fit into the names of AWS resources: `pactum-{STACK}p-web` and the 8"
        " characters Pulumi adds are 33, and a load balancer's name has 32 at most.\n"
        "      Name the stack with small letters, digits and single hyphens, beginning with a letter, 13 characters at"
        " most."
    ) in str(refused.value)


def test_a_projects_name_that_leaves_no_room_for_a_stacks_is_refused() -> None:
    pulumi.runtime.set_all_config(stack_config("staging"))
    pulumi.runtime.set_mocks(None, project="p" * NAME_LENGTH, stack="a")  # type: ignore[arg-type] # names only
    with pytest.raises(SettingsError, match=r"is no name for a load balancer[^\n]*\n[^\n]* 18 characters at most"):
        load()


@pytest.mark.parametrize("stack", ["boundary", "ci", "ci-deploy", "month", "pulumi", "state"])
def test_a_stack_is_not_called_like_what_bootstrap_makes(stack: str) -> None:
    pulumi.runtime.set_all_config(stack_config("staging"))
    pulumi.runtime.set_mocks(None, project="pactum", stack=stack)  # type: ignore[arg-type] # names only
    whose = f"pactum-{stack.partition('-')[0]}"
    with pytest.raises(SettingsError, match=f"`{stack}` is no stack's name: with {whose} begin"):
        load()
