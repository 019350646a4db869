"""One deployment: the checks that come before it, and the update itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.guard import refuse_if_forbidden
from ops.pipeline import ancestry, repository, running, tested
from ops.pipeline.choice import NONE
from ops.pipeline.pulumi import Pulumi
from ops.pipeline.surroundings import context_of
from ops.release_memory import Memory
from ops.stack_file import config_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ops.command import Context
    from ops.pipeline.checkout import Checkout
    from ops.pipeline.running import Running

PRODUCTION_KEY = "pactum:production"
_UNKNOWN_THERE = "it was never deployed there, or so long ago that it is not remembered any more"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is to be deployed."""

    commit: str
    digest: str


def is_production(context: Context, root: Path) -> bool:
    """Whether users depend on the stack, as its file says."""
    return config_value(root, context.stack, PRODUCTION_KEY) is True


def candidate(context: Context, root: Path, commit: str, claimed: str = "") -> Candidate:
    """Return the image that was tested for a commit.

    Raises:
        OpsError: none was.

    """
    images = repository.of_stack(context, root)
    return Candidate(commit=commit, digest=tested.require(images, commit, claimed))


def refuse_before_the_other(context: Context, root: Path, wanted: Candidate, after: str) -> None:
    """Refuse a production stack an image that did not serve well in the stack before it, or was put aside there.

    That stack may serve another one by now: while somebody thinks about an approval, others go on pushing.

    Raises:
        OpsError: it did not.

    """
    stack = context.stack
    if after in {NONE, stack.name} or not is_production(context, root):
        return
    before = context_of(after, context.environment, root=root, connect=lambda: context.aws)
    record = Memory(before).read()
    served = record.newest(wanted.digest)
    denial = record.denials.get(wanted.digest)
    if served and served.good and not denial:
        context.transcript.step(f"it served well in {after} (verified at {served.verified_at})")
        return
    refused = f"{stack} takes what served well in {after}, and {wanted.digest} (commit {wanted.commit}) did not"
    if denial:
        raise OpsError(
            f"{refused}: it is denied there, by {denial}. Nothing was deployed. Push a commit without what it was "
            f"denied for; if it is good after all, allow it and run again:\n"
            f"  python -m ops allow {wanted.digest} {before.stack.options}",
        )
    why = f"its verdict there is: {served.verdict}" if served else _UNKNOWN_THERE
    raise OpsError(
        f"{refused}: {why}. Nothing was deployed. Deploy it to {after} first and verify it (`make "
        f"ci-deploy ci-verify STACK={after}`), or bring what {after} serves: `make ci-promote`.",
    )


def find_running(context: Context) -> Running:
    """Return what the stack runs, and say it."""
    runs = running.find(context)
    told = f"{runs.digest} (commit {runs.commit or 'unknown'})" if runs.digest else "nothing yet"
    context.transcript.step(f"{context.stack} runs {told}")
    return runs


def refuse(context: Context, checkout: Checkout, wanted: Candidate, runs: Running) -> None:
    """Refuse what a person has forbidden, and what is older than what the stack runs.

    Raises:
        OpsError: it is either.

    """
    refuse_if_forbidden(runs.record, wanted.digest, context.stack)
    ancestry.refuse_older(checkout, wanted.commit, runs, context.stack)


def update(
    context: Context,
    wanted: Candidate,
    program: Path,
    environment: Mapping[str, str],
    make: Callable[..., Pulumi] = Pulumi,
) -> int:
    """Run `pulumi up` with the image, and return its exit code."""
    say, stack = context.transcript.step, context.stack
    # What the release memory writes down, wherever the image's files come from.
    told = {**environment, "PACTUM_COMMIT": wanted.commit}
    code = make(stack.name, root=program, environment=told).up(wanted.digest)
    if code:
        say(
            f"ci-deploy: the update of {stack} failed (exit code {code}); above is why. "
            f"`python -m ops status {stack.options}` shows what serves now. Where it is locked, `python -m ops state "
            f"{stack.options}` shows by whom and since when, and frees it. Running this job again is safe."
        )
    else:
        context.transcript.result(f"deployed to {stack.name}: {wanted.digest} of commit {wanted.commit}")
    return code
