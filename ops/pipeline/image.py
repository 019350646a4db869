"""`ci-image`: one image for one commit, built once, tested as it is, and with `--push` marked for deployments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.pipeline import bill, choice, image_file, qa, registry, repository, tested
from ops.pipeline.checkout import Checkout
from ops.pipeline.docker import Docker
from ops.pipeline.event import HERE, PULL_REQUEST
from ops.pipeline.surroundings import context_of, stack_of
from ops.pipeline.tested import CANDIDATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.command import Context
    from ops.pipeline.event import Event
    from ops.pipeline.repository import Repository


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say of which stack's configuration it is built, and whether it is for deployments."""
    what = "whose file says what is built, for which processor, and where it is pushed to"
    choice.add_stack(parser, what, usual="staging")
    parser.add_argument(
        "--push",
        action="store_true",
        help=f"push it as a candidate, and mark it when its tests passed (or {choice.PUSH}=1 in the environment)",
    )


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Build or find the image, test it, and write down which it is.

    Raises:
        OpsError: it cannot be built, or its tests fail.

    """
    root = Path.cwd()
    image_file.forget(root)
    if not options.push:
        return _try(options.stack, event, root, environment)
    if event.kind == PULL_REQUEST:
        raise OpsError(
            "an image of a pull request is not pushed: only branches that deploy may (docs/account.md). Nothing was "
            "done. Leave PUSH out: it is built and tested all the same.",
        )
    Checkout(root).refuse_another(event.commit)
    context = context_of(options.stack, environment, root=root)
    images = repository.of_stack(context, root, for_docker=True)
    context.transcript.step(
        f"ci-image: the image of commit {event.commit}, to {images.url}; {context.whereabouts}; "
        f"its tests: {' '.join(qa.command_of(environment))}"
    )
    docker = Docker(root, environment)
    with registry.login(context.aws, images.registry, docker.executable, docker.environment) as logged_in:
        digest = _candidate(context, images, event.commit, docker, logged_in)
        image = f"{images.url}@{digest}"
        docker.pull(image, logged_in)
        # Without the login: what is tested runs whatever was pushed to the branch.
        qa.check(image, root, docker.environment)
        contents = bill.write(image, root, docker.environment)
        kept = bill.keep(contents, digest, images, docker, logged_in)
    docker.remove(image, kept, f"{images.url}:{CANDIDATE}{event.commit}")
    context.transcript.step(f"what it holds: {image_file.BILL} in {kept}")
    tested.mark(images, digest, event.commit)
    image_file.write(root, digest=digest, image=image, commit=event.commit)
    context.transcript.result(f"tested: {image} for commit {event.commit}")
    return 0


def _try(stack: str, event: Event, root: Path, environment: Mapping[str, str]) -> int:
    """Build and test for a pull request or a person; nothing leaves this machine, and nothing can be deployed."""
    print(f"ci-image: the image of commit {event.commit}; nothing is pushed", flush=True)
    docker = Docker(root, environment)
    about = stack_of(root, stack)
    image = f"{about.project.lower()}-candidate:{event.commit}"
    docker.build(about, image)
    qa.check(image, root, docker.environment)
    bill.write(image, root, docker.environment)
    image_file.write(root, digest=docker.id_of(image), image=image, commit=event.commit)
    if event.host != HERE:
        docker.remove(image)
    print(f"tested: {image}", flush=True)
    return 0


def _candidate(context: Context, images: Repository, commit: str, docker: Docker, logged_in: Mapping[str, str]) -> str:
    """Return the digest of the commit's only candidate, which is built unless it is there."""
    tag = f"{CANDIDATE}{commit}"
    found = images.digest_of(tag)
    tested.refuse_another_mark(images, found, commit)
    if found:
        context.transcript.step(f"the candidate is there, and is not built again: {found}")
        return found
    name = f"{images.url}:{tag}"
    docker.build(context.stack, name)
    try:
        docker.push(name, logged_in)
    except OpsError:
        # Tags are set once: another pipeline of this commit may have pushed its own meanwhile.
        found = images.digest_of(tag)
        if not found:
            raise
    pushed = found or images.digest_of(tag)
    if not pushed:
        raise OpsError(
            f"{name} was pushed, and ECR does not know it. Nothing was marked. Is {images.registry} the registry of "
            "the account and region in use?",
        )
    return pushed
