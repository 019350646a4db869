"""The repository that staging and production share: what was tested in one is what runs in the other."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ecr


@dataclass(frozen=True, kw_only=True)
class RepositoryArgs:
    """`untagged_days`: days after which an image without a tag is deleted."""

    repository_name: str
    untagged_days: int


class Repository(pulumi.ComponentResource):
    """Creates an ECR repository with immutable tags and scan on push, and its lifecycle policy.

    The policy deletes only images that no tag names. Everything that was ever deployed was pushed under a tag, so no
    digest a live release may need, or be rolled back to, expires.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, args: RepositoryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Repository", name, None, opts)
        repository = ecr.Repository(
            name,
            name=args.repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        ecr.LifecyclePolicy(
            name,
            repository=repository.name,
            policy=json.dumps(lifecycle_policy(args.untagged_days)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = repository.repository_url
        self.register_outputs({"url": self.url})


def lifecycle_policy(untagged_days: int) -> dict[str, Any]:
    """Delete images that no tag names, `untagged_days` days after they were pushed."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Images without a tag, after {untagged_days} days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": untagged_days,
                },
                "action": {"type": "expire"},
            }
        ]
    }
