"""A stack never goes back by itself: a commit that is older than what it runs is refused, by git's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import OpsError

if TYPE_CHECKING:
    from ops.pipeline.checkout import Checkout
    from ops.pipeline.running import Running
    from ops.stack import Stack


def refuse_older(checkout: Checkout, commit: str, running: Running, stack: Stack) -> None:
    """Refuse a commit that what runs was built after; the very same one is deployed again, as after a failure.

    Raises:
        OpsError: it is older, or the history does not tell.

    """
    if not running.digest or running.commit == commit:
        return
    by_hand = (
        "If it is to run all the same, a person brings it: `python -m ops rollback`, where it served before; else "
        "`pulumi up --config pactum:imageDigest=...` (docs/pipelines.md)."
    )
    if not running.commit:
        raise OpsError(
            f"{stack} runs {running.digest}, and of which commit that is nobody knows, so neither is whether {commit} "
            f"is older. Nothing was deployed. {by_hand}",
        )
    for each in (commit, running.commit):
        if checkout.knows(each):
            continue
        what = "what is to be deployed" if each == commit else f"what {stack} runs"
        raise OpsError(
            f"commit {each}, {what}, is not in the history of this checkout, so which is older is unknown. "
            f"Nothing was deployed. {checkout.why_unknown()} {by_hand}",
        )
    if checkout.is_ancestor(commit, running.commit):
        raise OpsError(
            f"{stack} runs commit {running.commit}, which contains {commit}: deploying that would take {stack.name} "
            f"back. Nothing was deployed. Was an old job run again? Run the newest one. Or did what contains it get "
            "here first, as when main is merged back into develop before main is deployed? Push one more commit, "
            f"which may be empty, to the branch of this one: it is beside what runs, and goes its way. {by_hand}",
        )
