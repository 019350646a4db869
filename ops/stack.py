"""The names of a stack's things: the contract between the Pulumi program and the operator commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PROJECT = "pactum"
PROJECT_VARIABLE = "PACTUM_PROJECT"
# What Pulumi takes for a project and ECS for a cluster and a task definition family (which take no dot).
PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def project_name(given: str | None, environment: Mapping[str, str]) -> str:
    """Return the project that was meant: the one given, else the environment's, else Pactum itself.

    Raises:
        CannotAct: no project can be called so.

    """
    name = given if given is not None else environment.get(PROJECT_VARIABLE) or DEFAULT_PROJECT
    if not PROJECT_NAME.fullmatch(name):
        source = "--project" if given is not None else PROJECT_VARIABLE
        raise CannotAct(
            f"{source} {name!r} is not a project name: letters, digits, hyphens and underscores, starting with a "
            "letter or digit, at most 100 characters. It is the `name` in Pulumi.yaml.",
        )
    return name


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One deployed copy of the project, such as `staging` or `prod`."""

    project: str
    name: str

    def __post_init__(self) -> None:
        if not STACK_NAME.fullmatch(self.name):
            raise CannotAct(
                f"--stack {self.name!r} is not a stack name: lower-case letters, digits and hyphens, "
                "starting with a letter, at most 31 characters. The stacks are the Pulumi.STACK.yaml files.",
            )

    def __str__(self) -> str:
        return f"stack {self.name} of project {self.project}"

    @property
    def options(self) -> str:
        """The options by which a person names this stack to a command."""
        project = "" if self.project == DEFAULT_PROJECT else f"--project {self.project} "
        return f"{project}--stack {self.name}"

    @property
    def cluster(self) -> str:
        """The ECS cluster."""
        return f"{self.project}-{self.name}"

    @property
    def service(self) -> str:
        """The ECS service that answers users."""
        return "web"

    @property
    def releases_table(self) -> str:
        """The DynamoDB table with the stack's release memory."""
        return f"{self.project}-{self.name}-releases"

    @property
    def schedule_group(self) -> str:
        """The EventBridge Scheduler group with the schedules of the stack's jobs."""
        return f"{self.project}-{self.name}"

    @property
    def watch(self) -> str:
        """The Lambda function that looks at the stack once a minute."""
        return f"{self.project}-{self.name}-watch"

    def container(self, process: str) -> str:
        """The container that runs a process; it has the process's name."""
        return process

    def log_group(self, process: str) -> str:
        """The log group of a process; without a process, what the names of all of them begin with."""
        return f"/{self.project}/{self.name}/{process}"

    @property
    def query_prefix(self) -> str:
        """What the names of the saved Logs Insights queries begin with."""
        return f"{self.project}/{self.name}/"

    def family(self, process: str) -> str:
        """The task definition family of a process."""
        return f"{self.project}-{self.name}-{process}"

    @property
    def stack_tag(self) -> str:
        """The tag that says which stack a secret belongs to."""
        return f"{self.project}:stack"

    @property
    def secret_tag(self) -> str:
        """The tag that says what a secret is for."""
        return f"{self.project}:secret"
