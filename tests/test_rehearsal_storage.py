"""rehearsal/realisers/storage.py and security_groups.py: botocore itself says whether the calls are AWS's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.private_bucket import PrivateBucket, PrivateBucketArgs
from rehearsal.engine import plain
from rehearsal.errors import RehearsalError
from rehearsal.realisers.tables import REHEARSED
from tests.recorder import record
from tests.rehearsal_fakes import fake_tools

if TYPE_CHECKING:
    from rehearsal.realisers.realiser import Made
    from rehearsal.state import Properties

BUCKET = "it"


def realised(
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    type_: str,
    inputs: Properties,
    *calls: tuple[str, Properties, Properties],
) -> Made:
    """Make the resource; `calls` are operations with the parameters they must be asked with, and their answers."""
    client = boto3.client(  # type: ignore[call-overload] # the service is a parameter
        service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        for operation, parameters, response in calls:
            stubber.add_response(operation, response, parameters)
        tools = fake_tools()
        monkeypatch.setattr(tools, "client", lambda _: client)
        REHEARSED[type_].check(inputs)
        made = REHEARSED[type_].create(tools, "it", inputs)
        stubber.assert_no_pending_responses()
    return made


def settings(*, kms_key_arn: str | None = None, expire_days: int | None = None) -> dict[str, Properties]:
    """The resources of a private bucket by type, with the inputs the provider gets."""
    args = PrivateBucketArgs(
        deletion_protection=True, replaced_days=30, expire_days=expire_days, kms_key_arn=kms_key_arn, name=BUCKET
    )
    recorder = record(lambda: PrivateBucket("it", args))
    return {resource.type: plain({**resource.inputs, "bucket": BUCKET}) for resource in recorder.resources}


def test_a_bucket_is_made_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {**settings()["aws:s3/bucket:Bucket"], "tags": {"a": "b"}}
    tagging = {"Bucket": BUCKET, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
    made = realised(
        monkeypatch,
        "s3",
        "aws:s3/bucket:Bucket",
        inputs,
        ("create_bucket", {"Bucket": BUCKET}, {}),
        ("put_bucket_tagging", tagging, {}),
    )
    assert (made.id, made.outputs["arn"]) == (BUCKET, "arn:aws:s3:::it")


@pytest.mark.parametrize(
    ("type_", "operation", "parameters"),
    [
        (
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "put_public_access_block",
            {
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                }
            },
        ),
        (
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            "put_bucket_ownership_controls",
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        ),
        (
            "aws:s3/bucketVersioning:BucketVersioning",
            "put_bucket_versioning",
            {"VersioningConfiguration": {"Status": "Enabled"}},
        ),
        (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "put_bucket_encryption",
            {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [
                        {
                            "ApplyServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": "arn:key",
                            },
                            "BucketKeyEnabled": True,
                            "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
                        }
                    ]
                }
            },
        ),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "put_bucket_lifecycle_configuration",
            {
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "ID": "tidy",
                            "Status": "Enabled",
                            "Filter": {"Prefix": ""},
                            "Expiration": {"Days": 365},
                            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                        }
                    ]
                }
            },
        ),
    ],
)
def test_what_the_program_sets_is_what_s3_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, type_: str, operation: str, parameters: Properties
) -> None:
    inputs = settings(kms_key_arn="arn:key", expire_days=365)[type_]
    made = realised(monkeypatch, "s3", type_, inputs, (operation, {"Bucket": BUCKET, **parameters}, {}))
    assert made.id == BUCKET


def test_a_buckets_policy_is_put_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = settings()["aws:s3/bucketPolicy:BucketPolicy"]
    asked = {"Bucket": BUCKET, "Policy": inputs["policy"]}
    realised(monkeypatch, "s3", "aws:s3/bucketPolicy:BucketPolicy", inputs, ("put_bucket_policy", asked, {}))


def default_group(ingress: list[Properties]) -> tuple[str, Properties, Properties]:
    filters = [{"Name": "vpc-id", "Values": ["vpc-1"]}, {"Name": "group-name", "Values": ["default"]}]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    group: dict[str, Any] = {"GroupId": "sg-1", "IpPermissions": ingress, "IpPermissionsEgress": everything}
    return "describe_security_groups", {"Filters": filters}, {"SecurityGroups": [group]}


DEFAULT = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"


def test_the_default_security_group_loses_the_rules_that_aws_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    made = realised(
        monkeypatch,
        "ec2",
        DEFAULT,
        {"vpcId": "vpc-1", "ingress": [], "egress": [], "tags": {"Name": "it"}},
        default_group(itself),
        ("revoke_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": itself}, {}),
        ("revoke_security_group_egress", {"GroupId": "sg-1", "IpPermissions": everything}, {}),
        ("create_tags", {"Resources": ["sg-1"], "Tags": [{"Key": "Name", "Value": "it"}]}, {}),
    )
    assert made.id == "sg-1"


def test_a_rule_in_the_default_security_group_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RehearsalError, match="leaves a default security group without rules"):
        realised(monkeypatch, "ec2", DEFAULT, {"vpcId": "vpc-1", "ingress": [{"protocol": "-1"}], "egress": []})


FLOW_LOG: Properties = {
    "vpcId": "vpc-1",
    "trafficType": "ALL",
    "logDestinationType": "cloud-watch-logs",
    "logDestination": "arn:group",
    "iamRoleArn": "arn:role",
}
ASKED: Properties = {
    "ResourceIds": ["vpc-1"],
    "ResourceType": "VPC",
    "TrafficType": "ALL",
    "LogDestinationType": "cloud-watch-logs",
    "LogDestination": "arn:group",
    "DeliverLogsPermissionArn": "arn:role",
}


def test_a_flow_log_is_made_for_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"FlowLogIds": ["fl-1"]}
    made = realised(monkeypatch, "ec2", "aws:ec2/flowLog:FlowLog", FLOW_LOG, ("create_flow_logs", ASKED, answer))
    assert made.id == "fl-1"


def test_a_flow_log_that_ec2_refuses_is_an_error_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Unsuccessful": [{"ResourceId": "vpc-1", "Error": {"Code": "Access", "Message": "may not log"}}]}
    with pytest.raises(RehearsalError, match="may not log"):
        realised(monkeypatch, "ec2", "aws:ec2/flowLog:FlowLog", FLOW_LOG, ("create_flow_logs", ASKED, answer))


ON = {"bucket": "logs", "prefix": "balancer", "enabled": True}


@pytest.mark.parametrize(
    ("logs", "told"),
    [
        (ON, {"bucket": "logs", "enabled": "true", "prefix": "balancer"}),
        ({"bucket": "", "enabled": False}, {"enabled": "false"}),
    ],
)
def test_a_balancer_is_told_where_to_log_or_not_to(
    monkeypatch: pytest.MonkeyPatch, logs: dict[str, object], told: dict[str, str]
) -> None:
    inputs = {"name": "it", "accessLogs": logs}
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/it/1"
    attributes = [{"Key": f"access_logs.s3.{name}", "Value": value} for name, value in told.items()]
    realised(
        monkeypatch,
        "elbv2",
        "aws:lb/loadBalancer:LoadBalancer",
        inputs,
        ("create_load_balancer", {"Name": "it"}, {"LoadBalancers": [{"LoadBalancerArn": arn, "DNSName": "it.elb"}]}),
        ("modify_load_balancer_attributes", {"LoadBalancerArn": arn, "Attributes": attributes}, {}),
    )
