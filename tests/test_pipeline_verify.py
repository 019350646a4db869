"""`ci-verify`: the operator's verdict first, then the address that users have."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline import child, verifying
from ops.pipeline.child import Ran
from ops.pipeline.pulumi import Pulumi
from tests.ops_fakes.account import DNS_NAME, OLD_RELEASE, RELEASE
from tests.ops_fakes.context import context_of
from tests.ops_fakes.rollout import Front
from tests.ops_fakes.world import World
from tests.pipeline_fakes import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTPUTS = '{"url": "https://pactum.example.com", "balancer_dns_name": "balancer.elb"}'


class Case:
    """A project, what `ops verify` says, and a server where users' requests arrive."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, front: Front) -> None:
        self.project, self.world, self.front = Project(directory), World(), front
        self.code, self.called = 0, list[str]()
        monkeypatch.setattr(child, "stream", self._stream)

    def _stream(self, command: list[str], **_: object) -> Ran:
        self.called += command
        return Ran(code=self.code)

    def verify(self, outputs: str = OUTPUTS, **changes: str) -> int:
        environment = {"OPS_CONNECT_TO": self.front.address, **changes}
        context = context_of(self.world, environment)
        told = self.project.push(FAKE_OUTPUTS=outputs)
        pulumi = Pulumi("staging", root=self.project.root, environment=told)
        return verifying.verify(context, RELEASE, self.project.root, pulumi)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    front = Front()
    thread = threading.Thread(target=front.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Case(tmp_path, monkeypatch, front)
    front.server.shutdown()
    front.server.server_close()
    thread.join()


def test_both_have_to_see_the_release(case: Case) -> None:
    assert case.verify() == 0
    about = ["-m", "ops", "verify", "--stack", "staging", "--project", "pactum", "--release", RELEASE]
    assert case.called[1:] == about
    assert case.front.asked == [("/readyz", "balancer.elb:443")]


def test_the_verdicts_exit_code_is_the_stages_and_users_are_not_asked(case: Case) -> None:
    case.code = 1
    assert case.verify() == 1
    assert case.front.asked == []


def test_users_are_waited_for_as_long_as_a_name_takes_to_be_known(case: Case) -> None:
    case.front.answers = [(503, RELEASE), (200, OLD_RELEASE), (200, RELEASE)]
    assert case.verify() == 0
    assert len(case.front.asked) == 3


@pytest.mark.parametrize("answer", [(200, OLD_RELEASE), (503, RELEASE)])
def test_an_address_that_answers_with_something_else_is_red_with_its_answer(
    case: Case, answer: tuple[int, str]
) -> None:
    case.front.answers = [answer]
    with pytest.raises(OpsError) as refused:
        case.verify()
    assert answer[1] in str(refused.value)
    assert "the domain's record" in str(refused.value)
    assert case.world.clock.time >= verifying.USERS_SECONDS


def test_the_path_is_the_stacks_own(case: Case) -> None:
    case.project.write("Pulumi.staging.yaml", "config: { pactum:readinessPath: /ready }\n")
    case.verify()
    assert case.front.asked[0][0] == "/ready"


def test_without_an_address_it_cannot_act(case: Case) -> None:
    with pytest.raises(CannotAct, match="Deploy it first"):
        case.verify(outputs="{}")


@pytest.mark.parametrize("given", ["localhost", ":80", "host:http"])
def test_a_wrong_way_there_is_refused(case: Case, given: str) -> None:
    with pytest.raises(CannotAct, match="give HOST:PORT"):
        case.verify(OPS_CONNECT_TO=given)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "header"),
    [
        ("https://pactum.example.com", "pactum.example.com", 443, True, "pactum.example.com"),
        ("http://balancer.elb", "balancer.elb", 80, False, "balancer.elb"),
        ("http://balancer.elb:8080/", "balancer.elb", 8080, False, "balancer.elb:8080"),
    ],
)
def test_users_reach_it_by_the_address_that_the_stack_answers(
    url: str, host: str, port: int, tls: bool, header: str
) -> None:
    door = verifying.users_door(context_of(World()), url, "balancer.elb", "/readyz")
    assert (door.connect_host, door.connect_port, door.tls, door.host_header) == (host, port, tls, header)
    assert door.host == host, "whose certificate it has to be"


@pytest.mark.parametrize(
    ("file", "listener", "host", "port", "header"),
    [
        ("pactum:domainName: shop.example.com", ("HTTPS", 443), "shop.example.com", 443, "shop.example.com"),
        ("pactum:replicas: 1", ("HTTP", 80), DNS_NAME, 80, DNS_NAME),
    ],
)
def test_a_stack_whose_outputs_are_anothers_is_asked_where_its_file_says(
    case: Case, file: str, listener: tuple[str, int], host: str, port: int, header: str
) -> None:
    """As production's job asks staging: by the domain's own record, which is part of what users need."""
    case.project.write("Pulumi.staging.yaml", f"config: {{ {file} }}\n")
    case.world.serve(case.world.deployment(case.world.define("web", 1, READINESS_PATH="/ready"), "COMPLETED"))
    case.world.listeners = [{"Protocol": listener[0], "Port": listener[1]}]
    door = verifying.door_of_service(context_of(case.world), case.project.root)
    assert (door.connect_host, door.connect_port, door.host_header) == (host, port, header)
    assert (door.host, door.tls) == (host, listener[0] == "HTTPS")
    assert door.readiness_path == "/ready"


def test_in_a_rehearsal_it_is_asked_by_the_gateway(case: Case) -> None:
    case.project.write("Pulumi.staging.yaml", "config: { pactum:domainName: shop.example.com }\n")
    case.world.serve(case.world.deployment(case.world.define("web", 1), "COMPLETED"))
    context = context_of(case.world, {"OPS_CONNECT_TO": case.front.address})
    door = verifying.door_of_service(context, case.project.root)
    assert f"{door.connect_host}:{door.connect_port}" == case.front.address
    verifying.ask_users(context, RELEASE, door)
    assert case.front.asked == [("/readyz", DNS_NAME)]
