"""Application Auto Scaling: a service is brought between its bounds when these change; no load ever scales it."""

from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

_BOUNDS = frozenset({"minCapacity", "maxCapacity"})


def _into_bounds(tools: Tools, inputs: Properties) -> Made:
    """What Application Auto Scaling does when a scalable target is registered, or registered anew.

    AWS: it "initiates scaling activities when you modify the maximum or minimum size of the scalable target".
    """
    _, cluster, service = inputs["resourceId"].split("/")
    ecs = tools.client("ecs")
    desired = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["desiredCount"]
    wanted = min(max(desired, inputs["minCapacity"]), inputs["maxCapacity"])
    if wanted != desired:
        ecs.update_service(cluster=cluster, service=service, desiredCount=wanted)
    return Made(id=inputs["resourceId"], outputs={})


SCALING: dict[str, Realiser] = {
    "aws:appautoscaling/target:Target": Realiser(
        create=lambda tools, _, inputs: _into_bounds(tools, inputs),
        update=lambda tools, _, inputs: _into_bounds(tools, inputs),
        properties=frozenset({"resourceId", "serviceNamespace", "scalableDimension", *_BOUNDS}),
        updatable=_BOUNDS,
        not_rehearsed={"tags": "the emulator has no Application Auto Scaling"},
    ),
}
