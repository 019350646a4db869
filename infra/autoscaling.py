"""How many web tasks run: as many as the load wants, between the stack file's two bounds."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import appautoscaling

from infra.load_balancer import LoadBalancer
from infra.settings import WebSettings

# A new task has started, is healthy and counts in the metrics within a minute; sooner, the same load would be answered
# with tasks twice. One too many costs cents, one too few costs users: out fast, in slowly.
SCALE_OUT_COOLDOWN_SECONDS, SCALE_IN_COOLDOWN_SECONDS = 60, 300
CPU, REQUESTS = "ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"


@dataclass(frozen=True, kw_only=True)
class AutoscalingArgs:
    """The service's tasks are counted, and what `balancer` sends to each of them."""

    settings: WebSettings
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    balancer: LoadBalancer


class Autoscaling(pulumi.ComponentResource):
    """Keeps the CPU of web tasks, and the requests to each, around a target; the one that wants more tasks wins.

    Creates a scalable target and two target tracking policies, whose alarms AWS makes and deletes itself. It is there
    also where the bounds are equal: the service's own count is only set at its creation, and a raised webMinimum is
    brought about by the target. While ECS rolls a release out, Application Auto Scaling takes no task away by itself,
    but goes on adding. Leaves out step and scheduled scaling.
    """

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Autoscaling", name, None, opts)
        self._name, settings, balancer = name, args.settings, args.balancer
        self._target = appautoscaling.Target(
            f"{name}-web",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", args.cluster_name, "/", args.service_name),
            min_capacity=settings.minimum,
            max_capacity=settings.maximum,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._policy("cpu", CPU, settings.scale_cpu_percent)
        label = pulumi.Output.concat(balancer.arn_suffix, "/", balancer.target_group_arn_suffix)
        self._policy("requests", REQUESTS, settings.scale_requests_per_minute, label)
        self.register_outputs({})

    def _policy(self, label: str, metric: str, target: int, of: pulumi.Output[str] | None = None) -> None:
        appautoscaling.Policy(
            f"{self._name}-web-{label}",
            policy_type="TargetTrackingScaling",
            service_namespace=self._target.service_namespace,
            scalable_dimension=self._target.scalable_dimension,
            resource_id=self._target.resource_id,
            target_tracking_scaling_policy_configuration=appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=target,
                scale_out_cooldown=SCALE_OUT_COOLDOWN_SECONDS,
                scale_in_cooldown=SCALE_IN_COOLDOWN_SECONDS,
                predefined_metric_specification=(
                    appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                        predefined_metric_type=metric, resource_label=of
                    )
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
