"""`ci-preview STACK...`: says in the pull request what an update of each stack would change, as one comment.

Exit code 1 when an update would fail, or nobody can tell: after the comment was written.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import EXIT_FAILED, EXIT_OK, CannotAct
from ops.pipeline import choice, comment, failing, hosts, migration_plan, previewing, repository, telling
from ops.pipeline.migration_plan import Plan
from ops.pipeline.preview_text import StackPreview, head
from ops.pipeline.surroundings import context_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event

FILE = "comment.md"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stacks."""
    choice.add_stacks(parser, "the stacks to preview")


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Preview, and tell; return 0 when every update would go through, as far as can be told.

    Raises:
        CannotAct: it is a pull request that has no credentials, such as a fork's.

    """
    if event.untrusted:
        raise CannotAct(
            f"this pull request {event.untrusted}: it is given no credentials, and nothing was previewed. "
            "`make ci-rehearse` shows what can be shown without any.",
        )
    root = Path.cwd()
    previews = [_of_stack(stack, root, event, environment) for stack in options.stacks]
    parts = [comment.part("preview", each, head, root, environment) for each in previews]
    body = comment.compose(comment.PREVIEW_MARKER, "What this would change", parts, event)
    telling.keep(root, FILE, body)
    telling.say(body, event, environment)
    _post(body, event, environment)
    return EXIT_FAILED if any(each.fails for each in previews) else EXIT_OK


def _of_stack(stack: str, root: Path, event: Event, environment: Mapping[str, str]) -> StackPreview:
    """Look at one stack; what goes wrong is part of the answer, for the others' are still worth reading."""
    try:
        context = context_of(stack, environment, root=root, commit=event.commit)
        digest = previewing.running(stack, root, environment)
        found = previewing.preview(stack, digest, root, environment)
    except Exception as error:  # noqa: BLE001 - whatever it is: it is told, and the job is red
        return StackPreview(stack=stack, error=failing.words(error, environment))
    try:
        images = repository.of_stack(context, root, for_docker=True)
        plan = migration_plan.find(context, images, digest, root, environment)
    except Exception as error:  # noqa: BLE001 - as above, and what the engine has found is told, too
        plan = Plan(unknown=failing.words(error, environment))
    return dataclasses.replace(found, plan=plan)


def _post(body: str, event: Event, environment: Mapping[str, str]) -> None:
    if event.pull_request is None:
        return
    host = hosts.of(event, environment)
    if host:
        print(f"the comment: {host.comment(event.pull_request, comment.PREVIEW_MARKER, body)}", flush=True)
