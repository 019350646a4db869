"""What `ci-deploy` lets through to `pulumi up`, and what it refuses: each refusal before anything is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.pipeline import image_file
from ops.release_record import FAILED, IN_PROGRESS, ROLLED_BACK
from tests.deployment_case import DENIAL, Case
from tests.pipeline_fakes import NEW, OLD

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Case:
    return Case(tmp_path, monkeypatch, capfd)


def test_what_was_tested_for_this_commit_is_deployed_and_said(case: Case) -> None:
    seen = case.run("deploy", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert f"pactum:imageDigest={NEW}" in case.project.asked
    assert f"PACTUM_COMMIT={case.project.third}" in case.project.asked, "what the release memory writes down"
    before, _, after = seen.out.partition("Updating (staging)")
    for told in ("stack staging of project pactum", "account 123456789012", NEW, case.project.third, "'main'"):
        assert told in before, "the plan comes first"
    assert f"runs {OLD} (commit {case.project.second})" in before
    assert f"deployed to staging: {NEW}" in after


def test_a_stack_that_was_never_deployed_is(case: Case) -> None:
    case.account.services.clear()
    case.account.records_exist = False
    seen = case.run("deploy", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert "runs nothing yet" in seen.out


def test_the_file_of_the_pipeline_may_agree(case: Case) -> None:
    image_file.write(case.project.root, digest=NEW, image="image", commit=case.project.third)
    assert case.run("deploy", "--stack", "staging").code == 0


def test_a_tampered_digest_is_refused(case: Case) -> None:
    image_file.write(case.project.root, digest=OLD, image="image", commit=case.project.third)
    assert "tampered with" in case.refused("deploy", "--stack", "staging")


def test_another_commits_file_is_refused(case: Case) -> None:
    image_file.write(case.project.root, digest=OLD, image="image", commit=case.project.second)
    assert f"is about commit {case.project.second}" in case.refused("deploy", "--stack", "staging")


def test_what_was_not_tested_is_refused(case: Case) -> None:
    case.account.images[NEW] = [f"candidate-{case.project.third}"]
    assert "no image was tested" in case.refused("deploy", "--stack", "staging")


def test_an_old_job_run_again_is_refused(case: Case) -> None:
    case.account.runs("staging", NEW, case.project.third)
    case.project.git("checkout", "--quiet", case.project.second)
    assert "would take staging back" in case.refused("deploy", "--stack", "staging")


def test_the_same_job_run_again_is_not(case: Case) -> None:
    case.account.runs("staging", NEW, case.project.third)
    assert case.run("deploy", "--stack", "staging").code == 0, "as after a failure"
    assert "up " in case.project.asked, "it is the way back from a change that was made by hand"


def test_after_a_rollback_the_rolled_back_image_is_refused_as_long_as_it_is_denied(case: Case) -> None:
    case.account.change("staging", denials={NEW: DENIAL})
    told = case.refused("deploy", "--stack", "staging")
    assert "loses orders" in told
    assert "ops allow" in told
    case.account.change("staging", denials={})
    assert case.run("deploy", "--stack", "staging").code == 0, "whoever allows it wants it back"


def test_after_a_rollback_what_counts_is_what_runs(case: Case) -> None:
    """The memory's newest release is the one that was rolled back; ECS runs the older."""
    newer = case.account.record("pactum-staging-releases", "staging").releases
    case.account.runs("staging", NEW, case.project.third, verdict=ROLLED_BACK)
    rolled_back = case.account.record("pactum-staging-releases", "staging").releases
    case.account.runs("staging", OLD, case.project.second)
    case.account.change("staging", releases=(*rolled_back, *newer))
    assert case.run("deploy", "--stack", "staging").code == 0
    assert f"runs {OLD} (commit {case.project.second})" in case.run("deploy", "--stack", "staging").out


def test_a_stack_on_hold_is_refused(case: Case) -> None:
    case.account.change("staging", hold=DENIAL)
    assert "is on hold" in case.refused("deploy", "--stack", "staging")


def test_a_pull_request_deploys_nothing(case: Case, tmp_path: Path) -> None:
    pull = {"head": {"ref": "a", "sha": "d" * 40, "repo": {"full_name": "o/n"}}, "number": 7}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
    changes = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert "a pull request deploys nothing" in case.refused("deploy", "--stack", "staging", **changes)


def test_a_checkout_that_is_not_the_commit_is_refused(case: Case) -> None:
    case.project.write("Pulumi.staging.yaml", "config: {}\n")
    seen = case.run("deploy", "--stack", "staging")
    assert (seen.code, case.project.asked) == (2, "")
    assert "M Pulumi.staging.yaml" in seen.err
    assert case.run("deploy", "--stack", "staging", GITHUB_SHA=case.project.first).code == 2


def test_a_failed_update_is_red_with_its_words_and_pulumis_code(case: Case) -> None:
    seen = case.run("deploy", "--stack", "staging", FAKE_CODE="255")
    assert seen.code == 255
    assert "Updating (staging)" in seen.out
    assert "the update of stack staging of project pactum failed (exit code 255)" in seen.out
    assert "`python -m ops state --stack staging` shows by whom and since when" in seen.out, "it may be locked"
    assert "deployed to" not in seen.out


def test_another_account_is_refused(case: Case) -> None:
    text = (case.project.root / "Pulumi.staging.yaml").read_text()
    case.project.write("Pulumi.staging.yaml", text.replace('"123456789012"', '"000011112222"'))
    case.account.images[NEW].append(f"tested-{case.project.commit('another account')}")
    seen = case.run("deploy", "--stack", "staging")
    assert (seen.code, case.project.asked) == (2, "")
    assert "wrong account" in seen.err


def test_production_takes_what_served_well_in_staging(case: Case) -> None:
    case.account.runs("staging", NEW, case.project.third)
    seen = case.run("deploy", "--stack", "prod")
    assert seen.code == 0, seen.err
    assert "it served well in staging" in seen.out
    assert "--stack prod" in case.project.asked


def test_production_takes_it_still_when_others_have_pushed_to_staging_meanwhile(case: Case) -> None:
    before = case.account.record("pactum-staging-releases", "staging").releases
    case.account.runs("staging", NEW, case.project.third)
    now = case.account.record("pactum-staging-releases", "staging").releases
    case.account.runs("staging", OLD, case.project.second)
    case.account.change("staging", releases=(*before, *now))
    assert case.run("deploy", "--stack", "prod").code == 0, "an approval takes its time"


@pytest.mark.parametrize("verdict", [FAILED, ROLLED_BACK, IN_PROGRESS])
def test_production_takes_nothing_that_failed_in_staging(case: Case, verdict: str) -> None:
    case.account.runs("staging", NEW, case.project.third, verdict=verdict)
    assert f"its verdict there is: {verdict}" in case.refused("deploy", "--stack", "prod")


def test_production_takes_nothing_that_was_never_in_staging_or_is_denied_there(case: Case) -> None:
    told = case.refused("deploy", "--stack", "prod")
    assert "it was never deployed there, or so long ago that it is not remembered any more" in told
    assert "make ci-promote" in told
    case.account.runs("staging", NEW, case.project.third)
    case.account.change("staging", denials={NEW: DENIAL})
    told = case.refused("deploy", "--stack", "prod")
    assert "it is denied there, by eva" in told
    assert f"python -m ops allow {NEW} --stack staging" in told
    assert "ci-promote" not in told, "that would bring what is denied, or is no way for this commit"


def test_where_no_stack_comes_before_production_any_tested_image_is_taken(case: Case) -> None:
    assert case.run("deploy", "--stack", "prod", "--after", "none").code == 0


def test_only_production_waits_for_another_stack(case: Case) -> None:
    assert case.run("deploy", "--stack", "staging", "--after", "prod").code == 0
    text = (case.project.root / "Pulumi.prod.yaml").read_text()
    case.project.write("Pulumi.shop.yaml", text.replace("  pactum:production: true\n", ""))
    commit = case.project.commit("one more stack")
    case.account.images[NEW].append(f"tested-{commit}")
    seen = case.run("deploy", "--stack", "shop")
    assert seen.code == 0, seen.err
