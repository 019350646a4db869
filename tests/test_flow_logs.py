"""infra/flow_logs.py: where the records go, and who may write them."""

from __future__ import annotations

import json

import pulumi

from infra.flow_logs import FlowLogs, FlowLogsArgs, delivery_policy, trust_policy
from tests.recorder import ACCOUNT, REGION, Recorder, record

GROUP = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:it"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"


def flow_logs(*, preview: bool = False) -> Recorder:
    args = FlowLogsArgs(vpc_id=pulumi.Output.from_input("vpc-1"), account_id=ACCOUNT, region=REGION, retention_days=60)
    recorder = record(lambda: FlowLogs("it", args), preview=preview)
    assert recorder.error is None
    return recorder


def test_all_traffic_of_the_network_is_recorded() -> None:
    made = flow_logs().only(FLOW_LOG).inputs
    assert made["vpcId"] == "vpc-1"
    assert made["trafficType"] == "ALL", "what was let through is what an intruder did"
    assert (made["logDestinationType"], made["logDestination"]) == ("cloud-watch-logs", GROUP)


def test_records_are_kept_as_long_as_the_stacks_logs() -> None:
    group = flow_logs().only("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["retentionInDays"] == 60
    assert group.retained, "who turns flow logs off may not delete what was recorded, and a pipeline cannot"
    assert "name" not in group.inputs, "turned on again, the name would be taken"


def test_only_flow_logs_of_this_account_may_use_the_role() -> None:
    role = json.loads(flow_logs().only("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert role == trust_policy(ACCOUNT, REGION)
    (statement,) = role["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"},
    }, "somebody else's account could have AWS write into our logs"


def test_the_role_may_write_this_log_group_and_nothing_else() -> None:
    recorder = flow_logs()
    policy = recorder.only("aws:iam/rolePolicy:RolePolicy")
    assert json.loads(policy.inputs["policy"]) == delivery_policy(GROUP)
    (statement,) = delivery_policy(GROUP)["Statement"]
    assert statement["Resource"] == f"{GROUP}:*"
    assert statement["Action"] == ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    assert recorder.only(FLOW_LOG).inputs["iamRoleArn"] == recorder_arn("iam")
    assert policy.inputs["role"] == "it-id"


def recorder_arn(service: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:it"


def test_the_flow_log_waits_until_its_role_may_write() -> None:
    recorder = flow_logs()
    policy = recorder.only("aws:iam/rolePolicy:RolePolicy")
    assert recorder.waits(recorder.only(FLOW_LOG), policy), "the first records would be lost"


def test_a_preview_with_unknown_arns_registers_the_same_resources() -> None:
    assert sorted(flow_logs(preview=True).names()) == sorted(flow_logs().names())
