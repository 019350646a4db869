"""A release that is healthy and answers errors: the balancer counts them, the alarm goes off, ECS rolls back."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, Load, until

ALARM = "errors-of-the-release"


def suffix(arn: str) -> str:
    """A balancer's or target group's ARN as CloudWatch's dimensions have it."""
    return arn.rsplit(":loadbalancer/", maxsplit=1)[-1] if ":loadbalancer/" in arn else arn.rsplit(":", 1)[-1]


def alarm_on_errors(cloud: Cloud, balancer: str, group: str) -> None:
    """An alarm on ten errors of targets in a minute."""
    dimensions = {"LoadBalancer": suffix(balancer), "TargetGroup": suffix(group)}
    cloud.cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )


@pytest.fixture
def balancer(cloud: Cloud) -> Iterator[tuple[str, str, str]]:
    """(DNS name, target group, subnet) of a balancer with an alarm; other tests need theirs to be the first."""
    made = cloud.balancer("errors")
    arn = cloud.elb.describe_load_balancers(Names=["errors"])["LoadBalancers"][0]["LoadBalancerArn"]
    alarm_on_errors(cloud, arn, made[1])
    yield made
    cloud.ecs.delete_service(cluster=CLUSTER, service="errors", force=True)
    cloud.elb.delete_load_balancer(LoadBalancerArn=arn)


def test_errors_after_the_rollout_roll_it_back(cloud: Cloud, balancer: tuple[str, str, str]) -> None:
    name, group, subnet = balancer
    good, bad = cloud.task_definition(), cloud.task_definition({"ANSWER": "500"})
    cloud.service("errors", good, group, subnet)
    cloud.settled("errors", good, 30)
    alarms = {"alarmNames": [ALARM], "enable": True, "rollback": True}
    breaker = {"enable": True, "rollback": True}
    configuration: Any = {"alarms": alarms, "deploymentCircuitBreaker": breaker}
    with Load(cloud.port, name) as load:
        cloud.ecs.update_service(
            cluster=CLUSTER, service="errors", taskDefinition=bad, deploymentConfiguration=configuration
        )
        until(lambda: load.answers.get(500, 0) > 20, 30, "the bad release to serve")
        baking = cloud.deployments("errors")[bad.rsplit(":", 1)[-1]]
        assert (baking["status"], baking["rolloutState"]) == ("PRIMARY", "IN_PROGRESS"), "ECS watches it for a while"
        cloud.settled("errors", good, 80)
    failed = cloud.deployments("errors")[bad.rsplit(":", 1)[-1]]
    assert failed["rolloutState"] == "FAILED", "healthy as it was"
    assert "alarm" in failed["rolloutStateReason"], "and this is why"
    assert load.failed.keys() == {500}, "nobody got anything but the two releases' own answers"
    state = cloud.cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
    assert state["StateValue"] == "ALARM", state["StateReason"]
