"""`ci-deploy STACK`: the image that was tested for this commit becomes what a stack serves, or nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import EXIT_OK, OpsError
from ops.pipeline import approval, choice, deploying, image_file, left_behind
from ops.pipeline.checkout import Checkout
from ops.pipeline.event import PULL_REQUEST
from ops.pipeline.surroundings import context_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stack."""
    choice.add_stack(parser, "the stack to deploy to")
    choice.add_after(parser)


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Deploy, and return the update's exit code; 0 without one where the stack has left the commit behind.

    Raises:
        OpsError: the image was not tested, is older than what runs, or is forbidden.

    """
    root = Path.cwd()
    if event.kind == PULL_REQUEST:
        raise OpsError("a pull request deploys nothing. Nothing was done. Merge it: the push to its branch deploys.")
    checkout = Checkout(root)
    checkout.refuse_another(event.commit)
    context = context_of(options.stack, environment, root=root, commit=event.commit)
    say = context.transcript.step
    say(f"ci-deploy: {context.stack}, {context.whereabouts}")
    approval.refuse_unasked(context, root, event, environment)
    wanted = deploying.candidate(context, root, event.commit, image_file.claimed(root, event.commit))
    say(f"deploys {wanted.digest}, tested for commit {wanted.commit}{_of(event)}")
    deploying.refuse_before_the_other(context, root, wanted, options.after)
    runs = deploying.find_running(context)
    if left := left_behind.served_here(context, root, checkout, wanted, runs):
        context.transcript.result(left)
        return EXIT_OK
    deploying.refuse(context, checkout, wanted, runs)
    return deploying.update(context, wanted, root, environment)


def _of(event: Event) -> str:
    # Between quotes, and as Python writes a text: a branch's name is whatever its author chose.
    return f" of branch {event.branch!r}" if event.branch else ""
