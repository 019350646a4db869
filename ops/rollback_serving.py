"""What the service runs when a rollback is asked for, and which other task definitions are the same but for the name.

An update back to an image that served before registers its task definition anew: returning to the older one of the two
would change nothing for users.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ops import tasks
from ops.errors import CannotAct
from ops.rollback_plan import Serving

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskDefinitionTypeDef

    from ops.command import Context
    from ops.release_record import Record

PROCESS = "web"
# What ECS adds to a task definition when it is registered.
_OF_THE_REVISION = {
    "taskDefinitionArn",
    "revision",
    "status",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "requiresAttributes",
    "compatibilities",
}


def find_serving(context: Context, service: ServiceTypeDef, record: Record) -> Serving:
    """Return what the service runs, and what of the releases remembered is the same."""
    definition = tasks.find_task_definition(context.aws.ecs, service["taskDefinition"])
    environment = tasks.environment_of(definition, context.stack.container(PROCESS))
    serving = Serving(task_definition=definition["taskDefinitionArn"], digest=environment.get("RELEASE", ""))
    release = record.of_task_definition(serving.task_definition)
    if release is None or not release.good:
        # An update that was never seen to serve: where it came from is a way back, be it the same.
        return serving
    others = {item.task_definition for item in record.releases if item.digest == serving.digest}
    same = {name for name in others - {"", serving.task_definition} if _is_same(context, name, definition)}
    return dataclasses.replace(serving, same=frozenset(same))


def _is_same(context: Context, name: str, serving: TaskDefinitionTypeDef) -> bool:
    try:
        other = tasks.find_task_definition(context.aws.ecs, name)
    except CannotAct:
        return False
    return _content(other) == _content(serving)


def _content(definition: TaskDefinitionTypeDef) -> dict[str, Any]:
    content: dict[str, Any] = {name: value for name, value in definition.items() if name not in _OF_THE_REVISION}
    content["containerDefinitions"] = [_container(dict(item)) for item in definition.get("containerDefinitions", [])]
    return content


def _container(container: dict[str, Any]) -> dict[str, Any]:
    """Return it with its variables in one order: theirs means nothing."""
    named = {
        key: sorted(container.get(key, []), key=lambda item: item.get("name", "")) for key in ("environment", "secrets")
    }
    return {**container, **named}
