"""What pipelines do in the image repository: put a tested image there, ask which was tested, and pull it."""

from infra.access.documents import Document, allow, document, each


def pushing_policy(repository_arn: str) -> Document:
    """Push to one repository; its tags are immutable, so no image that is there is changed."""
    return document(
        # GetAuthorizationToken knows no resources ("Actions defined by Amazon Elastic Container Registry").
        allow(["ecr:GetAuthorizationToken"], "*"),
        allow(
            each("ecr", "BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
            + each("ecr", "PutImage", "BatchGetImage", "GetDownloadUrlForLayer", "DescribeImages"),
            repository_arn,
        ),
    )


def asking_policy(repository_arn: str) -> Document:
    """See which digest a tag names: what was tested for which commit."""
    return document(allow(["ecr:DescribeImages"], repository_arn))


def pulling_policy(repository_arn: str) -> Document:
    """Pull from the repository, and see what was tested: images hold no secrets, and are asked for migrations."""
    return document(
        allow(["ecr:GetAuthorizationToken"], "*"),
        allow(
            each("ecr", "DescribeImages", "BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"),
            repository_arn,
        ),
    )
