"""The clients of AWS that the watch needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A call that stays without an answer has to be given up well before the pass has to end.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
    user_agent_extra="pactum-watch",
)


@dataclass(frozen=True, kw_only=True)
class Clients:
    """One for each service."""

    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    ecs: ECSClient
    scheduler: EventBridgeSchedulerClient
    secretsmanager: SecretsManagerClient


def connect() -> Clients:
    """Make them from the function's own role and region."""
    session = boto3.session.Session()
    return Clients(
        cloudwatch=session.client("cloudwatch", config=CONFIG),
        dynamodb=session.client("dynamodb", config=CONFIG),
        ecs=session.client("ecs", config=CONFIG),
        scheduler=session.client("scheduler", config=CONFIG),
        secretsmanager=session.client("secretsmanager", config=CONFIG),
    )
