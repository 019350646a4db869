"""Buckets: the emulator keeps objects and the buckets' settings, and checks these as S3 does; it expires nothing."""

from collections.abc import Callable
from typing import Any

from rehearsal.realisers.data import AT_DELETION
from rehearsal.realisers.realiser import Field, Made, Realiser, capitalised, made_by, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

# AWS: names of buckets have 63 characters at most.
NAME_LIMIT = 63


def _create_bucket(tools: Tools, _: str, inputs: Properties) -> Made:
    name, client = inputs["bucket"], tools.client("s3")
    # S3 refuses to be told of the one region that is its default.
    elsewhere = {} if tools.region == "us-east-1" else {"LocationConstraint": tools.region}
    client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": elsewhere} if elsewhere else {}))
    if inputs.get("tags"):
        client.put_bucket_tagging(Bucket=name, Tagging=parameters({"tags": tag_list("TagSet")}, inputs))
    return Made(id=name, outputs={"arn": f"arn:aws:s3:::{name}", "region": tools.region})


def _setting(operation: str, fields: dict[str, Field]) -> Realiser:
    """A setting of a bucket, which is a resource of its own for the provider."""
    all_fields: dict[str, Field] = {"bucket": "Bucket", **fields}
    return Realiser(
        create=made_by("s3", operation, all_fields, lambda inputs, _: Made(id=inputs["bucket"], outputs={})),
        properties=frozenset(all_fields),
    )


def _within(*path: str) -> Callable[[Any], Properties]:
    """A field whose value, with AWS's spelling, is at this path of the parameters."""

    def convert(value: Any) -> Properties:  # noqa: ANN401 - any JSON value
        for key in reversed(path):
            value = {key: value}
        return dict(capitalised(value))

    return convert


def _encryption(rules: list[Properties]) -> Properties:
    return {"ServerSideEncryptionConfiguration": {"Rules": [_encryption_rule(rule) for rule in rules]}}


def _encryption_rule(rule: Properties) -> Properties:
    by_default = rule["applyServerSideEncryptionByDefault"]
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    return {
        "ApplyServerSideEncryptionByDefault": {names[key]: value for key, value in by_default.items()},
        "BucketKeyEnabled": rule.get("bucketKeyEnabled", False),
        "BlockedEncryptionTypes": {"EncryptionType": rule.get("blockedEncryptionTypes", ["NONE"])},
    }


def _lifecycle(rules: list[Properties]) -> Properties:
    # Of all names in a rule, only this one is not spelled as it is everywhere else.
    listed = [{("ID" if key == "Id" else key): value for key, value in capitalised(rule).items()} for rule in rules]
    return {"LifecycleConfiguration": {"Rules": listed}}


_PUBLIC_ACCESS = {
    name: _within("PublicAccessBlockConfiguration", name[:1].upper() + name[1:])
    for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
}

STORAGE: dict[str, Realiser] = {
    "aws:s3/bucket:Bucket": Realiser(
        create=_create_bucket,
        properties=frozenset({"bucket", "tags"}),
        not_rehearsed={"forceDestroy": AT_DELETION},
        name_property="bucket",
        name_limit=NAME_LIMIT,
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting("put_public_access_block", {**_PUBLIC_ACCESS}),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "put_bucket_ownership_controls",
        {"rule": lambda rule: {"OwnershipControls": {"Rules": [capitalised(rule)]}}},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "put_bucket_versioning", {"versioningConfiguration": "VersioningConfiguration"}
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "put_bucket_encryption", {"rules": _encryption}
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "put_bucket_lifecycle_configuration", {"rules": _lifecycle}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting("put_bucket_policy", {"policy": "Policy"}),
}
