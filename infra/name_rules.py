"""How long names may be: what the program makes of project, stack and process, and what AWS allows for it."""

import re
from dataclasses import dataclass

from infra.aws_rules import NAME
from infra.config_reader import ConfigReader

# What stands after PROJECT in bootstrap's own names: whoever deploys a stack of such a name could change them.
RESERVED = {
    "boundary": "the boundaries of stacks' roles",
    "ci": "the roles of pipelines",
    "month": "the account's budget",
    "pulumi": "the key of Pulumi's state",
    "state": "the bucket of Pulumi's state",
}
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
_FORM = "with small letters, digits and single hyphens, beginning with a letter"
_TIGHTEST = min(LIMITS.values(), key=lambda limit: limit.room)
# Characters of project and stack together: a hyphen stands between them.
NAME_LENGTH = _TIGHTEST.room - 1
# Characters of a worker's or a job's name: it stands in the names of roles, between two more hyphens.
PROCESS_NAME_LENGTH = LIMITS["aws:iam/role:Role"].longest - (NAME_LENGTH + 1) - len("--execution") - ADDED_BY_PULUMI


def check_names(config: ConfigReader, project: str, stack: str) -> None:
    """Refuse names of project and stack that AWS would refuse in the names of resources, halfway through an update."""
    if check_project_name(config, "project", project):
        check_stack_name(config, "stack", project, stack)


def check_project_name(config: ConfigReader, key: str, project: str) -> bool:
    """Refuse a project's name, as one of `key`; whether it is a good one."""
    good = bool(re.fullmatch(NAME, project)) and len(project) < NAME_LENGTH
    if not good:
        config.refuse(
            key,
            f"`{project}` is no name for a load balancer, a database and its logins.",
            f"Name it in Pulumi.yaml {_FORM}, {NAME_LENGTH - 1} characters at most with room for the stack's name.",
        )
    return good


def check_stack_name(config: ConfigReader, key: str, project: str, stack: str) -> None:
    """Refuse a stack's name, as one of `key`, in a project whose name is good."""
    good = bool(re.fullmatch(NAME, stack))
    if not good or len(project) + len(stack) > NAME_LENGTH:
        name = f"{project}-{stack}{_TIGHTEST.suffix}"
        why = f"`{name}` and the {_TIGHTEST.added} characters Pulumi adds are {len(name) + _TIGHTEST.added}"
        config.refuse(
            key,
            f"`{stack}` does not fit into the names of AWS resources"
            + (f": {why}, and a {_TIGHTEST.kind}'s name has {_TIGHTEST.longest} at most." if good else "."),
            f"Name the stack {_FORM}, {NAME_LENGTH - len(project)} characters at most.",
        )
    elif stack in RESERVED or stack.startswith("ci-"):
        whose = RESERVED[stack.partition("-")[0]]
        config.refuse(
            key,
            f"`{stack}` is no stack's name: with {project}-{stack.partition('-')[0]} begin {whose}.",
            "Give the stack another name.",
        )
