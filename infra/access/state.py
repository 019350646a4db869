"""Pulumi's own things: the state of a stack in the bucket, and the key that its secrets are encrypted with."""

from collections.abc import Sequence

from infra.access.documents import Document, Statement, allow, document

ROOT = ".pulumi"


def state_policy(bucket_arn: str, key_arn: str, project: str, stack: str) -> Document:
    """What an update of one stack does in the bucket: another stack's state is neither written nor locked."""
    its_own = [
        f"{bucket_arn}/{ROOT}/{kind}/{project}/{stack}{end}"
        for kind, end in (("stacks", ".*"), ("history", "/*"), ("backups", "/*"))
    ]
    locks = f"{bucket_arn}/{ROOT}/locks/organization/{project}/{stack}/*"
    return document(
        *_looking([bucket_arn]),
        allow(["s3:GetObject"], f"{bucket_arn}/{ROOT}/meta.yaml"),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [*its_own, locks]),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], key_arn),
    )


def state_reading_policy(bucket_arn: str, key_arn: str, project: str) -> Document:
    """What a preview does there, of any stack of the project: it reads, and takes no lock."""
    return document(
        *_looking([bucket_arn]),
        allow(
            ["s3:GetObject"],
            [f"{bucket_arn}/{ROOT}/meta.yaml", f"{bucket_arn}/{ROOT}/stacks/{project}/*"],
        ),
        allow(["kms:Decrypt"], key_arn),
    )


def key_policy(account_id: str) -> Document:
    """The key's own policy: policies of this account's users and roles decide, and of no other account's.

    Without the account in it nobody could ever change or use the key again ("Default key policy", AWS KMS).
    """
    statement = allow(["kms:*"], "*")
    return document({**statement, "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}})


def _looking(buckets: Sequence[str]) -> list[Statement]:
    return [allow(["s3:ListBucket"], buckets)]
