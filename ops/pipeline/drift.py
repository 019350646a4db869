"""`ci-drift STACK...`: sees that stacks are as the program of the commit that they run has made them.

What is not, stands in one issue, which is written anew each night and closed when all is well again. Exit code 1 when
something has drifted, also when it was reported: a nightly job that is green says that nobody has to look.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import EXIT_FAILED, EXIT_OK, OpsError
from ops.pipeline import comment, hosts, previewing, repository, telling, tested, worktree
from ops.pipeline.checkout import Checkout
from ops.pipeline.markdown import code
from ops.pipeline.preview_text import StackPreview, drift_head
from ops.pipeline.pulumi import NOTHING_RUNS
from ops.pipeline.surroundings import context_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event

TITLE = "Stacks are not as their program made them"
FILE = "drift.md"
_WHAT_TO_DO = """\
Somebody or something changed these beside the pipeline. Where it was meant, write it into the program; where it was
not, deploy the commit that runs once more (run its pipeline again). After `ops rollback` it is the rollback itself, \
until a release follows it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stacks."""
    parser.add_argument("stacks", nargs="+", metavar="STACK", help="a stack to look at")


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Look, and tell; return 0 when nothing has drifted."""
    root = Path.cwd()
    looked = [_of_stack(stack, root, environment) for stack in options.stacks]
    drifted = [each for each in looked if _drifted(each)]
    host = hosts.of(event, environment)
    if not drifted:
        said = f"Nothing has drifted: {', '.join(options.stacks)}."
        print(said, flush=True)
        if host and (closed := host.resolve(comment.DRIFT_MARKER, said)):
            print(f"the issue is closed: {closed}", flush=True)
        return EXIT_OK
    parts = [_part(each, root, environment) for each in drifted]
    body = comment.compose(comment.DRIFT_MARKER, TITLE, parts, dataclasses.replace(event, commit="", head=""))
    body = f"{body}\n{_WHAT_TO_DO}\n" + (f"\nThe run: {event.run_url}\n" if event.run_url else "")
    telling.keep(root, FILE, body)
    telling.say(body, event, environment)
    if host:
        print(f"the issue: {host.report(TITLE, comment.DRIFT_MARKER, body)}", flush=True)
    return EXIT_FAILED


def _of_stack(stack: str, root: Path, environment: Mapping[str, str]) -> tuple[StackPreview, str]:
    """Preview what the stack runs, by the program that made it; answers which commit that is, too."""
    try:
        digest = previewing.running(stack, root, environment)
        if digest == NOTHING_RUNS:
            return StackPreview(stack=stack), ""
        context = context_of(stack, environment, root=root)
        images = repository.of_stack(context, root, for_docker=True)
        commit = tested.commit_of(images, digest) or Checkout(root).head()
        with worktree.at_commit(root, commit) as files:
            return previewing.preview(stack, digest, files, environment, "--expect-no-changes"), commit
    except OpsError as error:
        return StackPreview(stack=stack, error=str(error)), ""


def _drifted(looked: tuple[StackPreview, str]) -> bool:
    found, _ = looked
    return bool(found.code or found.error or found.found.changes)


def _part(looked: tuple[StackPreview, str], root: Path, environment: Mapping[str, str]) -> comment.Part:
    found, commit = looked
    part = comment.part("drift", found, drift_head(found), root, environment)
    by = f"\n\nBy the program of commit {code(commit[:12])}." if commit else ""
    return dataclasses.replace(part, head=part.head + by)
