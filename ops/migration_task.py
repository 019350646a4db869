"""The migration task as it is to be run: which definition, where, and with which command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops import tasks
from ops.errors import CannotAct

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef, TaskOverrideTypeDef


@dataclass(frozen=True, kw_only=True)
class MigrationTask:
    """What is to be run: one task definition in one cluster and network."""

    cluster: str
    container: str
    definition: TaskDefinitionTypeDef
    network: tasks.TaskNetwork
    back_to: str = ""
    """The migration that is to be the last of its app that is applied; empty: all are to be applied."""

    @property
    def overrides(self) -> TaskOverrideTypeDef | None:
        """What differs from the task definition: nothing, or the command's arguments."""
        if not self.back_to:
            return None
        command = _command_of(self.definition, self.container)
        return {"containerOverrides": [{"name": self.container, "command": [*command, "--back-to", self.back_to]}]}

    @property
    def release(self) -> str:
        """The release whose migrations these are, as the image names itself."""
        return tasks.environment_of(self.definition, self.container).get("RELEASE", "")


def _command_of(definition: TaskDefinitionTypeDef, container: str) -> list[str]:
    for candidate in definition.get("containerDefinitions", []):
        if candidate.get("name") == container and candidate.get("command"):
            return list(candidate.get("command", []))
    raise CannotAct(
        f"{definition.get('taskDefinitionArn')} gives its container {container} no command of its own to add "
        "--back-to to.",
    )
