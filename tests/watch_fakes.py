"""What the watch looks at, in a fake account."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.watch.assignment import Assignment, read
from ops.watch.clients import Clients
from tests.ops_fakes.account import BASE_TIME, DNS_NAME, Refused
from tests.ops_fakes.world import World, connect

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE, ITEM = "pactum-staging-releases", "watch:jobs"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:pactum/staging/"
KEY, LOGIN = f"{SECRETS}secret-key-1-abcdef", f"{SECRETS}database-login-1-abcdef"
ENVIRONMENT = {
    "NAME": "pactum-staging",
    "NAMESPACE": "pactum/staging",
    "READINESS_URL": f"http://{DNS_NAME}/readyz",
    "BALANCER": DNS_NAME,
    "SERVICES": "web,mail",
    "JOBS": "nightly",
    "ITEM": ITEM,
    "SECRETS_BY_NAME": json.dumps([SECRETS, ["secret-key-1-abcdef", "database-login-1-abcdef"]]),
}


@dataclass
class Watched(World):
    """A stack with two services, one job and two secrets, and what was published about it."""

    published: list[dict[str, Any]] = field(default_factory=list)
    services_: dict[str, tuple[int, int]] = field(default_factory=lambda: {"web": (2, 2), "mail": (1, 1)})
    """Desired and running tasks."""
    inactive: set[str] = field(default_factory=set)
    made: dict[str, dt.datetime] = field(default_factory=lambda: {"nightly": BASE_TIME - dt.timedelta(days=30)})
    """When the schedule of each job was made."""
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=lambda: {"Environment": {"Variables": dict(ENVIRONMENT)}})

    def describe_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["cluster"] == "pactum-staging"
        assert len(asked["services"]) <= 10, "ECS refuses more at once"
        return {
            "services": [
                {
                    "serviceName": name,
                    "status": "INACTIVE" if name in self.inactive else "ACTIVE",
                    "desiredCount": self.services_[name][0],
                    "runningCount": self.services_[name][1],
                }
                for name in asked["services"]
                if name in self.services_
            ]
        }

    def get_schedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["GroupName"] == "pactum-staging"
        job = asked["Name"].removeprefix("pactum-staging-")
        if job not in self.made:
            raise Refused("ResourceNotFoundException", f"Schedule {asked['Name']} does not exist.")
        return {"Name": asked["Name"], "CreationDate": self.made[job]}

    def list_secret_version_ids(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"ARN": asked["SecretId"], "Versions": self.versions.get(asked["SecretId"], [])}

    def update_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The one update there is: a job's moment, where the one that is there is earlier."""
        assert asked["UpdateExpression"] == "SET #job = :moment"
        assert asked["ConditionExpression"] == "attribute_not_exists(#job) OR #job < :moment"
        job, moment = asked["ExpressionAttributeNames"]["#job"], asked["ExpressionAttributeValues"][":moment"]
        assert job not in asked["Key"], "Cannot update attribute: it is part of the key"
        item = self.items.setdefault((asked["TableName"], asked["Key"]["stack"]["S"]), {"stack": asked["Key"]["stack"]})
        if job in item and float(item[job]["N"]) >= float(moment["N"]):
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        item[job] = moment
        return {}

    def put_metric_data(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.published.append(asked)
        return {}

    def get_function_configuration(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["FunctionName"] != "pactum-staging-watch":
            raise Refused("ResourceNotFoundException", "Function not found")
        return self.configuration

    def succeeded(self, job: str) -> float | None:
        """What is remembered of a job, as seconds since 1970."""
        value = self.items.get((TABLE, ITEM), {}).get(f"job:{job}")
        return float(value["N"]) if value else None

    def put_value(self, arn: str, days_ago: float, *stages: str) -> None:
        """Give a secret a version that was made so long ago."""
        made = BASE_TIME - dt.timedelta(days=days_ago)
        self.versions.setdefault(arn, []).append(
            {"VersionId": f"{days_ago:032}", "VersionStages": list(stages), "CreatedDate": made}
        )


def clients_of(world: World) -> Clients:
    """The watch's clients, answered by this world."""
    aws = connect(world)
    return Clients(
        cloudwatch=aws.cloudwatch,
        dynamodb=aws.dynamodb,
        ecs=aws.ecs,
        scheduler=aws.scheduler,
        secretsmanager=aws.secretsmanager,
    )


def assignment_of(**changes: str) -> Assignment:
    """What is watched, with other variables."""
    environment: Mapping[str, str] = {**ENVIRONMENT, **changes}
    return read(environment)
