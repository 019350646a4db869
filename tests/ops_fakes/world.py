"""One fake account, and real boto3 clients whose requests it answers before they reach the network."""

from __future__ import annotations

import contextlib
import functools
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import validate_parameters

from ops.__main__ import main
from ops.aws import Aws
from tests.ops_fakes.account import ACCOUNT, ARN, DNS_NAME, REGION, TARGET_GROUP, Refused
from tests.ops_fakes.alarms import AlarmsFake
from tests.ops_fakes.dynamodb import RecordsFake
from tests.ops_fakes.ecs import EcsFake
from tests.ops_fakes.images import ImagesFake
from tests.ops_fakes.log_events import LogEventsFake
from tests.ops_fakes.objects import ObjectsFake
from tests.ops_fakes.queries import QueriesFake
from tests.ops_fakes.schedules import SchedulesFake
from tests.ops_fakes.secrets import SecretsFake
from tests.ops_fakes.sessions import SessionsFake
from tests.ops_fakes.targets import TargetsFake
from tests.recorder import ROOT
from tests.shipped import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest
    from botocore.model import OperationModel

BALANCER = ARN.format("elasticloadbalancing", "loadbalancer/app/pactum-staging/0123456789abcdef")


@dataclass
class World(
    EcsFake,
    SecretsFake,
    RecordsFake,
    AlarmsFake,
    TargetsFake,
    LogEventsFake,
    SchedulesFake,
    SessionsFake,
    QueriesFake,
    ObjectsFake,
    ImagesFake,
):
    """What exists in the fake account; tests change it freely."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """Called before the named operation is answered; may raise Refused or a botocore error."""
    logs: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    listeners: list[dict[str, Any]] = field(default_factory=lambda: [{"Protocol": "HTTP", "Port": 80}])

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    def get_caller_identity(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/tester"}

    def get_log_events(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = (asked["logGroupName"], asked["logStreamName"])
        if key not in self.logs:
            raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")
        lines = self.logs[key]
        if asked["startFromHead"]:
            start = int(asked.get("nextToken", "f/0").removeprefix("f/"))
            page = lines[start : start + 2]  # small pages, so that paging is exercised
        else:
            start = max(0, len(lines) - asked["limit"])
            page = lines[start:]
        events = [{"timestamp": 1, "message": line, "ingestionTime": 1} for line in page]
        return {"events": events, "nextForwardToken": f"f/{start + len(page)}", "nextBackwardToken": f"b/{start}"}

    def describe_target_groups(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"TargetGroupArns": [TARGET_GROUP]}
        return {"TargetGroups": [{"TargetGroupArn": TARGET_GROUP, "LoadBalancerArns": [BALANCER]}]}

    def describe_load_balancers(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"LoadBalancers": [{"LoadBalancerArn": BALANCER, "DNSName": DNS_NAME}]}

    def describe_listeners(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"Listeners": self.listeners}


class _Gateway:
    """Stands where the network would be: hands each request to the world of the running test."""

    def __init__(self) -> None:
        self.world = World()

    def remember(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = dict(params)

    def answer(self, model: OperationModel, context: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        asked = context["asked"]
        self.world.calls.append((model.name, asked))
        try:
            self.world.before.get(model.name, lambda: None)()
            method = xform_name(model.name)
            body = getattr(self.world, method)(asked)
        except Refused as refused:
            error = {"Error": {"Code": refused.code, "Message": refused.message}}
            return AWSResponse("https://fake", 400, HTTPHeaders(), None), error
        if model.output_shape is not None:
            validate_parameters(body, model.output_shape)
        return AWSResponse("https://fake", 200, HTTPHeaders(), None), body


_GATEWAY = _Gateway()


@functools.cache
def _connected() -> Aws:
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    # Every client of the session has these, whenever it is made.
    session.events.register("before-parameter-build", _GATEWAY.remember)
    session.events.register("before-call", _GATEWAY.answer)  # type: ignore[arg-type]  # answers there are wanted
    return Aws(session)


def connect(world: World) -> Aws:
    """Return real clients whose requests this world answers."""
    _GATEWAY.world = world
    return _connected()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a person sees of one run."""

    code: int
    out: str
    err: str


def run_ops(
    world: World, capsys: pytest.CaptureFixture[str], *arguments: str, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Run `python -m ops` with these arguments against a fake world, from where the test is or the shipped project."""
    aws = connect(world)
    with contextlib.chdir(SHIPPED) if Path.cwd() == ROOT else contextlib.nullcontext():
        code = main(arguments, environment=environment or {}, connect=lambda: aws, clock=world.clock)
    seen = capsys.readouterr()
    return Outcome(code=code, out=seen.out, err=seen.err)
