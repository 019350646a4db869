"""The AWS clients the commands use, and whose account they act in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import NoRegionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

# A wait polls for minutes: one lost packet must not end it, and a silent endpoint must not hang it.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="pactum-ops",
)
# Signs of life are given in between other things: a release memory that does not answer must not hold those up. Nor
# must schedules that cannot be asked hold up a rollback.
QUICK = CONFIG.merge(
    Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}),
)


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Whose account a command acts in, where, and as whom."""

    account: str
    region: str
    endpoint: str | None
    """An address in place of AWS's own, as in the rehearsal."""
    identity_arn: str

    def __str__(self) -> str:
        at = f" at {self.endpoint}" if self.endpoint else ""
        return f"account {self.account}, region {self.region}{at}, as {self.identity_arn}"


class Aws:
    """One client per service, made when first needed, from boto3's default credential and region chain."""

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        # The AWS command line and the other SDKs read AWS_REGION; boto3 alone knows only AWS_DEFAULT_REGION.
        self._session = session or boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)

    @property
    def region(self) -> str:
        """The region in use.

        Raises:
            NoRegionError: neither the environment nor the profile names one.

        """
        region = self._session.region_name
        if not region:
            raise NoRegionError
        return region

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """CloudWatch (alarms)."""
        return self._session.client("cloudwatch", config=CONFIG)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return self._session.client("dynamodb", config=QUICK)

    @cached_property
    def ecr(self) -> ECRClient:
        """Elastic Container Registry."""
        return self._session.client("ecr", config=CONFIG)

    @cached_property
    def ecs(self) -> ECSClient:
        """Elastic Container Service."""
        return self._session.client("ecs", config=CONFIG)

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing (application load balancers)."""
        return self._session.client("elbv2", config=CONFIG)

    @cached_property
    def functions(self) -> Any:  # noqa: ANN401 - its stubs are not among those installed
        """Lambda."""
        return self._session.client("lambda", config=CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        return self._session.client("logs", config=CONFIG)

    @cached_property
    def rds(self) -> RDSClient:
        """Relational databases."""
        return self._session.client("rds", config=CONFIG)

    def s3(self, *, region: str | None = None, endpoint: str | None = None) -> S3Client:
        """S3, which may be in another region than the stack, or another maker's."""
        return self._session.client("s3", region_name=region, endpoint_url=endpoint, config=CONFIG)

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """EventBridge Scheduler."""
        return self._session.client("scheduler", config=QUICK)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Secrets Manager."""
        return self._session.client("secretsmanager", config=CONFIG)

    @cached_property
    def sts(self) -> STSClient:
        """Security Token Service."""
        return self._session.client("sts", config=CONFIG)

    def whereabouts(self, environment: Mapping[str, str]) -> Whereabouts:
        """Ask AWS whose credentials these are.

        Raises:
            NoRegionError: no region is chosen; noticed before AWS is asked.

        """
        region = self.region
        identity = self.sts.get_caller_identity()
        return Whereabouts(
            account=identity["Account"],
            region=region,
            endpoint=environment.get("AWS_ENDPOINT_URL"),
            identity_arn=identity["Arn"],
        )
