"""Which resource types a rehearsal makes, which it only accepts, and what it says about any other."""

from rehearsal.errors import RehearsalError
from rehearsal.realisers.access import ACCESS
from rehearsal.realisers.account import ACCOUNT
from rehearsal.realisers.commands import COMMANDS
from rehearsal.realisers.compute import COMPUTE
from rehearsal.realisers.data import DATA
from rehearsal.realisers.edge import EDGE
from rehearsal.realisers.events import EVENTS
from rehearsal.realisers.images import IMAGES
from rehearsal.realisers.memory import MEMORY
from rehearsal.realisers.network import NETWORK
from rehearsal.realisers.observing import OBSERVING
from rehearsal.realisers.realiser import Realiser
from rehearsal.realisers.repositories import REPOSITORIES
from rehearsal.realisers.scaling import SCALING
from rehearsal.realisers.scheduling import SCHEDULING
from rehearsal.realisers.security_groups import SECURITY_GROUPS
from rehearsal.realisers.storage import STORAGE
from rehearsal.realisers.traffic import TRAFFIC
from rehearsal.realisers.watching import WATCHING

REHEARSED: dict[str, Realiser] = {
    **NETWORK,
    **SECURITY_GROUPS,
    **DATA,
    **STORAGE,
    **MEMORY,
    **ACCESS,
    **ACCOUNT,
    **COMPUTE,
    **SCALING,
    **SCHEDULING,
    **TRAFFIC,
    **EDGE,
    **OBSERVING,
    **EVENTS,
    **WATCHING,
    **REPOSITORIES,
    **IMAGES,
    **COMMANDS,
}

# Accepted, created nowhere, and listed in every report with the reason.
DECLARED: dict[str, str] = {
    "aws:appautoscaling/policy:Policy": "nobody measures the load: the emulator has no Application Auto Scaling",
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": "the emulator has no Amazon Q, and no Slack",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": "the emulator has no Amazon Q, and no Teams",
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": "the emulator's firewall writes no log",
}


def realiser_of(resource_type: str) -> Realiser:
    """How a type is rehearsed. RehearsalError for one nobody has decided about."""
    try:
        return REHEARSED[resource_type]
    except KeyError:
        raise RehearsalError(
            f"the rehearsal does not know the resource type `{resource_type}`",
            remedy="Add a realiser for it in rehearsal/realisers/, or a line with the reason to DECLARED in "
            "rehearsal/realisers/tables.py.",
        ) from None
