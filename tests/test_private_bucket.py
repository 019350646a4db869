"""infra/private_bucket.py: whom a bucket is closed to, and what is kept how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.private_bucket import PrivateBucket, PrivateBucketArgs, bucket_policy
from tests.recorder import Recorder, record, resolved

ARN = "arn:aws:s3:us-east-1:123456789012:it"
BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"


def bucket(*, preview: bool = False, **changes: Any) -> Recorder:
    args = PrivateBucketArgs(**{"deletion_protection": True, "replaced_days": 30, **changes})
    recorder = record(lambda: PrivateBucket("it", args), preview=preview)
    assert recorder.error is None
    return recorder


def test_nothing_of_it_can_be_made_public() -> None:
    closed = bucket().only(CLOSED).inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [closed[switch] for switch in switches] == [True] * 4


def test_whatever_is_in_it_is_the_accounts_own() -> None:
    controls = bucket().only("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs
    assert controls["rule"] == {"objectOwnership": "BucketOwnerEnforced"}, "an ACL could give an object away"


def test_it_answers_over_tls_only() -> None:
    policy = json.loads(bucket().only(POLICY).inputs["policy"])
    (denied,) = policy["Statement"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "s3:*")
    assert denied["Resource"] == [ARN, f"{ARN}/*"], "the bucket and everything in it"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_further_statements_stand_beside_the_refusal_and_know_the_buckets_arn() -> None:
    recorder = bucket(statements=lambda arn: [{"Effect": "Allow", "Resource": f"{arn}/x/*"}])
    policy = json.loads(recorder.only(POLICY).inputs["policy"])
    assert policy == bucket_policy(ARN, [{"Effect": "Allow", "Resource": f"{ARN}/x/*"}])
    assert len(policy["Statement"]) == 2


def test_what_was_replaced_or_deleted_can_be_brought_back_for_a_while() -> None:
    recorder = bucket(replaced_days=12)
    versioning = recorder.only("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = recorder.only(LIFECYCLE).inputs["rules"]
    assert rule["status"] == "Enabled"
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 12}
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}, "objects themselves never expire"
    assert rule["filter"] == {"prefix": ""}, "the rule is for the whole bucket"
    assert recorder.waits(recorder.only(LIFECYCLE), versioning)


def test_parts_of_uploads_that_never_ended_are_not_paid_for_for_ever() -> None:
    (rule,) = bucket().only(LIFECYCLE).inputs["rules"]
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_objects_expire_where_it_is_said_so() -> None:
    (rule,) = bucket(expire_days=365).only(LIFECYCLE).inputs["rules"]
    assert rule["expiration"] == {"days": 365}, "S3 refuses days together with anything else"


def test_s3s_own_key_encrypts_unless_another_is_given() -> None:
    (own,) = bucket().only(ENCRYPTION).inputs["rules"]
    assert own["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    (given,) = bucket(kms_key_arn="arn:key").only(ENCRYPTION).inputs["rules"]
    assert given["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:key"}
    assert given["bucketKeyEnabled"] is True, "each object would be a paid call of KMS"


def test_nobody_can_lock_the_others_out_with_a_key_of_their_own() -> None:
    (rule,) = bucket().only(ENCRYPTION).inputs["rules"]
    assert rule["blockedEncryptionTypes"] == ["SSE-C"]


@pytest.mark.parametrize("protection", [True, False])
def test_a_bucket_with_deletion_protection_is_not_emptied_for_its_deletion(protection: bool) -> None:
    made = bucket(deletion_protection=protection).only(BUCKET)
    assert made.inputs["forceDestroy"] is not protection
    assert made.protect is protection, "Pulumi refuses to delete it, or to replace it"


@pytest.mark.parametrize("protection", [True, False])
def test_one_that_leaves_the_program_stays_as_closed_as_it_was_where_data_are_protected(protection: bool) -> None:
    """A pipeline may delete none of it: once a person has unprotected the bucket, its update has nothing to delete."""
    made = [one for one in bucket(deletion_protection=protection).resources if one.type.startswith("aws:")]
    assert len(made) == 7
    assert {one.retained for one in made} == {protection}, "without its settings it would be left open"


def test_access_is_closed_before_a_policy_is_put() -> None:
    recorder = bucket()
    assert recorder.waits(recorder.only(POLICY), recorder.only(CLOSED)), "S3 refuses both at once (OperationAborted)"


def test_a_bucket_has_the_name_it_is_given_or_one_of_its_own() -> None:
    assert bucket(name="pactum-state").only(BUCKET).inputs["bucket"] == "pactum-state"
    assert "bucket" not in bucket().only(BUCKET).inputs


def test_a_preview_with_an_unknown_arn_registers_the_same_resources() -> None:
    assert sorted(bucket(preview=True).names()) == sorted(bucket().names())


def test_others_are_told_name_and_arn() -> None:
    made: list[PrivateBucket] = []
    args = PrivateBucketArgs(deletion_protection=True, replaced_days=1, name="pactum-state")
    record(lambda: made.append(PrivateBucket("it", args)))
    assert resolved(made[0].bucket) == "it-id", "S3's id of a bucket is its name, and is there when it is made"
    assert resolved(made[0].arn) == ARN
