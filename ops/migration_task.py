"""The migration task as it is to be run: which definition, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops import tasks
from ops.errors import CannotAct
from ops.tasks_of_release import newest_of_release, serving_digest

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from ops.command import Context

PROCESS = "migrate"


@dataclass(frozen=True, kw_only=True)
class MigrationTask:
    """What is to be run: one task definition in one cluster and network."""

    cluster: str
    container: str
    definition: TaskDefinitionTypeDef
    network: tasks.TaskNetwork

    @property
    def release(self) -> str:
        """The release whose migrations these are, as the image names itself."""
        return tasks.environment_of(self.definition, self.container).get("RELEASE", "")


def find_definition(context: Context, named: str | None) -> TaskDefinitionTypeDef:
    """Return the task definition that was named, else the one of the release that serves, else the family's newest.

    After a rollback the newest is that of the release that was taken away.

    Raises:
        CannotAct: there is none.

    """
    family = context.stack.family(PROCESS)
    digest = "" if named else serving_digest(context)
    if not digest:
        return tasks.find_task_definition(context.aws.ecs, named or family)
    found = newest_of_release(context.aws.ecs, family, context.stack.container(PROCESS), digest)
    if found is None:
        raise CannotAct(
            f"ECS knows no task definition of family {family} that runs the release that serves, {digest}. "
            "Nothing was done. Name the one to run by --task-definition.",
        )
    return found
