"""What a pipeline needs to put a tested image where stacks take it from."""

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
