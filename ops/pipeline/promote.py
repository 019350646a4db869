"""`ci-promote`: production gets what staging serves, by hand: the same image, by the program of the same commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.pipeline import approval, choice, deploying, repository, running, tested
from ops.pipeline.checkout import Checkout
from ops.pipeline.choice import NONE
from ops.pipeline.deploying import Candidate
from ops.pipeline.pulumi import Pulumi
from ops.pipeline.surroundings import context_of
from ops.pipeline.verifying import ask_users, door_of_service, verify
from ops.pipeline.worktree import at_commit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.command import Context
    from ops.pipeline.event import Event


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say from where to where."""
    parser.add_argument(
        "--stack", default="prod", metavar="STACK", help="the stack to deploy to (default: %(default)s)"
    )
    choice.add_after(parser)


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Deploy and verify; return the first exit code that is not 0.

    Raises:
        OpsError: what staging serves may not go there.

    """
    root = Path.cwd()
    if options.after in {NONE, options.stack}:
        raise OpsError(
            f"--after {options.after}: name the stack whose image {options.stack} is to get. Nothing was done."
        )
    context = context_of(options.stack, environment, root=root)
    say = context.transcript.step
    say(f"ci-promote: {options.after} to {context.stack}, {context.whereabouts}")
    approval.refuse_unasked(context, root, event, environment)
    before = context_of(options.after, environment, root=root, connect=lambda: context.aws)
    wanted = _served(context, before, root)
    say(f"{options.after} serves {wanted.digest}, tested for commit {wanted.commit}")
    checkout = Checkout(root)
    with at_commit(root, wanted.commit) as program:
        _refuse_unmerged(checkout, event, wanted)
        deploying.refuse(context, checkout, wanted, deploying.find_running(context))
        # Its update there was green all the same when its own `ci-verify` was red, which leaves no trace.
        ask_users(before, wanted.digest, door_of_service(before, root))
        say(f"users of {before.stack.name} get it")
        if code := deploying.update(context, wanted, program, environment):
            return code
        pulumi = Pulumi(context.stack.name, root=program, environment=environment)
        return verify(context, wanted.digest, root, pulumi)


def _served(context: Context, before: Context, root: Path) -> Candidate:
    serves = running.served_well(before)
    images = repository.of_stack(context, root)
    commit = tested.commit_of(images, serves.digest)
    if commit is None:
        raise OpsError(
            f"{before.stack} serves {serves.digest}, which has no tag {tested.TESTED}COMMIT in {images.url}: no "
            f"pipeline tested it. Nothing was deployed. Deploy a tested commit to {before.stack.name} first.",
        )
    return Candidate(commit=commit, digest=tested.require(images, commit, serves.digest))


def _refuse_unmerged(checkout: Checkout, event: Event, wanted: Candidate) -> None:
    """Staging also serves what is not on production's branch yet, which this runs on."""
    if not checkout.is_ancestor(wanted.commit, event.commit):
        raise OpsError(
            f"commit {wanted.commit} is not part of {event.branch or event.commit!r}, which this runs on. Nothing was "
            "deployed. Merge it there; the push deploys it.",
        )
