"""Whether GitHub asks a person before production: an environment that nobody made has no rules, and asks nobody.

GitHub makes an environment by itself when a job first names it, and drops the rules of one whose repository becomes
private on a plan without them: the job then begins, and AWS's trust is content with the environment's name. Other
hosts are not asked: their jobs wait by their own files (docs/pipelines.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.pipeline import deploying, hosts
from ops.pipeline.choice import NONE
from ops.pipeline.event import GITHUB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ops.command import Context
    from ops.pipeline.event import Event

VARIABLE = "PROD_APPROVAL"


def refuse_unasked(context: Context, root: Path, event: Event, environment: Mapping[str, str]) -> None:
    """Refuse to deploy to production by a pipeline that nobody was asked about, unless the team says it means that.

    Raises:
        OpsError: nobody was, or GitHub does not tell.
        CannotAct: the team says something that means neither.

    """
    if event.host != GITHUB or not deploying.is_production(context, root):
        return
    stack, meant = context.stack, environment.get(VARIABLE, "").strip()
    if meant == NONE:
        context.transcript.step(f"nobody is asked before {stack}: the repository variable {VARIABLE} is `{NONE}`")
        return
    if meant:
        raise CannotAct(
            f"{VARIABLE} is {meant!r}. Nothing was deployed. Set that repository variable to `{NONE}` where nobody is "
            "to be asked before production, and delete it where somebody is.",
        )
    try:
        asks = hosts.on_github(event, environment).asks_a_person(stack.name)
    except OpsError as error:
        raise type(error)(
            f"whether somebody is asked before {stack} cannot be seen: {error} Nothing was deployed."
        ) from error
    if not asks:
        raise OpsError(
            f"nobody is asked before {stack}: GitHub has no environment {stack.name} with required reviewers. Nothing "
            f"was deployed. Add them (Settings, Environments, {stack.name}; in a private repository that takes GitHub "
            f"Enterprise), or say that nobody is to be asked: `gh variable set {VARIABLE} --body {NONE}`. Then run the "
            "job again.",
        )
    context.transcript.step(f"somebody is asked before {stack}: required reviewers of the environment {stack.name}")
