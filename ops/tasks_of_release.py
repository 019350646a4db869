"""The task definitions of one release: which revision of a family runs its image."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ops import tasks
from ops.errors import CannotAct

if TYPE_CHECKING:
    import datetime as dt

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from ops.command import Context

# One request each; what is looked for is mostly among the first few.
MOST_LOOKED_AT = 200
_LISTED_AT_ONCE = 100


def family_of(task_definition: str) -> str:
    """Return the family in a task definition's ARN or name."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def serving_digest(context: Context) -> str:
    """Return the digest the service is told to run; empty when there is no service, or it does not say."""
    stack = context.stack
    service = tasks.find_service(context.aws.ecs, stack)
    if service is None:
        return ""
    definition = tasks.find_task_definition(context.aws.ecs, service["taskDefinition"])
    return tasks.environment_of(definition, stack.container(stack.service)).get("RELEASE", "")


def newest_of_release(
    ecs: ECSClient, family: str, container: str, digest: str, *, by: dt.datetime | None = None
) -> TaskDefinitionTypeDef | None:
    """Return the newest active revision of a family whose container runs this image.

    None when the family has none, or `digest` is empty. After a rollback it is not the family's newest.
    `by`: one that was there by then is preferred, for the same image may have been configured otherwise since.

    Raises:
        CannotAct: it is not among the newest 200, and there are more: whether the family has one is not known.

    """
    if not digest:
        return None
    newest_of_all: TaskDefinitionTypeDef | None = None
    pages = ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix=family, status="ACTIVE", sort="DESC", PaginationConfig={"PageSize": _LISTED_AT_ONCE}
    )
    newest_first = (arn for page in pages for arn in page["taskDefinitionArns"])
    for arn in itertools.islice(newest_first, MOST_LOOKED_AT):
        definition = tasks.find_task_definition(ecs, arn)
        if definition.get("family") == family and _runs(definition, container, digest):
            newest_of_all = newest_of_all or definition
            if by is None or "registeredAt" not in definition or definition["registeredAt"] <= by:
                return definition
    if newest_of_all is None and next(newest_first, None):
        raise CannotAct(
            f"no task definition of release {digest} was found among the newest {MOST_LOOKED_AT} revisions of family "
            f"{family}, and there are more. Deregister revisions that nobody will return to (`aws ecs "
            "deregister-task-definition`), or deploy that release again, and run this again."
        )
    return newest_of_all


def _runs(definition: TaskDefinitionTypeDef, container: str, digest: str) -> bool:
    if tasks.environment_of(definition, container).get("RELEASE") == digest:
        return True
    images = [
        item.get("image", "") for item in definition.get("containerDefinitions", []) if item.get("name") == container
    ]
    return any(image.endswith(f"@{digest}") for image in images)
