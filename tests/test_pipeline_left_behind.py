"""A commit that staging has left behind: where it served well there, its pipeline goes on to production."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, LIVE, ROLLED_BACK, Release
from tests.deployment_case import DENIAL, Case
from tests.pipeline_fakes import NEW

if TYPE_CHECKING:
    from pathlib import Path

NEXT = "sha256:" + "f" * 64
SERVED_AT = "2026-11-22T10:00:00Z"


class LeftBehind(Case):
    """Main is at the third commit, which served well in staging; staging runs a fourth, which goes on from it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        super().__init__(directory, monkeypatch, capfd)
        self.fourth = self.project.commit("fourth")
        self.account.images[NEXT] = [f"tested-{self.fourth}"]
        self.account.runs("staging", NEXT, self.fourth)
        self.remember(LIVE)
        self.project.git("checkout", "--quiet", self.project.third)

    def remember(self, verdict: str) -> None:
        """Let staging remember what became of the third commit there."""
        newest = self.account.record("pactum-staging-releases", "staging").releases[0]
        third = Release(digest=NEW, commit=self.project.third, verdict=verdict, verified_at=SERVED_AT)
        self.account.change("staging", releases=(newest, third))


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> LeftBehind:
    return LeftBehind(tmp_path, monkeypatch, capfd)


def test_what_served_well_is_not_deployed_again_and_its_pipeline_is_green(case: LeftBehind) -> None:
    """As when main is brought to what develop had deployed, while develop goes on."""
    seen = case.run("deploy", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert f"{NEW} served well here on {SERVED_AT}" in seen.out
    assert f"has gone on to commit {case.fourth}, which contains {case.project.third}; nothing to do" in seen.out
    assert "up " not in case.project.asked


def test_what_does_not_run_any_more_is_not_verified_and_that_is_said(case: LeftBehind) -> None:
    seen = case.run("verify", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert f"{NEW} served well here on {SERVED_AT}" in seen.out
    assert "Nothing was verified" in seen.out
    assert case.project.asked == ""


def test_what_runs_is_not_left_behind(case: LeftBehind, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def verify(_context: object, digest: str, *_: object) -> int:
        seen.append(digest)
        return 5

    monkeypatch.setattr("ops.pipeline.verify.verify", verify)
    case.account.runs("staging", NEW, case.project.third)
    assert case.run("verify", "--stack", "staging").code == 5
    assert seen == [NEW]


def test_production_gets_it(case: LeftBehind) -> None:
    seen = case.run("deploy", "--stack", "prod")
    assert seen.code == 0, seen.err
    assert f"pactum:imageDigest={NEW}" in case.project.asked


@pytest.mark.parametrize("verdict", [FAILED, ROLLED_BACK])
def test_what_did_not_serve_well_there_is_refused(case: LeftBehind, verdict: str) -> None:
    case.remember(verdict)
    assert "would take staging back" in case.refused("deploy", "--stack", "staging")
    assert f"runs {NEXT}, not {NEW}" in case.refused("verify", "--stack", "staging")


def test_what_was_never_there_is_refused_with_the_way_on(case: LeftBehind) -> None:
    """As when main is merged back into develop, and develop's pipeline is the faster."""
    newest = case.account.record("pactum-staging-releases", "staging").releases[0]
    case.account.change("staging", releases=(newest,))
    told = case.refused("deploy", "--stack", "staging")
    assert "would take staging back" in told
    assert "main is merged back into develop" in told
    assert f"runs {NEXT}, not {NEW}" in case.refused("verify", "--stack", "staging")


def test_the_way_on_is_one(case: LeftBehind) -> None:
    another = case.project.commit("one more")
    case.account.images[NEW].append(f"tested-{another}")
    assert case.run("deploy", "--stack", "staging").code == 0


def test_what_is_denied_there_is_refused(case: LeftBehind) -> None:
    case.account.change("staging", denials={NEW: DENIAL})
    assert "loses orders" in case.refused("deploy", "--stack", "staging")
    assert f"runs {NEXT}, not {NEW}" in case.refused("verify", "--stack", "staging")


def test_production_itself_is_not_taken_back_and_not_left_alone_without_a_word(case: LeftBehind) -> None:
    for stack in ("staging", "prod"):
        case.account.runs(stack, NEXT, case.fourth)
        newest = case.account.record(f"pactum-{stack}-releases", stack).releases
        third = Release(digest=NEW, commit=case.project.third, verdict=LIVE, verified_at=SERVED_AT)
        case.account.change(stack, releases=(*newest, third))
    assert "would take prod back" in case.refused("deploy", "--stack", "prod")
    assert f"runs {NEXT}, not {NEW}" in case.refused("verify", "--stack", "prod")


def test_a_commit_beside_what_runs_is_deployed_though_it_served_before(case: LeftBehind) -> None:
    """Develop and main take turns in staging."""
    case.project.git("checkout", "--quiet", "-b", "other", case.project.second)
    other = case.project.commit("beside")
    case.account.images[NEW].append(f"tested-{other}")
    seen = case.run("deploy", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert f"pactum:imageDigest={NEW}" in case.project.asked


def test_where_the_history_does_not_tell_it_is_refused(case: LeftBehind) -> None:
    case.account.runs("staging", NEXT, "e" * 40)
    case.remember(LIVE)
    assert "which is older is unknown" in case.refused("deploy", "--stack", "staging")
    assert f"runs {NEXT}, not {NEW}" in case.refused("verify", "--stack", "staging")


def test_verify_says_at_once_when_the_stack_runs_something_else(case: LeftBehind) -> None:
    case.remember(FAILED)
    told = case.refused("verify", "--stack", "staging")
    assert f"runs {NEXT}, not {NEW}" in told
    assert case.account.clock.time == 0, "nothing is waited for that was not deployed"
