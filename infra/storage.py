"""Where the application keeps what its users upload, for a task's own disk goes with the task."""

from infra.access.documents import Document, allow, document, each
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


def media_policy(bucket_arn: str) -> Document:
    """What the application may do with uploads: all but destroy them, for a deleted one remains as an earlier version.

    Without ListBucket, S3 answers 403 and not 404 for an object that is not there.
    """
    return document(
        allow("s3:ListBucket", bucket_arn),
        allow(each("s3", "DeleteObject", "GetObject", "PutObject"), f"{bucket_arn}/*"),
    )
