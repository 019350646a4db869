"""A minute of a real service: what its tasks write, use and answer becomes metrics once the minute is over."""

import json

import pytest

from emulator_cloud import CLUSTER, LOG_GROUP, Cloud, until


def test_a_real_service_is_reported(cloud: Cloud) -> None:
    name, target_group, subnet = cloud.balancer("measured")
    definition = cloud.task_definition({"VERSION": "1"})
    cloud.service("measured", definition, target_group, subnet)
    cloud.settled("measured", definition, 30)
    balancer = cloud.elb.describe_load_balancers(Names=["measured"])["LoadBalancers"][0]["LoadBalancerArn"]
    of_service = [{"Name": "ClusterName", "Value": CLUSTER}, {"Name": "ServiceName", "Value": "measured"}]
    of_targets = [
        {"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/")[1]},
        {"Name": "TargetGroup", "Value": target_group.rsplit(":", 1)[1]},
    ]

    def maximum(namespace: str, metric: str, dimensions: list[dict[str, str]]) -> list[float]:
        found = cloud.cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions},
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
            ],
            StartTime=began - 60,
            EndTime=began + 180,
        )
        return [float(number) for number in found["MetricDataResults"][0]["Values"]]

    began = cloud.describe("measured")["createdAt"].timestamp()
    until(lambda: 2.0 in maximum("AWS/ApplicationELB", "HealthyHostCount", of_targets), 65, "both targets")
    (memory, *_) = until(lambda: maximum("AWS/ECS", "MemoryUtilization", of_service), 5, "the tasks' memory")
    assert 1 < memory < 60, "a small Python server in 512 MiB"
    assert maximum("AWS/ECS", "CPUUtilization", of_service), name
    cloud.ecs.delete_service(cluster=CLUSTER, service="measured", force=True)
    # The front door leads to the oldest balancer there is.
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)


def test_lines_of_containers_and_of_callers_are_counted(cloud: Cloud) -> None:
    transformation = {"metricName": "Loud", "metricNamespace": "tests", "metricValue": "1"}
    cloud.logs.put_metric_filter(
        logGroupName=LOG_GROUP,
        filterName="loud",
        filterPattern="{ $.volume > 10 }",
        metricTransformations=[transformation],
    )
    with pytest.raises(cloud.logs.exceptions.InvalidParameterException, match="Invalid metric filter pattern"):
        cloud.logs.put_metric_filter(
            logGroupName=LOG_GROUP, filterName="bad", filterPattern="{ $", metricTransformations=[transformation]
        )
    loud = json.dumps({"volume": 11})
    arn = cloud.run(cloud.task_definition(command=["python3", "-c", f"print('''{loud}''')"]))
    cloud.stopped(arn)
    cloud.logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="by-hand")
    event = {"timestamp": int(until(lambda: cloud.task(arn)["stoppedAt"], 1, "its end").timestamp() * 1000)}
    cloud.logs.put_log_events(
        logGroupName=LOG_GROUP, logStreamName="by-hand", logEvents=[event | {"message": loud}, event | {"message": "x"}]
    )

    def counted() -> float:
        found = cloud.cloudwatch.get_metric_statistics(
            Namespace="tests",
            MetricName="Loud",
            StartTime=event["timestamp"] / 1000 - 120,
            EndTime=event["timestamp"] / 1000 + 60,
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    until(lambda: counted() == 2, 65, "the minute's end")
    cloud.logs.delete_metric_filter(logGroupName=LOG_GROUP, filterName="loud")
