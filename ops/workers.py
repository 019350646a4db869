"""A stack's workers: the services beside the one that answers users, each named after its process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.tasks_of_release import family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from ops.command import Context

_DESCRIBE_AT_ONCE = 10


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker's service, as ECS shows it."""

    service: ServiceTypeDef

    kind = "worker"

    @property
    def name(self) -> str:
        """The process, which its service, its container and the end of its family are named after."""
        return self.service.get("serviceName", "")

    @property
    def task_definition(self) -> str:
        """What it is told to run."""
        return self.service["taskDefinition"]

    @property
    def tasks(self) -> int:
        """How many tasks it is to have; none when it is stopped."""
        return self.service.get("desiredCount", 0)

    def order(self, context: Context, *, task_definition: str, tasks: int | None) -> None:
        """Tell ECS to run this many tasks of this definition; None leaves how many.

        Raises:
            ClientError, BotoCoreError: ECS refused it, or does not answer.

        """
        more: dict[str, Any] = {} if tasks is None else {"desiredCount": tasks}
        context.aws.ecs.update_service(
            cluster=context.stack.cluster, service=self.name, taskDefinition=task_definition, **more
        )


def find_workers(context: Context) -> list[Worker]:
    """Return the stack's workers by name, and say which services in its cluster are none.

    What somebody else put into the cluster is nobody's to judge, to stop or to move.

    Raises:
        ClientError, BotoCoreError: ECS refuses to tell, or does not answer.

    """
    pages = context.aws.ecs.get_paginator("list_services").paginate(cluster=context.stack.cluster)
    names = [arn.rsplit("/", 1)[-1] for page in pages for arn in page["serviceArns"]]
    services = live_services(context, [name for name in names if name != context.stack.service])
    workers: list[Worker] = []
    for name in sorted(services):
        if family_of(services[name].get("taskDefinition", "")) == context.stack.family(name):
            workers.append(Worker(service=services[name]))
            continue
        context.transcript.step(
            f"service {name} in cluster {context.stack.cluster} is left alone: it runs no task definition of family "
            f"{context.stack.family(name)}, and so is no worker of this stack"
        )
    return workers


def live_services(context: Context, names: Sequence[str]) -> dict[str, ServiceTypeDef]:
    """Return those of the named services that there are, by name."""
    found: list[ServiceTypeDef] = []
    for start in range(0, len(names), _DESCRIBE_AT_ONCE):
        chunk = list(names[start : start + _DESCRIBE_AT_ONCE])
        found += context.aws.ecs.describe_services(cluster=context.stack.cluster, services=chunk)["services"]
    return {item["serviceName"]: item for item in found if item.get("status") == "ACTIVE"}
