"""A commit that served well in a stack which has gone on since: nothing is to be deployed, and nothing is wrong.

As when main is brought to what develop had deployed, while develop goes on, or when main is merged back into develop at
once. Production takes what served well here, so its job goes on with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.pipeline.deploying import is_production

if TYPE_CHECKING:
    from pathlib import Path

    from ops.command import Context
    from ops.pipeline.checkout import Checkout
    from ops.pipeline.deploying import Candidate
    from ops.pipeline.running import Running


def served_here(context: Context, root: Path, checkout: Checkout, wanted: Candidate, runs: Running) -> str:
    """Say that it served well here and what the stack has gone on to; empty where it is not so, or nobody knows."""
    if is_production(context, root) or runs.commit == wanted.commit:
        return ""
    if not (checkout.knows(wanted.commit) and checkout.knows(runs.commit)):
        return ""
    if not checkout.is_ancestor(wanted.commit, runs.commit):
        return ""
    served = runs.record.newest(wanted.digest)
    if not served or not served.good or wanted.digest in runs.record.denials:
        return ""
    return (
        f"{wanted.digest} served well here on {served.verified_at}; {context.stack} has gone on to commit "
        f"{runs.commit}, which contains {wanted.commit}; nothing to do"
    )
