"""The names of a stack's things: the contract between the Pulumi program and the operator commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ops.errors import CannotAct

PROJECT = "pactum"
STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Stack:
    """One deployed copy of the project, such as `staging` or `prod`."""

    name: str

    def __post_init__(self) -> None:
        if not STACK_NAME.fullmatch(self.name):
            raise CannotAct(
                f"--stack {self.name!r} is not a stack name: lower-case letters, digits and hyphens, "
                "starting with a letter, at most 31 characters. The stacks are the Pulumi.STACK.yaml files.",
            )

    @property
    def cluster(self) -> str:
        """The ECS cluster."""
        return f"{PROJECT}-{self.name}"

    @property
    def service(self) -> str:
        """The ECS service that answers users."""
        return "web"

    def container(self, process: str) -> str:
        """The container that runs a process; it has the process's name."""
        return process

    def family(self, process: str) -> str:
        """The task definition family of a process."""
        return f"{PROJECT}-{self.name}-{process}"

    def log_group(self, process: str) -> str:
        """The CloudWatch log group of a process."""
        return f"/{PROJECT}/{self.name}/{process}"

    @property
    def stack_tag(self) -> str:
        """The tag that says which stack a secret belongs to."""
        return f"{PROJECT}:stack"

    @property
    def secret_tag(self) -> str:
        """The tag that says what a secret is for."""
        return f"{PROJECT}:secret"
