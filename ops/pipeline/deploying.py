"""One deployment: the checks that come before it, and the update itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.guard import refuse_if_forbidden
from ops.pipeline import ancestry, repository, running, tested
from ops.pipeline.pulumi import Pulumi
from ops.pipeline.surroundings import context_of
from ops.release_memory import Memory
from ops.stack_file import config_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ops.command import Context
    from ops.pipeline.checkout import Checkout

PRODUCTION_KEY = "pactum:production"
USUALLY_BEFORE = "staging"
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is to be deployed."""

    commit: str
    digest: str


def add_after(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which stack has to serve an image before a production stack may."""
    parser.add_argument(
        "--after",
        default=USUALLY_BEFORE,
        metavar="STACK",
        help="the stack that a production stack takes its images from: only what served well there is deployed "
        f"(default: %(default)s; `{NONE}` where there is none)",
    )


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
    if after in {NONE, stack.name} or config_value(root, stack, PRODUCTION_KEY) is not True:
        return
    before = context_of(after, context.environment, root=root, connect=lambda: context.aws)
    record = Memory(before).read()
    served = record.newest(wanted.digest)
    verdict = f"its verdict there is: {served.verdict}" if served else "it was never deployed there"
    denial = record.denials.get(wanted.digest)
    if served and served.good and not denial:
        context.transcript.step(f"it served well in {after} (verified at {served.verified_at})")
        return
    raise OpsError(
        f"{stack} takes what served well in {after}, and {wanted.digest} (commit {wanted.commit}) did not: "
        f"{f'it is denied there, by {denial}' if denial else verdict}. Nothing was deployed. Deploy it to {after} "
        f"first and verify it (`make ci-deploy ci-verify STACK={after}`), or bring what {after} serves: `make "
        "ci-promote`.",
    )


def refuse(context: Context, checkout: Checkout, wanted: Candidate) -> None:
    """Refuse what a person has forbidden, and what is older than what the stack runs.

    Raises:
        OpsError: it is either.

    """
    runs = running.find(context)
    told = f"{runs.digest} (commit {runs.commit or 'unknown'})" if runs.digest else "nothing yet"
    context.transcript.step(f"{context.stack} runs {told}")
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
            f"`python -m ops status {stack.options}` shows what serves now. Running this job again is safe."
        )
    else:
        context.transcript.result(f"deployed to {stack.name}: {wanted.digest} of commit {wanted.commit}")
    return code


def whole_commit(commit: str) -> str:
    """Return a commit that is not empty.

    Raises:
        CannotAct: it is.

    """
    if not commit:
        raise CannotAct("of which commit this is, is not known. Nothing was done. Run it in a git checkout.")
    return commit
