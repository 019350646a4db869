"""Rules about buckets, each of which takes several resources to keep."""

from collections.abc import Iterator

from infra.guardrails.data import BUCKET
from infra.guardrails.resource import Facts, Graph, Resource, as_list
from infra.guardrails.rule import GraphRule

PLAIN_HTTP = [{"Bool": {"aws:SecureTransport": value}} for value in ("false", False)]


def _open_buckets(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    closed = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    for bucket in graph.of_type(BUCKET):
        blocks = graph.referring(bucket, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "bucket")
        if not any(all(block.may_be(key, True) for key in closed) for block in blocks):
            yield bucket, "public access to it is not blocked in all four ways"


def _unencrypted_buckets(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    for bucket in graph.of_type(BUCKET):
        if all(each.is_empty("rules") for each in graph.referring(bucket, encryption, "bucket")):
            yield bucket, "nothing says how its objects are encrypted"


def _unversioned_buckets(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    for bucket in graph.of_type(BUCKET):
        versioning = graph.referring(bucket, "aws:s3/bucketVersioning:BucketVersioning", "bucket")
        if not any(each.may_be("versioningConfiguration.status", "Enabled") for each in versioning):
            yield bucket, "what is overwritten or deleted in it is gone at once"


def _plain_http_buckets(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    for bucket in graph.of_type(BUCKET):
        policies = graph.referring(bucket, "aws:s3/bucketPolicy:BucketPolicy", "bucket")
        if not any(policy.may_be("policy") or _refuses_plain_http(policy) for policy in policies):
            yield bucket, "its policy does not refuse requests without TLS"


def _refuses_plain_http(policy: Resource) -> bool:
    # A further condition would let in by plain HTTP who does not meet it.
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and "s3:*" in as_list(statement.get("Action"))
        and statement.get("Condition") in PLAIN_HTTP
        for statement in policy.statements("policy")
    )


RULES = (
    GraphRule(
        id="G08",
        title="encrypted buckets",
        reason="See G07; who may write should not be able to choose a key that nobody else has.",
        remedy="Use PrivateBucket of infra/private_bucket.py.",
        checkov=("CKV_AWS_19",),
        check=_unencrypted_buckets,
    ),
    GraphRule(
        id="G09",
        title="closed buckets",
        reason="One wrong policy or ACL is enough to publish what users have uploaded.",
        remedy="Use PrivateBucket of infra/private_bucket.py.",
        checkov=("CKV2_AWS_6", "CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"),
        check=_open_buckets,
    ),
    GraphRule(
        id="G10",
        title="buckets keep versions",
        reason="A mistake, or a stolen key, overwrites and deletes within seconds.",
        remedy="Use PrivateBucket of infra/private_bucket.py; its lifecycle removes what is old.",
        checkov=("CKV_AWS_21",),
        check=_unversioned_buckets,
    ),
    GraphRule(
        id="G11",
        title="buckets over TLS only",
        reason="S3 answers plain HTTP unless it is told not to.",
        remedy="Use PrivateBucket of infra/private_bucket.py, whose policy refuses it.",
        checkov=("CKV_AWS_379",),
        check=_plain_http_buckets,
    ),
)
