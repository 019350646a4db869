"""How many tasks each service lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.watch.measure import Measure

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from ops.watch.assignment import Assignment
    from ops.watch.clients import Clients

# DescribeServices takes no more at once.
AT_ONCE = 10


def gauge(assignment: Assignment, clients: Clients) -> list[Measure]:
    """Tasks that should run and do not. Of a service that is gone, one: somebody wanted it to be there."""
    found: dict[str, ServiceTypeDef] = {}
    for first in range(0, len(assignment.services), AT_ONCE):
        names = assignment.services[first : first + AT_ONCE]
        answer = clients.ecs.describe_services(cluster=assignment.name, services=list(names))
        found |= {service["serviceName"]: service for service in answer["services"] if service["status"] == "ACTIVE"}
    return [
        Measure(name="TasksMissing", value=float(_missing(found.get(name))), dimensions={"Service": name})
        for name in assignment.services
    ]


def _missing(service: ServiceTypeDef | None) -> int:
    return max(0, service["desiredCount"] - service["runningCount"]) if service else 1
