"""ECR in memory: digests and their tags in one repository, immutable unless a test says otherwise."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import Refused

REPOSITORY = "pactum"
OCI = "application/vnd.oci.image.index.v1+json"


@dataclass
class ImagesFake:
    """What ECR holds, and its answers about it."""

    images: dict[str, list[str]] = field(default_factory=dict)
    """Tags by digest."""
    mutability: str = "IMMUTABLE"

    def describe_images(self, asked: dict[str, Any]) -> dict[str, Any]:
        _of(asked)
        (wanted,) = asked["imageIds"]
        found = self._find(wanted)
        if not found:
            raise Refused("ImageNotFoundException", "The image does not exist")
        return {"imageDetails": [{"imageDigest": found, "imageTags": list(self.images[found])}]}

    def batch_get_image(self, asked: dict[str, Any]) -> dict[str, Any]:
        _of(asked)
        assert OCI in asked["acceptedMediaTypes"], "or ECR answers with another manifest, whose digest is another"
        found = [self._find(wanted) for wanted in asked["imageIds"]]
        return {
            "images": [
                {"imageId": {"imageDigest": each}, "imageManifest": f"of {each}", "imageManifestMediaType": OCI}
                for each in found
                if each
            ]
        }

    def put_image(self, asked: dict[str, Any]) -> dict[str, Any]:
        _of(asked)
        digest, tag = asked["imageDigest"], asked["imageTag"]
        assert (asked["imageManifest"], asked["imageManifestMediaType"]) == (f"of {digest}", OCI), (
            "nothing else is tagged"
        )
        holder = self._find({"imageTag": tag})
        if holder == digest:
            raise Refused("ImageAlreadyExistsException", "Image with this digest and tag already exists")
        if holder:
            raise Refused(
                "ImageTagAlreadyExistsException", "The image tag already exists, and the repository is immutable"
            )
        self.images[digest].append(tag)
        return {"image": {"imageId": {"imageDigest": digest, "imageTag": tag}}}

    def describe_repositories(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"repositoryNames": [REPOSITORY]}
        return {"repositories": [{"repositoryName": REPOSITORY, "imageTagMutability": self.mutability}]}

    def get_authorization_token(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"authorizationData": [{"authorizationToken": base64.b64encode(b"AWS:a-password").decode()}]}

    def _find(self, wanted: dict[str, str]) -> str:
        digest, tag = wanted.get("imageDigest", ""), wanted.get("imageTag", "")
        if digest:
            return digest if digest in self.images and (not tag or tag in self.images[digest]) else ""
        return next((each for each, tags in self.images.items() if tag in tags), "")


def _of(asked: dict[str, Any]) -> None:
    if asked["repositoryName"] != REPOSITORY:
        raise Refused(
            "RepositoryNotFoundException", f"The repository with name '{asked['repositoryName']}' does not exist"
        )
