"""Events as AWS documents them, with our names in them: what rules and metric filters are held against.

From the Amazon ECS Developer Guide ("Amazon ECS task state change events", "Amazon ECS service deployment state change
events", "Amazon ECS service action events") and the Amazon RDS User Guide ("Monitoring Amazon RDS events"): the fields
are AWS's own, those that nothing here looks at are left out.
"""

from __future__ import annotations

from typing import Any

from tests.recorder import ACCOUNT, REGION

NAME = "pactum-staging"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{NAME}"
DATABASE = f"{NAME}-database"
Event = dict[str, Any]


def _event(source: str, kind: str, resource: str, detail: dict[str, Any]) -> Event:
    return {
        "version": "0",
        "id": "3317b2af-7005-947d-b652-f55e762e571a",
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-23T17:57:58Z",
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }


def stopped_task(group: str, stop_code: str, exit_code: int | None, cluster: str = CLUSTER) -> Event:
    """A task that ended; without an exit code it could not start."""
    arn = f"{cluster.replace(':cluster/', ':task/')}/c13b4cb40f1f4fe4a2971f76ae5a47ad"
    container: dict[str, Any] = {
        "containerArn": arn.replace(":task/", ":container/"),
        "lastStatus": "STOPPED",
        "name": group.rpartition(":")[2],
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/pactum@sha256:{'ab' * 32}",
        "runtimeId": "fd9c7f2d6b0e4a43b5d2c6ba09d4b2e3",
        "taskArn": arn,
        "networkInterfaces": [
            {"attachmentId": "789abcde-f012-3456-7890-abcdef012345", "privateIpv4Address": "10.0.0.9"}
        ],
        "cpu": "0",
    }
    if exit_code is not None:
        container["exitCode"] = exit_code
    return _event(
        "aws.ecs",
        "ECS Task State Change",
        arn,
        {
            "attachments": [{"id": "1789bcae-ddfb-4d10-8ebe-8ac87ddba5b8", "type": "eni", "status": "DELETED"}],
            "availabilityZone": f"{REGION}a",
            "clusterArn": cluster,
            "containers": [container],
            "cpu": "256",
            "desiredStatus": "STOPPED",
            "group": group,
            "lastStatus": "STOPPED",
            "launchType": "FARGATE",
            "memory": "512",
            "platformVersion": "1.4.0",
            "stopCode": stop_code,
            "stoppedReason": "Essential container in task exited",
            "taskArn": arn,
            "taskDefinitionArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{NAME}-web:7",
            "version": 6,
        },
    )


def deployment(name: str, service: str = f"{NAME}/web") -> Event:
    """How a deployment goes. AWS's own example names no cluster."""
    return _event(
        "aws.ecs",
        "ECS Deployment State Change",
        f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{service}",
        {
            "eventType": "ERROR" if name.endswith("FAILED") else "INFO",
            "eventName": name,
            "deploymentId": "ecs-svc/1234567890123456789",
            "updatedAt": "2026-11-23T17:57:57Z",
            "reason": "ECS deployment circuit breaker: task failed to start.",
        },
    )


def service_action(name: str) -> Event:
    """What ECS says of a service besides."""
    return _event(
        "aws.ecs",
        "ECS Service Action",
        f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{NAME}/web",
        {"eventType": "INFO", "eventName": name, "clusterArn": CLUSTER, "createdAt": "2026-11-23T17:57:57.625Z"},
    )


def of_database(event_id: str, category: str, message: str, identifier: str = DATABASE) -> Event:
    """What RDS says of an instance."""
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{identifier}"
    return _event(
        "aws.rds",
        "RDS DB Instance Event",
        arn,
        {
            "EventCategories": [category],
            "SourceType": "DB_INSTANCE",
            "SourceArn": arn,
            "Date": "2026-11-23T17:57:57.292Z",
            "Message": message,
            "SourceIdentifier": identifier,
            "EventID": event_id,
        },
    )
