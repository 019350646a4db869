"""A command's surroundings, for tests of what is below the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.aws import Whereabouts
from ops.command import Context
from ops.stack import Stack
from ops.transcript import Transcript
from tests.ops_fakes.account import ACCOUNT, REGION
from tests.ops_fakes.world import World, connect

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping


def context_of(world: World, environment: Mapping[str, str] | None = None, said: io.StringIO | None = None) -> Context:
    """Return the surroundings a command has in this world; its steps go to `said`."""
    where = Whereabouts(
        account=ACCOUNT, region=REGION, endpoint=None, identity_arn=f"arn:aws:iam::{ACCOUNT}:user/tester"
    )
    return Context(
        stack=Stack(project="pactum", name="staging"),
        aws=connect(world),
        whereabouts=where,
        transcript=Transcript(progress=said, results=None),
        clock=world.clock,
        environment=environment or {},
    )
