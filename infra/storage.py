"""Where the application keeps what its users upload, for a task's own disk goes with the task."""

from typing import Any

from infra.private_bucket import PrivateBucket, PrivateBucketArgs
from infra.settings import Settings

# Days for which an upload that was deleted or written over can be brought back.
RESTORABLE_DAYS = 30


def media_bucket(settings: Settings) -> PrivateBucket | None:
    """The bucket of `pactum:mediaBucket`. The application is told its name by MEDIA_BUCKET."""
    if not settings.storage.media_bucket:
        return None
    return PrivateBucket(
        f"{settings.name}-media",
        PrivateBucketArgs(deletion_protection=settings.deletion_protection, replaced_days=RESTORABLE_DAYS),
    )


def media_policy(bucket_arn: str) -> dict[str, Any]:
    """What the application may do with uploads: all but destroy them, for a deleted one remains as an earlier version.

    Without ListBucket, S3 answers 403 and not 404 for an object that is not there.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket_arn},
            {
                "Effect": "Allow",
                "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                "Resource": f"{bucket_arn}/*",
            },
        ],
    }
