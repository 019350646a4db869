"""The image repository, as ECR shows it: which digest a tag names, and tags that are set once and for all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.stack_file import config_value

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef

    from ops.command import Context

URL_KEY = "pactum:repositoryUrl"
# Where docker meets the repository, if not under the name that the stack's file gives: in a rehearsal.
ELSEWHERE = "REPOSITORY_URL"
IMMUTABLE = "IMMUTABLE"
# What docker pushes: one image, or an index of images, in Docker's words or in OCI's.
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


class Repository:
    """One repository; `url` is REGISTRY/NAME, as in `pactum:repositoryUrl`."""

    def __init__(self, ecr: ECRClient, url: str) -> None:
        self.registry, _, self.name = url.partition("/")
        if not self.registry or not self.name or ":" in self.name or "@" in self.name:
            raise CannotAct(
                f"{url!r} is no image repository: write ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME, without a tag. It "
                f"is {URL_KEY} in the stack's file (REPOSITORY_URL, where that is set).",
            )
        self.url = url
        self._ecr = ecr

    def digest_of(self, tag: str) -> str | None:
        """Return the digest that a tag names; None when there is no such tag."""
        found = self._describe({"imageTag": tag})
        return found["imageDigest"] if found else None

    def tags_of(self, digest: str) -> tuple[str, ...]:
        """Return the tags of a digest, sorted; none when the repository does not have it."""
        found = self._describe({"imageDigest": digest})
        return tuple(sorted(found.get("imageTags", []))) if found else ()

    def tag(self, digest: str, tag: str) -> None:
        """Give a digest one more tag, and see that it has it.

        Raises:
            OpsError: the digest is not there, or the tag is another's.

        """
        found = self._ecr.batch_get_image(
            repositoryName=self.name, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(_MANIFESTS)
        )["images"]
        if not found:
            raise OpsError(f"{self.url} does not have {digest} (any more), so it cannot be tagged {tag}.")
        image = found[0]
        known = self._ecr.exceptions
        # It has the tag already, or another has; which of the two is seen below.
        with contextlib.suppress(known.ImageAlreadyExistsException, known.ImageTagAlreadyExistsException):
            self._ecr.put_image(
                repositoryName=self.name,
                imageManifest=image["imageManifest"],
                imageManifestMediaType=image["imageManifestMediaType"],
                imageTag=tag,
                imageDigest=digest,
            )
        has = self.digest_of(tag)
        if has != digest:
            raise OpsError(
                f"tag {tag} of {self.url} names {has}, and not {digest}. Nothing was tagged. Tags are set once: "
                "whatever set this one built or tested something else for the same commit. Find out what did, before "
                "either is deployed.",
            )

    def refuse_movable_tags(self) -> None:
        """Refuse a repository whose tags can be moved: there a tag proves nothing.

        Raises:
            OpsError: they can.

        """
        found = self._ecr.describe_repositories(repositoryNames=[self.name])["repositories"][0]
        if found.get("imageTagMutability") != IMMUTABLE:
            raise OpsError(
                f"tags of {self.url} can be moved ({found.get('imageTagMutability')}), so the tag of a test proves "
                "nothing. Nothing was deployed. `make bootstrap` makes them immutable; so does `aws ecr "
                f"put-image-tag-mutability --repository-name {self.name} --image-tag-mutability IMMUTABLE`.",
            )

    def _describe(self, image: ImageIdentifierTypeDef) -> ImageDetailTypeDef | None:
        try:
            found = self._ecr.describe_images(repositoryName=self.name, imageIds=[image])["imageDetails"]
        except self._ecr.exceptions.ImageNotFoundException:
            return None
        except self._ecr.exceptions.RepositoryNotFoundException as error:
            raise CannotAct(
                f"there is no image repository {self.url}. Nothing was done. `make bootstrap` makes it; the stack's "
                f"file names it ({URL_KEY}).",
            ) from error
        return found[0] if found else None


def of_stack(context: Context, root: Path, *, for_docker: bool = False) -> Repository:
    """Return the repository that a stack takes its image from, `for_docker` under the name by which docker meets it.

    Raises:
        CannotAct: the stack's file names none.

    """
    url = config_value(root, context.stack, URL_KEY)
    if not isinstance(url, str):
        raise CannotAct(
            f"Pulumi.{context.stack.name}.yaml does not say {URL_KEY}. Nothing was done. Write the output "
            "`repository_url` of stacks/bootstrap there.",
        )
    return Repository(context.aws.ecr, (context.environment.get(ELSEWHERE) if for_docker else "") or url)
