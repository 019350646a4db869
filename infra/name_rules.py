"""How long names may be: what the program makes of project, stack and process, and what AWS allows for it."""

import re
from dataclasses import dataclass

from infra.aws_rules import NAME
from infra.config_reader import ConfigReader

# A hyphen and seven characters, on names that are left to Pulumi.
ADDED_BY_PULUMI = 8


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A kind of resource: the characters its name may have, and the longest thing appended to PROJECT-STACK."""

    kind: str
    longest: int
    suffix: str
    added: int = 0

    @property
    def room(self) -> int:
        """Characters left for PROJECT-STACK."""
        return self.longest - len(self.suffix) - self.added


# By type of resource; tests/test_name_rules.py holds it to what the program makes.
LIMITS = {
    "aws:lb/loadBalancer:LoadBalancer": Limit(kind="load balancer", longest=32, suffix="-web", added=ADDED_BY_PULUMI),
    "aws:lb/targetGroup:TargetGroup": Limit(kind="target group", longest=32, suffix="-web", added=ADDED_BY_PULUMI),
    "aws:rds/instance:Instance": Limit(kind="RDS instance", longest=63, suffix="-database"),
    "aws:iam/role:Role": Limit(kind="role", longest=64, suffix="-migrate-execution", added=ADDED_BY_PULUMI),
}
_TIGHTEST = min(LIMITS.values(), key=lambda limit: limit.room)
# Characters of project and stack together: a hyphen stands between them.
NAME_LENGTH = _TIGHTEST.room - 1
# Characters of a worker's or a job's name: it stands in the names of roles, between two more hyphens.
PROCESS_NAME_LENGTH = LIMITS["aws:iam/role:Role"].longest - (NAME_LENGTH + 1) - len("--execution") - ADDED_BY_PULUMI


def check_names(config: ConfigReader, project: str, stack: str) -> None:
    """Refuse names of project and stack that AWS would refuse in the names of resources, halfway through an update."""
    form = "with small letters, digits and single hyphens, beginning with a letter"
    good = bool(re.fullmatch(NAME, project)), bool(re.fullmatch(NAME, stack))
    if not good[0] or len(project) >= NAME_LENGTH:
        config.refuse(
            "project",
            f"`{project}` is no name for a load balancer, a database and its logins.",
            f"Name it in Pulumi.yaml {form}, {NAME_LENGTH - 1} characters at most with room for the stack's name.",
        )
    elif not good[1] or len(project) + len(stack) > NAME_LENGTH:
        name = f"{project}-{stack}{_TIGHTEST.suffix}"
        why = f"`{name}` and the {_TIGHTEST.added} characters Pulumi adds are {len(name) + _TIGHTEST.added}"
        config.refuse(
            "stack",
            f"`{stack}` does not fit into the names of AWS resources"
            + (f": {why}, and a {_TIGHTEST.kind}'s name has {_TIGHTEST.longest} at most." if good[1] else "."),
            f"Name the stack {form}, {NAME_LENGTH - len(project)} characters at most.",
        )
