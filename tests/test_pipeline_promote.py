"""What `ci-promote` brings from staging to production, and what it refuses: each refusal before anything is changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, InFlight
from tests.deployment_case import DENIAL, Case
from tests.ops_fakes.rollout import Front
from tests.pipeline_fakes import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ops_fakes.world import Outcome


class Promotion(Case):
    """The same, with a server where the requests of staging's users arrive; it serves what staging runs."""

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], front: Front
    ) -> None:
        super().__init__(directory, monkeypatch, capfd)
        monkeypatch.setattr("ops.pipeline.promote.verify", lambda *_: 0)
        self.front = front
        front.answers = [(200, OLD)]

    def run(self, *arguments: str, **changes: str) -> Outcome:
        return super().run(*arguments, OPS_CONNECT_TO=self.front.address, **changes)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Promotion]:
    front = Front()
    thread = threading.Thread(target=front.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Promotion(tmp_path, monkeypatch, capfd, front)
    front.server.shutdown()
    front.server.server_close()
    thread.join()


def test_promote_brings_what_staging_serves_by_the_program_of_its_commit(case: Promotion) -> None:
    case.account.runs("prod", "sha256:" + "f" * 64, case.project.first)
    case.project.git("checkout", "--quiet", "main")
    seen = case.run("promote")
    assert seen.code == 0, seen.err
    assert f"pactum:imageDigest={OLD}" in case.project.asked
    assert f"PACTUM_COMMIT={case.project.second}" in case.project.asked
    assert "users of staging get it" in seen.out
    assert case.front.asked == [("/readyz", "pactum-staging-1234.us-east-1.elb.amazonaws.com")], "staging's users"
    assert "/pactum-commit-" in case.project.asked, "the checkout is at a later commit, whose program is not deployed"


def test_promote_returns_the_code_of_what_failed(case: Promotion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.pipeline.promote.verify", lambda *_: 1)
    assert case.run("promote").code == 1
    assert case.run("promote", FAKE_CODE="255").code == 255


def test_promote_refuses_what_was_not_merged(case: Promotion) -> None:
    case.project.git("checkout", "--quiet", "-b", "develop")
    beside = case.project.commit("beside")
    case.project.git("checkout", "--quiet", "main")
    case.account.images[NEW] = [f"tested-{beside}"]
    case.account.runs("staging", NEW, beside)
    assert "is not part of 'main'" in case.refused("promote")


def test_promote_refuses_what_no_pipeline_tested_and_what_is_being_changed(case: Promotion) -> None:
    case.account.images[OLD] = []
    assert "no pipeline tested it" in case.refused("promote")
    flight = InFlight(kind="update", digest=NEW, who="ben", host="a", began_at="b", seen_at="c")
    case.account.change("staging", in_flight=flight)
    assert "is being changed: ben on a" in case.refused("promote")


def test_promote_refuses_what_does_not_serve_well(case: Promotion) -> None:
    case.account.runs("staging", NEW, case.project.third, verdict=FAILED)
    assert "was not seen to serve well (its verdict is: failed)" in case.refused("promote")
    case.account.services.clear()
    assert "was never deployed" in case.refused("promote")


def test_promote_refuses_what_ecs_runs_and_nobody_remembers(case: Promotion) -> None:
    """As after somebody's `aws ecs update-service`: the memory's live release is another one."""
    remembered = case.account.record("pactum-staging-releases", "staging").releases
    case.account.runs("staging", NEW, case.project.third)
    case.account.change("staging", releases=remembered)
    assert f"runs {NEW}, and that was not seen to serve well (its memory does not know it)" in case.refused("promote")


def test_promote_takes_production_nowhere_it_was_forbidden_to_go(case: Promotion) -> None:
    case.account.runs("prod", NEW, case.project.third)
    assert "would take prod back" in case.refused("promote")
    case.account.runs("prod", OLD, case.project.first)
    case.account.change("prod", denials={OLD: DENIAL})
    assert "loses orders" in case.refused("promote")


def test_promote_needs_a_stack_to_promote_from(case: Promotion) -> None:
    assert "name the stack whose image" in case.refused("promote", "--after", "none")


def test_promote_refuses_what_a_person_has_denied_in_staging_though_it_goes_on_serving(case: Promotion) -> None:
    """A denial stops nothing that runs, and production must not be the way round it."""
    case.account.runs("prod", "sha256:" + "f" * 64, case.project.first)
    case.account.change("staging", denials={OLD: DENIAL})
    told = case.refused("promote")
    assert "is denied there, by eva" in told
    assert "loses orders" in told
    assert f"python -m ops allow {OLD} --stack staging" in told
    case.account.change("staging", denials={NEW: DENIAL})
    assert case.run("promote").code == 0, "another image is"


@pytest.mark.parametrize("answer", [(503, OLD), (200, NEW)])
def test_promote_refuses_what_stagings_users_do_not_get(case: Promotion, answer: tuple[int, str]) -> None:
    """As its own `ci-verify` does, which leaves no trace: the update before it was green."""
    case.account.runs("prod", "sha256:" + "f" * 64, case.project.first)
    case.front.answers = [answer]
    told = case.refused("promote")
    assert "where users find stack staging of project pactum" in told
    assert answer[1] in told
