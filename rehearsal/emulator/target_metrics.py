"""What a balancer reports each minute of the targets that it probes."""

from ministack.core.responses import request_scope
from ministack.services import alb

from rehearsal.cloudwatch.statistics import value
from rehearsal.emulator import metric_store
from rehearsal.emulator.balancer_metrics import NAMESPACE
from rehearsal.emulator.minute_metrics import Publisher
from rehearsal.emulator.patching import Extension
from rehearsal.emulator.target_health import TargetRegistry

EXTENSION = Extension(
    name="target metrics",
    rule=(
        "HealthyHostCount and UnHealthyHostCount per balancer and target group each minute, with or without requests; "
        "nothing of a group in which no target is registered"
    ),
    source="CloudWatch metrics for your Application Load Balancer",
)
METRICS = {"HealthyHostCount": "healthy", "UnHealthyHostCount": "unhealthy"}


def of(registry: TargetRegistry) -> Publisher:
    """What publishes the states of a registry's targets."""

    def publish(minute: int) -> None:
        for (account, region, arn), group in list(alb._tgs._data.items()):
            states = [target.state for _address, _port, target in registry.of(arn) if target.state != "draining"]
            for balancer in group.get("LoadBalancerArns", []) if states else []:
                dimensions = {
                    "LoadBalancer": balancer.split(":loadbalancer/", 1)[-1],
                    "TargetGroup": arn.rsplit(":", 1)[-1],
                }
                with request_scope(account, region):
                    for metric, state in METRICS.items():
                        metric_store.put(NAMESPACE, metric, dimensions, minute, "Count", [value(states.count(state))])

    return publish
