"""The mark of a test: the tag `tested-COMMIT`, which only a digest whose tests passed is given, and only once.

The pipeline's own files say nothing: whoever can change them could name any digest. The repository's tags cannot be
moved, and only the role that pushes can set them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import OpsError

if TYPE_CHECKING:
    from ops.pipeline.repository import Repository

CANDIDATE = "candidate-"
TESTED = "tested-"


def tested_digest(repository: Repository, commit: str) -> str | None:
    """Return the digest that was tested for a commit; None when none was."""
    return repository.digest_of(f"{TESTED}{commit}")


def commit_of(repository: Repository, digest: str) -> str | None:
    """Return the commit that a digest was tested for; None when it was not."""
    return next((tag.removeprefix(TESTED) for tag in repository.tags_of(digest) if tag.startswith(TESTED)), None)


def mark(repository: Repository, digest: str, commit: str) -> None:
    """Write down that this very digest passed its tests for this commit.

    Raises:
        OpsError: another digest has that mark.

    """
    repository.tag(digest, f"{TESTED}{commit}")


def refuse_another_mark(repository: Repository, digest: str | None, commit: str) -> None:
    """Refuse to test a digest for a commit for which another one was tested; None: one that is yet to be built.

    Raises:
        OpsError: there is such a one.

    """
    marked = tested_digest(repository, commit)
    if marked in {None, digest}:
        return
    raise OpsError(
        f"for commit {commit} another image was tested already: tag {TESTED}{commit} of {repository.url} names "
        f"{marked}, and the candidate is {digest or 'not there'}. Nothing was built or deployed. A commit is built "
        "once: find out what set that tag, and go on with a new commit.",
    )


def require(repository: Repository, commit: str, claimed: str = "") -> str:
    """Return the digest that was tested for a commit, and none but that; `claimed`: what the pipeline's file says.

    Raises:
        OpsError: nothing was tested for it, something else was, or the mark could be anybody's.

    """
    repository.refuse_movable_tags()
    digest = tested_digest(repository, commit)
    if digest is None:
        raise OpsError(
            f"no image was tested for commit {commit}: {repository.url} has no tag {TESTED}{commit}. Nothing was "
            "deployed. `make ci-image PUSH=1` builds, tests and marks it; if that stage was red, its log says why.",
        )
    if claimed and claimed != digest:
        raise OpsError(
            f"this pipeline's ci/image.json names {claimed}, but what was tested for commit {commit} is {digest} (tag "
            f"{TESTED}{commit} of {repository.url}). Nothing was deployed. The file was made for another commit, or "
            "was tampered with: run the pipeline of this commit again from its first stage.",
        )
    return digest
