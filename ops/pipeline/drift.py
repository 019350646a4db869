"""`ci-drift STACK...`: sees that stacks are as the program of the commit that they run has made them.

What is not, stands in one issue, which is written anew each night and closed when all is well again. Exit code 1 when
something has drifted, also when it was reported: a nightly job that is green says that nobody has to look. Exit code 2
when a stack could not be looked at: that is no drift, so it makes no issue, and closes none.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import EXIT_FAILED, EXIT_OK, CannotAct, OpsError
from ops.pipeline import choice, comment, failing, hosts, previewing, repository, telling, tested, worktree
from ops.pipeline.checkout import Checkout
from ops.pipeline.markdown import code
from ops.pipeline.preview_text import StackPreview, drift_head
from ops.pipeline.pulumi import NOTHING_RUNS
from ops.pipeline.surroundings import context_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from ops.pipeline.event import Event

TITLE = "Stacks are not as their program made them"
UNSEEN_TITLE = "Stacks could not be looked at"
FILE = "drift.md"
_WHAT_TO_DO = """\
Somebody or something changed these beside the pipeline. Where it was meant, write it into the program; where it was
not, deploy the commit that runs once more (run its pipeline again). After `ops rollback` it is the rollback itself, \
until a release follows it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found of one stack, and by the program of which commit."""

    found: StackPreview
    commit: str = ""

    @property
    def drifted(self) -> bool:
        """Whether something is not as the program says."""
        return bool(self.found.found.changes)

    @property
    def unseen(self) -> bool:
        """Whether it could not be looked at, so that nobody knows."""
        return bool(self.found.error or self.found.code) and not self.drifted


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say which stacks."""
    choice.add_stacks(parser, "the stacks to look at")


def run(options: argparse.Namespace, event: Event, environment: Mapping[str, str]) -> int:
    """Look, and tell; return 0 when nothing has drifted.

    Raises:
        CannotAct: a stack could not be looked at.

    """
    root = Path.cwd()
    choice.refuse_unknown(options.stacks, root)
    looked = [_of_stack(stack, root, environment) for stack in options.stacks]
    drifted, unseen = [each for each in looked if each.drifted], [each for each in looked if each.unseen]
    night = dataclasses.replace(event, commit="", head="")
    if unseen:
        body = comment.compose(comment.DRIFT_MARKER, UNSEEN_TITLE, _parts(unseen, root, environment), night)
        telling.say(body, event, environment)
    if drifted:
        _report(_parts(drifted, root, environment), root, night, environment)
    if unseen:
        names = ", ".join(each.found.stack for each in unseen)
        raise CannotAct(
            f"could not look at {names}, so whether anything has drifted there is unknown; above is why. No issue was "
            "opened or closed for it. Put that right, and run the job again.",
        )
    return EXIT_FAILED if drifted else _all_is_well(options.stacks, event, environment)


def _all_is_well(stacks: Sequence[str], event: Event, environment: Mapping[str, str]) -> int:
    said = f"Nothing has drifted: {', '.join(stacks)}."
    print(said, flush=True)
    host = hosts.of(event, environment)
    if host and (closed := host.resolve(comment.DRIFT_MARKER, said)):
        print(f"the issue is closed: {closed}", flush=True)
    return EXIT_OK


def _report(parts: Sequence[comment.Part], root: Path, night: Event, environment: Mapping[str, str]) -> None:
    body = comment.compose(comment.DRIFT_MARKER, TITLE, parts, night)
    body = f"{body}\n{_WHAT_TO_DO}\n" + (f"\nThe run: {night.run_url}\n" if night.run_url else "")
    telling.keep(root, FILE, body)
    # Before the host is asked for: what was seen is told also where it cannot be written there.
    telling.say(body, night, environment)
    if host := hosts.of(night, environment):
        print(f"the issue: {host.report(TITLE, comment.DRIFT_MARKER, body)}", flush=True)


def _of_stack(stack: str, root: Path, environment: Mapping[str, str]) -> Looked:
    """Preview what the stack runs, by the program that made it."""
    try:
        digest = previewing.running(stack, root, environment)
        if digest == NOTHING_RUNS:
            return Looked(found=StackPreview(stack=stack))
        context = context_of(stack, environment, root=root)
        images = repository.of_stack(context, root, for_docker=True)
        commit = tested.commit_of(images, digest) or Checkout(root).head()
        with worktree.at_commit(root, commit) as files:
            found = previewing.preview(stack, digest, files, environment, "--expect-no-changes")
            return Looked(found=found, commit=commit)
    except (OpsError, ClientError, BotoCoreError) as error:
        return Looked(found=StackPreview(stack=stack, error=failing.words(error, environment)))


def _parts(looked: Sequence[Looked], root: Path, environment: Mapping[str, str]) -> list[comment.Part]:
    return [_part(each, root, environment) for each in looked]


def _part(looked: Looked, root: Path, environment: Mapping[str, str]) -> comment.Part:
    part = comment.part("drift", looked.found, drift_head, root, environment)
    by = f"\n\nBy the program of commit {code(looked.commit[:12])}." if looked.commit else ""
    return dataclasses.replace(part, head=part.head + by)
