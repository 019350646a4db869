"""A little AWS for the tests: clients of one running emulator and the few resources that most tests need."""

import http.client
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3

CLUSTER = "tests"
LOG_GROUP = "/tests"
SERVER = Path(__file__).parent / "server.py"
DOCKERFILE = """
FROM {base}
RUN mkdir /declared /undeclared && chmod 1777 /declared /undeclared
VOLUME /declared
COPY server.py /server.py
CMD ["python3", "/server.py"]
"""


def build_context(base: str) -> io.BytesIO:
    """The build context of the test server's image, as a tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as context:
        for name, content in (
            ("Dockerfile", DOCKERFILE.format(base=base).encode()),
            ("server.py", SERVER.read_bytes()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            context.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask again and again until the answer is truthy; fail with `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@dataclass
class Load:
    """Clients that ask the balancer for a page until told to stop."""

    port: int
    name: str
    path: str = "/"
    answers: dict[Any, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=15)

    @property
    def failed(self) -> dict[Any, int]:
        """What was answered other than a page, and how often."""
        return {
            answer: count for answer, count in self.answers.items() if not str(answer).startswith(("version", "slow"))
        }

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            try:
                status, body = get(self.port, self.path, self.name)
                answer: Any = body if status == 200 else status
            except (OSError, http.client.HTTPException) as error:
                answer = repr(error)
            self.answers[answer] = self.answers.get(answer, 0) + 1


def get(port: int, path: str, name: str) -> tuple[int, str]:
    """Ask a port of this machine as a client of the balancer with this DNS name would."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": name, "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


class Cloud:
    """Clients of one emulator."""

    def __init__(self, port: int, image: str) -> None:
        self.port = port
        self.image = image
        self.ecs, self.elb, self.ec2, self.ecr, self.logs, self.secrets, self.rds, self.cloudwatch, self.dynamodb = (
            self.client(name)
            for name in ("ecs", "elbv2", "ec2", "ecr", "logs", "secretsmanager", "rds", "cloudwatch", "dynamodb")
        )

    def client(self, service: str) -> Any:
        """A client of one service."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def task_definition(self, environment: dict[str, str] | None = None, **settings: Any) -> str:
        """Register a definition with one container and return its ARN."""
        volumes = settings.pop("volumes", [])
        fields = {"role": "taskRoleArn", "execution_role": "executionRoleArn"}
        roles = {field: settings.pop(name) for name, field in fields.items() if name in settings}
        container = {
            "name": "web",
            "image": self.image,
            "essential": True,
            "portMappings": [{"containerPort": 8000}],
            "environment": [{"name": k, "value": v} for k, v in (environment or {}).items()],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": LOG_GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
            },
        } | settings
        answer = self.ecs.register_task_definition(
            family="tests",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[container],
            volumes=volumes,
            **roles,
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def run(self, task_definition: str) -> str:
        """Start a one-off task and return its ARN."""
        answer = self.ecs.run_task(cluster=CLUSTER, taskDefinition=task_definition, launchType="FARGATE")
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        """Describe a task."""
        return dict(self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0])

    def stopped(self, arn: str, seconds: float = 30) -> dict[str, Any]:
        """Describe a task once it is STOPPED."""
        return dict(
            until(lambda: self.task(arn) if self.task(arn)["lastStatus"] == "STOPPED" else None, seconds, "STOPPED")
        )

    def log(self, arn: str) -> list[str]:
        """The lines that a task's container wrote."""
        stream = f"web/web/{arn.rsplit('/', 1)[-1]}"
        events = self.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]

    def balancer(self, name: str, delay_seconds: int = 1) -> tuple[str, str, str]:
        """Make a load balancer and its target group: (DNS name, target group, subnet)."""
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        balancer = self.elb.create_load_balancer(Name=name, Subnets=[subnet])["LoadBalancers"][0]
        group = self.elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=8000,
            VpcId=vpc,
            TargetType="ip",
            HealthCheckPath="/healthz",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay_seconds)}],
        )
        self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return balancer["DNSName"], group, subnet

    def service(self, name: str, task_definition: str, group: str, subnet: str, grace_seconds: int = 0) -> None:
        """Make a service of two tasks behind a target group, with circuit breaker and rollback."""
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=task_definition,
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
            loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 8000}],
            healthCheckGracePeriodSeconds=grace_seconds,
            deploymentConfiguration={
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
        )

    def unbalanced(self, name: str, task_definition: str) -> None:
        """Make a service of one task without a balancer, with a circuit breaker."""
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=task_definition,
            desiredCount=1,
            launchType="FARGATE",
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )

    def update(self, name: str, task_definition: str) -> None:
        """Roll a service to another task definition."""
        self.ecs.update_service(cluster=CLUSTER, service=name, taskDefinition=task_definition)

    def describe(self, name: str) -> dict[str, Any]:
        """Describe a service."""
        return dict(self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0])

    def deployments(self, name: str) -> dict[str, dict[str, Any]]:
        """The deployments of a service by task definition revision."""
        return {d["taskDefinition"].rsplit(":", 1)[-1]: d for d in self.describe(name)["deployments"]}

    def settled(self, name: str, task_definition: str, seconds: float) -> dict[str, Any]:
        """Describe the primary deployment once it is COMPLETED on this task definition."""

        def primary() -> dict[str, Any] | None:
            found = next(d for d in self.describe(name)["deployments"] if d["status"] == "PRIMARY")
            well = found["rolloutState"] == "COMPLETED" and found["taskDefinition"] == task_definition
            return dict(found) if well else None

        try:
            return dict(until(primary, seconds, f"{name} to settle"))
        except AssertionError as error:
            events = [event["message"] for event in self.describe(name)["events"]]
            raise AssertionError(f"{error}: {json.dumps(events, indent=1)}") from None
