"""A push to main executed on this machine, from GitHub's own file to a production that serves; and what is refused.

The whole matrix, with what takes longer, is `make pipelines` (tests/pipelines/executed/__main__.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rehearsal.place import Place
from tests.pipelines.executed.jobs import PULL_REQUEST, PUSH, ROLLBACK, Ran, Trigger
from tests.pipelines.executed.runner import Host, host
from tests.pipelines.executed.scratch import FAILS, RED_IN_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pipelines.model import Job

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.timeout(300),
    # boto3's connections and Pulumi's tasks end with the process, not with the test that pytest happens to be in.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PLACE = Place(gateway_port=4743, front_port=8743)
STACKS = ("staging", "prod")


class Released:
    """What a push to main has left, for all tests here."""

    def __init__(self, on: Host) -> None:
        self.host, self.ground = on, on.ground
        self.commit = on.scratch.commit("main", {"README.md": "a release\n"})
        self.trigger = Trigger(kind=PUSH, branch="main", commit=self.commit)
        self.seen: list[tuple[str, ...]] = []
        self.ran = on.run(self.trigger, approve=self._approve)
        self.digest = self.ground.tested(self.commit)

    def _approve(self, _: Job) -> bool:
        self.seen.append(("asked for approval", *self.runs()))
        return True

    def runs(self) -> tuple[str, ...]:
        return tuple(self.ground.runs(stack) for stack in STACKS)

    def deploy(self, trigger: Trigger, stack: str = "staging", claims: dict[str, object] | None = None) -> Ran:
        """One job that deploys, with a ci/image.json that claims something."""
        files = self.host.files()
        (files / "ci").mkdir()
        if claims is not None:
            (files / "ci/image.json").write_text(json.dumps(claims))
        return self.host.execute(self.host.job(f"deploy-{stack}", trigger), trigger, files)


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


@pytest.mark.parametrize("stack", STACKS)
def test_an_old_commit_is_not_brought_back_by_running_its_pipeline_again(released: Released, stack: str) -> None:
    before = released.runs()
    old = released.host.scratch.parent(released.commit)
    if not released.ground.tested(old):
        released.ground.mark(released.digest, old)
    refused(released.deploy(Trigger(kind=PUSH, branch="main", commit=old), stack), old, released.commit)
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
