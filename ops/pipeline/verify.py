"""`ci-verify STACK`: what users get is the image that was tested for this commit, seen from outside the update."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import EXIT_OK, OpsError
from ops.pipeline import choice, deploying, image_file, left_behind, running
from ops.pipeline.checkout import Checkout
from ops.pipeline.pulumi import Pulumi
from ops.pipeline.surroundings import context_of
from ops.pipeline.verifying import verify

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stack."""
    choice.add_stack(parser, "the stack that was deployed to")


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Verify, and return 0 when it serves, or served well before the stack went on.

    Raises:
        OpsError: the stack is not even told to run it.

    """
    root = Path.cwd()
    context = context_of(options.stack, environment, root=root, commit=event.commit)
    context.transcript.step(f"ci-verify: {context.stack}, {context.whereabouts}")
    wanted = deploying.candidate(context, root, event.commit, image_file.claimed(root, event.commit))
    runs = running.find(context)
    if left := left_behind.served_here(context, root, Checkout(root), wanted, runs):
        context.transcript.result(f"{left}. Nothing was verified: it does not run any more")
        return EXIT_OK
    if runs.digest != wanted.digest:
        raise OpsError(
            f"{context.stack} runs {runs.digest or 'nothing'}, not {wanted.digest}, which was tested for commit "
            f"{wanted.commit}: that was not deployed, or was rolled back since. `python -m ops releases "
            f"{context.stack.options}` tells.",
        )
    pulumi = Pulumi(context.stack.name, root=root, environment=environment)
    return verify(context, wanted.digest, root, pulumi)
