"""The metrics that alarms and dashboard look at: whose they are, and by which dimensions CloudWatch knows them."""

from collections.abc import Mapping

import pulumi

from infra.observability.alarm import Metric, Place
from infra.observability.names import namespace
from infra.settings import Settings

WEB = "web"
Places = Mapping[Place, pulumi.Input[str]]
_BALANCER: Mapping[str, str | Place] = {"LoadBalancer": Place.BALANCER}


def of_balancer(name: str, statistic: str = "Sum") -> Metric:
    """What the balancer counts of itself."""
    return Metric(namespace="AWS/ApplicationELB", name=name, statistic=statistic, dimensions=_BALANCER)


def of_targets(name: str, statistic: str = "Sum") -> Metric:
    """What the balancer counts of the tasks behind it."""
    dimensions = {**_BALANCER, "TargetGroup": Place.TARGET_GROUP}
    return Metric(namespace="AWS/ApplicationELB", name=name, statistic=statistic, dimensions=dimensions)


def of_web(settings: Settings, name: str, statistic: str) -> Metric:
    """What ECS measures of the web service. Its names are literal: no alarm has to wait for the service."""
    dimensions: dict[str, str | Place] = {"ClusterName": settings.name, "ServiceName": WEB}
    return Metric(namespace="AWS/ECS", name=name, statistic=statistic, dimensions=dimensions)


def of_database(name: str, statistic: str) -> Metric:
    """What RDS measures of the instance."""
    dimensions = {"DBInstanceIdentifier": Place.DATABASE}
    return Metric(namespace="AWS/RDS", name=name, statistic=statistic, dimensions=dimensions)


def own(settings: Settings, name: str, statistic: str = "Sum", **dimensions: str) -> Metric:
    """A metric of the stack's own namespace."""
    return Metric(namespace=namespace(settings), name=name, statistic=statistic, dimensions=dimensions)


def dimensions(metric: Metric, places: Places) -> dict[str, pulumi.Input[str]]:
    """A metric's dimensions, with what only AWS knows the name of."""
    return {name: places[value] if isinstance(value, Place) else value for name, value in metric.dimensions.items()}


def services(settings: Settings) -> list[str]:
    """The services of ECS that have tasks all the time."""
    return [WEB, *(worker.name for worker in settings.processes.workers)]
