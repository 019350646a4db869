"""A push to main executed on this machine, from GitHub's own file to a production that serves; and what is refused.

The whole matrix, with what takes longer, is `make pipelines` (tests/pipelines/executed/__main__.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal.place import Place
from tests.pipelines.executed import talkative
from tests.pipelines.executed.jobs import PULL_REQUEST, PUSH, ROLLBACK, Ran, Trigger
from tests.pipelines.executed.released import STACKS, Released
from tests.pipelines.executed.runner import host
from tests.pipelines.executed.scratch import FAILS, RED_IN_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pipelines.executed.talkative import Told

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.timeout(300),
    # boto3's connections and Pulumi's tasks end with the process, not with the test that pytest happens to be in.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
GITHUB_TAKES = 65_536
PLACE = Place(gateway_port=4743, front_port=8743)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    with host("github", PLACE, tmp_path_factory.mktemp("pipelines")) as on:
        yield Released(on)


def refused(ran: Ran, *words: str) -> None:
    assert ran.code not in {0, None}, f"it went through:\n{ran.output}"
    for word in words:
        assert word in ran.output, f"who reads the log is not told `{word}`:\n{ran.output}"
    assert "Updating (" not in ran.output, "a refusal comes before Pulumi"


def test_a_push_to_main_brings_one_digest_to_staging_and_after_approval_to_prod(released: Released) -> None:
    codes = {name: ran.code for name, ran in released.ran.items()}
    told = "\n".join(ran.output for ran in released.ran.values() if ran.code)
    assert codes == {"check": 0, "candidate": 0, "deploy-staging": 0, "deploy-prod": 0}, told
    assert released.digest.startswith("sha256:"), "the mark is in ECR and not in a file of the pipeline's"
    assert released.runs() == (released.digest, released.digest), "what was tested is what serves, in both"
    assert released.seen == [("asked for approval", released.digest, "")], "prod is nothing before somebody says yes"
    begun = {name: ran.began_seconds for name, ran in released.ran.items()}
    ended = {name: ran.began_seconds + ran.seconds for name, ran in released.ran.items()}
    assert begun["deploy-staging"] >= max(ended["check"], ended["candidate"])
    assert begun["candidate"] < ended["check"] + 1, "they run side by side"


def test_what_hosts_give_to_no_job_is_not_there(released: Released) -> None:
    jobs = {job.name: job for job in released.host.jobs(released.trigger)}
    assert not jobs["check"].role, "checks run whatever was pushed"
    given = released.ground.environment(jobs["check"], released.host.files())
    assert not [name for name in given if name.startswith(("AWS_", "PULUMI_"))]


def test_a_red_test_in_the_image_deploys_nothing(released: Released) -> None:
    before = released.runs()
    commit = released.host.scratch.commit("develop", {"app_image/tests/test_pages.py": RED_IN_IMAGE})
    ran = released.host.run(Trigger(kind=PUSH, branch="develop", commit=commit))
    refused(ran["candidate"], "the price is wrong", "was not marked as tested")
    assert ran["deploy-staging"].code is None
    assert "deploy-prod" not in ran, "a push to develop never gets there"
    assert released.ground.tested(commit) == ""
    assert released.runs() == before
    again = released.deploy(Trigger(kind=PUSH, branch="develop", commit=commit))
    refused(again, f"no image was tested for commit {commit}")
    assert released.runs() == before, "not even where somebody starts the job alone"


def test_a_red_check_deploys_nothing(released: Released) -> None:
    before = released.runs()
    commit = released.host.scratch.commit("main", {"tests/test_scratch.py": FAILS})
    jobs = released.host.jobs(Trigger(kind=PUSH, branch="main", commit=commit))
    assert {name for job in jobs if job.name == "deploy-staging" for name in job.needs} == {"check", "candidate"}
    check = next(job for job in jobs if job.name == "check")
    ran = released.host.execute(check, Trigger(kind=PUSH, branch="main", commit=commit), released.host.files())
    refused(ran, "what the team expects")
    assert released.runs() == before


@pytest.mark.parametrize("stack", STACKS)
def test_a_tampered_digest_is_refused(released: Released, stack: str) -> None:
    before = released.runs()
    claims = {"digest": f"sha256:{'6' * 64}", "image": "x", "commit": released.commit, "tested": True}
    refused(released.deploy(released.trigger, stack, claims), f"sha256:{'6' * 64}", "tampered with")
    assert released.runs() == before


def test_a_digest_that_was_tested_for_another_commit_is_refused(released: Released) -> None:
    before = released.runs()
    other = released.host.scratch.commit("develop", {"README.md": "untested\n"})
    trigger = Trigger(kind=PUSH, branch="develop", commit=other)
    of_another = {"digest": released.digest, "image": "x", "commit": released.commit, "tested": True}
    refused(released.deploy(trigger, claims=of_another), "another pipeline's")
    refused(released.deploy(trigger, claims={**of_another, "commit": other}), f"no image was tested for commit {other}")
    assert released.runs() == before


def test_an_old_commit_is_not_brought_back_by_running_its_pipeline_again(released: Released) -> None:
    before = released.runs()
    released.ground.mark(released.digest, released.older, as_another=True)
    ran = released.deploy(Trigger(kind=PUSH, branch="main", commit=released.older))
    refused(ran, released.commit, f"which contains {released.older}")
    assert released.runs() == before


def test_an_old_commit_whose_image_serves_is_refused_by_prod_and_changes_nothing_in_staging(released: Released) -> None:
    before, trigger = released.runs(), Trigger(kind=PUSH, branch="main", commit=released.oldest)
    released.ground.mark(released.digest, released.oldest)
    refused(released.deploy(trigger, "prod"), released.commit, f"which contains {released.oldest}")
    left = released.deploy(trigger)
    assert "nothing to do" in left.output, left.output
    assert "Updating (" not in left.output
    assert released.runs() == before


def test_a_stack_that_another_process_has_is_left_alone(released: Released) -> None:
    before = released.runs()
    released.ground.lock("staging")
    try:
        ran = released.deploy(released.trigger)
    finally:
        released.ground.unlock("staging")
    refused(ran, "currently locked by 1 lock(s)", "runner@another (pid 4711)")
    assert released.runs() == before
    assert released.ground.locks("staging") == [], "who was refused leaves no lock of its own"


def test_a_checkout_without_the_history_is_refused_and_told_where_to_change_that(released: Released) -> None:
    before = released.runs()
    newer = released.host.scratch.commit("main", {"README.md": "the next release\n"})
    released.ground.mark(released.digest, newer)
    ran = released.deploy(Trigger(kind=PUSH, branch="main", commit=newer), shallow=True)
    refused(ran, f"commit {released.commit}, what ", "This checkout is shallow", "`fetch-depth: 0`", "GIT_DEPTH: 0")
    assert released.runs() == before


@pytest.fixture(scope="module")
def told(released: Released) -> tuple[Told, Told]:
    """A pull request that says too much, and its next push, which would break a rule and fail in a migration."""
    return talkative.preview(released.host, broken=False), talkative.preview(released.host, broken=True)


def test_a_comment_that_would_be_too_long_is_cut_and_says_how_much_and_where_the_rest_is(
    told: tuple[Told, Told],
) -> None:
    for each in told:
        body, whole = each.comments[0], each.files["preview-staging.txt"]
        assert len(whole) > GITHUB_TAKES >= len(body), "it would have been refused"
        assert "lines more: ci/preview-staging.txt of https://github.com/team/shop/actions/runs/1" in body
        assert f"line {talkative.LINES - 1} of what the program says" in whole, "the rest is where the comment says"
        assert f"line {talkative.LINES - 1} of what the program says" not in body


def test_losses_rules_and_migrations_are_never_what_is_cut(told: tuple[Told, Told]) -> None:
    first, second = told
    assert first.ran.code == 0, first.ran.output
    for word in ("would be lost", "pactum-staging-clear-sessions", "agreements.0002_dropped", 'DROP COLUMN "terms"'):
        assert word in first.comments[0].partition("<details>")[0]
    assert second.ran.code != 0, "a rule is broken, and a migration fails"
    for word in ("Guardrails: 1 broken", "for-ever", "(G27, ", "agreements.0003_broken", "it fails"):
        assert word in second.comments[0].partition("<details>")[0]


def test_the_next_push_writes_the_same_comment_anew(told: tuple[Told, Told]) -> None:
    first, second = told
    assert (len(first.comments), len(second.comments)) == (1, 1)
    assert first.comments != second.comments


def test_no_secret_gets_into_a_comment_a_log_or_what_is_kept(told: tuple[Told, Told]) -> None:
    for each in told:
        said = each.files["preview-staging.txt"]
        for shown in talkative.SHOWN + (talkative.OUTPUTS if each is told[0] else ()):
            assert shown in said, "it was looked for where it is"
        assert "[hidden]@db/pactum" in each.comments[0] or each is told[0], "the migration's error was told"
        for text in (each.ran.output, *each.comments, *each.files.values()):
            assert not [secret for secret in talkative.secrets() if secret in text]


TEXTS = ["$(touch {made})", "`touch {made}`", "x\ntouch {made}\n", "'; touch {made}; '", '"; touch {made}; "']


@pytest.mark.parametrize("text", TEXTS)
def test_what_a_person_typed_is_read_by_no_shell(released: Released, text: str, tmp_path: Path) -> None:
    made, before = tmp_path / "made", released.runs()
    trigger = Trigger(kind=ROLLBACK, branch="main", commit=released.commit, to=text.format(made=made))
    (job,) = released.host.jobs(trigger)
    ran = released.host.execute(job, trigger, released.host.files())
    refused(ran, "names no release")
    assert not made.exists()
    assert released.runs() == before


@pytest.mark.parametrize("text", TEXTS)
def test_titles_and_branches_of_a_pull_request_are_read_by_no_shell(
    released: Released, text: str, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    hostile = text.format(made=made)
    trigger = Trigger(
        kind=PULL_REQUEST, branch=hostile, commit=released.commit, head=released.commit, title=hostile, fork=True
    )
    jobs = {job.name: job for job in released.host.jobs(trigger)}
    assert jobs.keys() == {"check", "build", "rehearse"}, "a fork gets checks and a rehearsal"
    assert not any(job.role for job in jobs.values()), "and no credentials"
    ran = released.host.execute(jobs["check"], trigger, released.host.files())
    assert ran.code == 0, ran.output
    deploys = released.host.job("deploy-staging", released.trigger)
    refused(released.host.execute(deploys, trigger, released.host.files()), "a pull request deploys nothing")
    assert not made.exists()
