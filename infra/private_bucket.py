"""A bucket nobody outside the account reads: what users uploaded, the balancer's logs, Pulumi's own state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from infra.access.documents import Document, Statement, deny, document, for_anyone

Statements = Callable[[str], Sequence[Statement]]
# Days after which the parts of an upload that never ended are deleted: nobody sees them, and they are paid for.
UNFINISHED_UPLOAD_DAYS = 7


def _nothing_further(_: str) -> Sequence[Statement]:
    return ()


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """`statements` answers, for the bucket's ARN, what its policy holds besides the refusal of plain HTTP.

    Versions that were replaced or deleted are kept for `replaced_days`, objects themselves for ever, or for
    `expire_days`. Without a key, S3's own encrypts (the only one a load balancer can write its logs with). A name is
    for what people must know beforehand. With `deletion_protection` the bucket is never emptied for its deletion.
    """

    deletion_protection: bool
    replaced_days: int
    expire_days: int | None = None
    kms_key_arn: pulumi.Input[str] | None = None
    name: str | None = None
    statements: Statements = _nothing_further


class PrivateBucket(pulumi.ComponentResource):
    """A versioned, encrypted bucket that answers over TLS only.

    Creates the bucket, a block of all public access, ownership without ACLs, versioning, encryption (uploads under a
    key that only the sender has are refused), a lifecycle and the bucket's policy. With deletion protection the bucket
    is also protected in Pulumi. Leaves out S3's log of requests, replication to another region, object lock and events.
    """

    bucket: pulumi.Output[str]
    """Its name."""
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:PrivateBucket", name, None, opts)
        protected = args.deletion_protection
        child_opts = pulumi.ResourceOptions(parent=self, retain_on_delete=protected)
        bucket = s3.Bucket(
            name,
            bucket=args.name,
            force_destroy=not protected,
            opts=pulumi.ResourceOptions(parent=self, protect=protected, retain_on_delete=protected),
        )
        self.bucket, self.arn = bucket.id, bucket.arn
        closed = s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child_opts,
        )
        s3.BucketOwnershipControls(
            name,
            bucket=self.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child_opts,
        )
        versioning = s3.BucketVersioning(
            name,
            bucket=self.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child_opts,
        )
        s3.BucketServerSideEncryptionConfiguration(
            name, bucket=self.bucket, rules=[encryption(args.kms_key_arn)], opts=child_opts
        )
        s3.BucketLifecycleConfiguration(
            name,
            bucket=self.bucket,
            rules=[lifecycle(args.replaced_days, args.expire_days)],
            # S3 takes what a rule says of earlier versions for granted only once there are any.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning], retain_on_delete=protected),
        )
        s3.BucketPolicy(
            name,
            bucket=self.bucket,
            policy=pulumi.Output.json_dumps(self.arn.apply(lambda arn: bucket_policy(arn, args.statements(arn)))),
            # S3 refuses two changes of a bucket's access at the same time (OperationAborted).
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed], retain_on_delete=protected),
        )
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})


def bucket_policy(bucket_arn: str, statements: Sequence[Statement] = ()) -> Document:
    """Who may do what with a bucket, whatever their own policies say: nobody anything without TLS."""
    plain_http = {"Bool": {"aws:SecureTransport": "false"}}
    over_plain_http = for_anyone(deny("s3:*", [bucket_arn, f"{bucket_arn}/*"], plain_http))
    return document({"Sid": "TlsOnly", **over_plain_http}, *statements)


# In quotes: S3's classes are loaded when they are named, and stacks without a bucket do without them.
def encryption(kms_key_arn: pulumi.Input[str] | None) -> "s3.BucketServerSideEncryptionConfigurationRuleArgs":
    """Encrypt with this key, or with S3's own. A key of the sender's would make objects that nobody else can read."""
    by_default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="aws:kms" if kms_key_arn else "AES256", kms_master_key_id=kms_key_arn
    )
    return s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=by_default,
        bucket_key_enabled=kms_key_arn is not None,
        blocked_encryption_types=["SSE-C"],
    )


def lifecycle(replaced_days: int, expire_days: int | None) -> "s3.BucketLifecycleConfigurationRuleArgs":
    """What S3 deletes by itself. The mark that a deleted object leaves goes with its last version."""
    expiration = (
        # With days, S3 removes such marks too, and wants to be told no more about them.
        s3.BucketLifecycleConfigurationRuleExpirationArgs(days=expire_days)
        if expire_days
        else s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
    )
    return s3.BucketLifecycleConfigurationRuleArgs(
        id="tidy",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=UNFINISHED_UPLOAD_DAYS
        ),
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=replaced_days
        ),
        expiration=expiration,
    )
