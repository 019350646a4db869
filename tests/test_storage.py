"""infra/storage.py and infra/access_logs.py: what users upload, and the load balancer's log of requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.access_logs import delivery_statement
from infra.storage import media_policy
from tests.deployed import deployed
from tests.recorder import ACCOUNT, Recorder, container

BUCKET, ROLE_POLICY = "aws:s3/bucket:Bucket", "aws:iam/rolePolicy:RolePolicy"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
MEDIA, LOGS = "pactum-staging-media", "pactum-staging-access-logs"


def stack(**changes: Any) -> Recorder:
    recorder = deployed(**changes)
    assert recorder.error is None
    return recorder


def variables(recorder: Recorder, process: str) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(recorder, process)["environment"]}


def test_a_stack_that_asks_for_no_bucket_has_none() -> None:
    recorder = stack(mediaBucket=False, accessLogs=False)
    assert recorder.of_type(BUCKET) == []
    assert "MEDIA_BUCKET" not in variables(recorder, "pactum-staging-web")
    off = recorder.only(BALANCER).inputs["accessLogs"]
    assert off == {"bucket": "", "enabled": False}, (
        "without the block the provider changes nothing: the balancer would log on, to a bucket that is deleted"
    )


def test_the_application_is_told_where_uploads_go_under_the_name_it_knows() -> None:
    recorder = stack(mediaBucket=True, environmentNames={"MEDIA_BUCKET": "AWS_STORAGE_BUCKET_NAME"})
    bucket = f"{recorder.only(BUCKET, MEDIA).name}-id"
    for process in ("web", "shell"):
        told = variables(recorder, f"pactum-staging-{process}")
        assert (told["MEDIA_BUCKET"], told["AWS_STORAGE_BUCKET_NAME"]) == (bucket, bucket)


def test_what_serves_users_may_use_the_bucket_and_the_migration_may_not() -> None:
    table = {"tidy": {"command": ["true"]}}
    recorder = stack(
        mediaBucket=True, workers=table, jobs={"nightly": {"command": ["true"], "schedule": "rate(1 day)"}}
    )
    may = {p.name for p in recorder.of_type(ROLE_POLICY) if "s3:PutObject" in p.inputs["policy"]}
    assert may == {f"pactum-staging-{process}-media" for process in ("web", "shell", "tidy", "nightly")}
    policy = recorder.only(ROLE_POLICY, "pactum-staging-web-media")
    assert json.loads(policy.inputs["policy"]) == media_policy(f"arn:aws:s3:us-east-1:{ACCOUNT}:{MEDIA}")
    assert policy.inputs["role"] == "pactum-staging-web-task-id", "the application's own role, not ECS's"


def test_the_service_waits_until_its_tasks_may_use_the_bucket() -> None:
    recorder = stack(mediaBucket=True)
    service = recorder.only("aws:ecs/service:Service", "pactum-staging-web")
    assert recorder.waits(service, recorder.only(ROLE_POLICY, "pactum-staging-web-media"))


def test_the_application_can_delete_an_upload_but_not_destroy_it() -> None:
    actions = {
        action
        for statement in media_policy("arn")["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert actions == {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, (
        "DeleteObjectVersion, PutBucket... would let a taken-over process destroy what it cannot reach now"
    )
    resources = {statement["Resource"] for statement in media_policy("arn")["Statement"]}
    assert resources == {"arn", "arn/*"}


@pytest.mark.parametrize("protection", [True, False])
def test_uploads_and_logs_are_protected_where_data_are(protection: bool) -> None:
    recorder = stack(mediaBucket=True, accessLogs=True, deletionProtection=protection)
    for name in (MEDIA, LOGS):
        bucket = recorder.only(BUCKET, name)
        assert (bucket.protect, bucket.inputs["forceDestroy"]) == (protection, not protection)


def test_a_deleted_upload_can_be_brought_back_for_thirty_days() -> None:
    (rule,) = stack(mediaBucket=True).only(LIFECYCLE, MEDIA).inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}


def test_the_log_of_requests_goes_when_other_logs_go() -> None:
    (rule,) = stack(accessLogs=True, logRetentionDays=60).only(LIFECYCLE, LOGS).inputs["rules"]
    assert rule["expiration"] == {"days": 60}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 1}, "users' addresses are in it"


def test_only_balancers_of_this_account_may_write_and_only_under_their_prefix() -> None:
    recorder = stack(accessLogs=True)
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:{LOGS}"
    statements = json.loads(recorder.only(POLICY, LOGS).inputs["policy"])["Statement"]
    assert [s for s in statements if s["Effect"] == "Allow"] == [delivery_statement(arn, ACCOUNT)]
    allowed = delivery_statement(arn, ACCOUNT)
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert allowed["Action"] == "s3:PutObject"
    assert "Condition" not in allowed, "ELB names no source account when it asks whether it may write"
    prefix = recorder.only(BALANCER).inputs["accessLogs"]["prefix"]
    assert allowed["Resource"] == f"{arn}/{prefix}/AWSLogs/{ACCOUNT}/*", "ELB is refused what it was told to do"


def test_the_balancer_logs_to_the_bucket_once_it_may() -> None:
    recorder = stack(accessLogs=True)
    balancer = recorder.only(BALANCER)
    assert balancer.inputs["accessLogs"] == {"bucket": f"{LOGS}-id", "prefix": "balancer", "enabled": True}
    assert recorder.waits(balancer, recorder.only(POLICY, LOGS)), "ELB tries at once whether it may write"


def test_the_log_is_encrypted_with_the_only_key_that_a_balancer_can_use() -> None:
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    (rule,) = stack(accessLogs=True).only(encryption, LOGS).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
