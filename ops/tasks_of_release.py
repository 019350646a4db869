"""The task definitions of one release: which revision of a family runs its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops import tasks

if TYPE_CHECKING:
    import datetime as dt

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from ops.command import Context

# One request each. What is looked for is the serving release's, among the newest of the family.
MOST_LOOKED_AT = 50


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

    None when it is not among the newest 50, or `digest` is empty. After a rollback it is not the family's newest.
    `by`: one that was there by then is preferred, for the same image may have been configured otherwise since.
    """
    if not digest:
        return None
    newest_of_all: TaskDefinitionTypeDef | None = None
    newest = ecs.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=MOST_LOOKED_AT)
    for arn in newest["taskDefinitionArns"]:
        definition = tasks.find_task_definition(ecs, arn)
        if definition.get("family") == family and _runs(definition, container, digest):
            newest_of_all = newest_of_all or definition
            if by is None or "registeredAt" not in definition or definition["registeredAt"] <= by:
                return definition
    return newest_of_all


def _runs(definition: TaskDefinitionTypeDef, container: str, digest: str) -> bool:
    if tasks.environment_of(definition, container).get("RELEASE") == digest:
        return True
    images = [
        item.get("image", "") for item in definition.get("containerDefinitions", []) if item.get("name") == container
    ]
    return any(image.endswith(f"@{digest}") for image in images)
