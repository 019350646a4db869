"""`ci-image`: built once, tested as it is, and marked only when its tests passed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline import bill, qa
from tests.pipeline_fakes import NEW, OLD, URL, Account, Project, run_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ops.stack import Stack
    from tests.ops_fakes.world import Outcome

# Writes down what it is given, and ends as it is told.
QA = """#!/usr/bin/env bash
echo "qa $* IMAGE=$IMAGE POSTGRES_IMAGE=$POSTGRES_IMAGE" >>"$FAKE_LOG"
env | cut -d= -f1 >>"$FAKE_LOG"
echo "ran 3 tests"
exit "${FAKE_QA:-0}"
"""
SBOM = """#!/usr/bin/env bash
[ "${FAKE_SBOM:-0}" = 0 ] || echo "it has no os-release" >&2
printf '{"of": "%s"}' "$1"
exit "${FAKE_SBOM:-0}"
"""


class Engine:
    """A Docker engine that pushes into the fake account."""

    executable = "/usr/bin/docker"

    def __init__(self, account: Account, done: list[str], builds: Callable[[], str]) -> None:
        self._account, self.done, self._builds = account, done, builds
        self.fails_to_push = False
        self.removed: list[str] = []

    def __call__(self, _root: Path, environment: Mapping[str, str]) -> Engine:
        self.environment = environment
        return self

    def build(self, stack: Stack, image: str) -> None:
        self.done.append(f"build {stack.name} {image}")

    def make(self, directory: Path, image: str) -> None:
        held = json.loads((directory / "sbom.cdx.json").read_text())
        self.done.append(f"make {image} of {held}")

    def push(self, image: str, logged_in: Mapping[str, str]) -> None:
        assert "DOCKER_CONFIG" in logged_in
        self.done.append(f"push {image}")
        tag = image.rpartition(":")[2]
        if self.fails_to_push:
            raise OpsError("tag is immutable")
        self._account.images.setdefault(self._builds() if tag.startswith("candidate") else OLD, []).append(tag)

    def pull(self, image: str, logged_in: Mapping[str, str]) -> None:
        assert "DOCKER_CONFIG" in logged_in
        self.done.append(f"pull {image}")

    def remove(self, *images: str) -> None:
        self.removed += images

    def id_of(self, image: str) -> str:
        return f"sha256:id-of-{image}"


class Case:
    """A project, an account without images, and an engine whose next build is NEW."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.project, self.account, self.done = Project(directory), Account(), list[str]()
        self.commit = self.project.third
        self._monkeypatch, self._capfd = monkeypatch, capfd
        self.engine = Engine(self.account, self.done, lambda: NEW)
        monkeypatch.setattr("ops.pipeline.image.Docker", self.engine)
        docker = self.project.program("docker", "#!/bin/sh\ncat >/dev/null\n")
        self.engine.executable = str(docker)
        self.qa = self.project.program("qa", QA)
        self.sbom = self.project.program("sbom", SBOM)

    def run(self, *arguments: str, **changes: str) -> Outcome:
        commands = {"QA_COMMAND": f"{self.qa} 'two words' x", "SBOM_COMMAND": str(self.sbom)}
        environment = self.project.push(**{**commands, **changes})
        return run_stage(
            self.project, self.account, self._monkeypatch, self._capfd, "image", *arguments, environment=environment
        )

    @property
    def file(self) -> dict[str, object] | None:
        path = self.project.root / "ci" / "image.json"
        return dict(json.loads(path.read_text())) if path.exists() else None

    @property
    def tags(self) -> list[str]:
        return self.account.images.get(NEW, [])


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Case:
    return Case(tmp_path, monkeypatch, capfd)


def test_a_push_builds_tests_what_was_pushed_and_marks_it(case: Case) -> None:
    seen = case.run("--push")
    assert seen.code == 0, seen.err
    name = f"{URL}:candidate-{case.commit}"
    assert case.done[:3] == [f"build staging {name}", f"push {name}", f"pull {URL}@{NEW}"]
    assert f"qa two words x IMAGE={URL}@{NEW} " in case.project.asked, (
        "what was pulled is tested, and not what was built"
    )
    assert case.tags == [f"candidate-{case.commit}", f"tested-{case.commit}"]
    assert case.file == {"digest": NEW, "image": f"{URL}@{NEW}", "commit": case.commit, "tested": True}
    assert f"tested: {URL}@{NEW} for commit {case.commit}" in seen.out
    assert set(case.engine.removed) == {name, f"{URL}@{NEW}", f"{URL}:sbom-{NEW[7:]}"}, (
        "a machine of pipelines fills up"
    )
    assert seen.out.index("account 123456789012") < seen.out.index("ran 3 tests"), "the plan comes first"


def test_what_it_holds_is_kept_with_it(case: Case) -> None:
    case.run("--push")
    kept = f"{URL}:sbom-{NEW.removeprefix('sha256:')}"
    assert case.done[3:] == [f"make {kept} of {{'of': '{URL}@{NEW}'}}", f"push {kept}"]
    assert json.loads((case.project.root / "ci" / "sbom.cdx.json").read_text()) == {"of": f"{URL}@{NEW}"}
    case.done.clear()
    case.run("--push")
    assert case.done == [f"pull {URL}@{NEW}"], "it is there, as the candidate is"


def test_red_tests_mark_nothing_and_leave_no_file(case: Case) -> None:
    case.run("--push")
    case.account.images[NEW] = [f"candidate-{case.commit}"]
    seen = case.run("--push", FAKE_QA="5")
    assert seen.code == 1
    assert "exit code 5" in seen.err
    assert "was not marked as tested" in seen.err
    assert "ran 3 tests" in seen.out, "the log shows why"
    assert case.tags == [f"candidate-{case.commit}"]
    assert case.file is None, "an earlier run's file would name it as tested"
    assert not (case.project.root / "ci" / "sbom.cdx.json").exists()


def test_an_image_that_cannot_be_accounted_for_is_not_marked(case: Case) -> None:
    seen = case.run("--push", FAKE_SBOM="1")
    assert seen.code == 1
    assert "it has no os-release" in seen.err
    assert "SBOM_COMMAND" in seen.err
    assert case.tags == [f"candidate-{case.commit}"]


def test_a_candidate_that_is_there_is_not_built_again(case: Case) -> None:
    case.account.images = {NEW: [f"candidate-{case.commit}"]}
    seen = case.run("--push")
    assert seen.code == 0, seen.err
    assert not any(each.startswith("build") for each in case.done)
    assert f"tested-{case.commit}" in case.tags
    assert "not built again" in seen.out


def test_of_two_pipelines_of_one_commit_the_slower_tests_the_fasters(case: Case) -> None:
    case.engine.fails_to_push = True
    wait = case.engine.build

    def build(stack: Stack, image: str) -> None:
        wait(stack, image)
        case.account.images[OLD] = [f"candidate-{case.commit}", f"sbom-{OLD.removeprefix('sha256:')}"]

    case.engine.build = build  # type: ignore[method-assign]
    seen = case.run("--push")
    assert seen.code == 0, seen.err
    assert case.account.images[OLD][-1] == f"tested-{case.commit}"
    assert f"pull {URL}@{OLD}" in case.done


def test_of_two_pipelines_of_one_commit_the_slower_keeps_the_fasters_bill(case: Case) -> None:
    """The bill's image has the time of its making in it, and the repository takes a tag once."""
    push = case.engine.push

    def slower(image: str, logged_in: Mapping[str, str]) -> None:
        tag = image.rpartition(":")[2]
        if tag.startswith("sbom-"):
            case.account.images.setdefault(OLD, []).append(tag)
            raise OpsError("tag is immutable")
        push(image, logged_in)

    case.engine.push = slower  # type: ignore[method-assign]
    seen = case.run("--push")
    assert seen.code == 0, seen.err
    assert f"tested-{case.commit}" in case.tags


def test_a_bill_that_cannot_be_kept_is_red(case: Case) -> None:
    case.account.images = {NEW: [f"candidate-{case.commit}"]}
    case.engine.fails_to_push = True
    seen = case.run("--push")
    assert (seen.code, case.tags) == (1, [f"candidate-{case.commit}"])
    assert "tag is immutable" in seen.err


def test_a_push_that_fails_is_red(case: Case) -> None:
    case.engine.fails_to_push = True
    seen = case.run("--push")
    assert (seen.code, case.file) == (1, None)
    assert "tag is immutable" in seen.err


def test_a_commit_for_which_another_image_was_tested_is_refused_before_anything_is_built(case: Case) -> None:
    case.account.images = {OLD: [f"tested-{case.commit}"], NEW: [f"candidate-{case.commit}"]}
    seen = case.run("--push")
    assert seen.code == 1
    assert "another image was tested already" in seen.err
    assert case.done == []


def test_a_changed_checkout_builds_no_candidate(case: Case) -> None:
    case.project.write("change", "by an earlier step")
    seen = case.run("--push")
    assert (seen.code, case.done) == (2, [])
    assert "M change" in seen.err


def test_a_pull_requests_image_is_tested_and_pushed_nowhere(case: Case, tmp_path: Path) -> None:
    pull = {"head": {"ref": "a", "sha": "d" * 40, "repo": None}, "number": 7}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
    names = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    seen = case.run("--push", **names)
    assert (seen.code, case.done) == (1, [])
    assert "is not pushed" in seen.err
    seen = case.run(**names)
    assert seen.code == 0, seen.err
    image = f"pactum-candidate:{case.commit}"
    assert case.done == [f"build staging {image}"]
    assert f"IMAGE={image}" in case.project.asked
    assert case.file == {"digest": f"sha256:id-of-{image}", "image": image, "commit": case.commit, "tested": True}
    assert case.engine.removed == [image]
    assert case.account.calls == [], "a fork has no credentials"
    assert case.run(FAKE_QA="1", **names).code == 1
    assert case.file is None


def test_a_persons_image_stays_to_be_looked_at(case: Case) -> None:
    by_hand = {name: "" for name in case.project.push() if name.startswith("GITHUB")}
    assert case.run(**by_hand).code == 0
    assert case.engine.removed == []


def test_elsewhere_docker_pushes_under_another_name(case: Case) -> None:
    case.run("--push", REPOSITORY_URL="localhost:4666/pactum")
    assert case.done[0] == f"build staging localhost:4666/pactum:candidate-{case.commit}"


def test_tests_get_no_credentials(case: Case) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "PULUMI_BACKEND_URL"}
    secrets |= {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD"}
    case.run("--push", **dict.fromkeys(secrets, "value"), PIP_INDEX_URL="kept")
    named = set(case.project.asked.split())
    assert named & {*secrets, "DOCKER_CONFIG"} == set(), "tests run whatever was pushed"
    assert "PIP_INDEX_URL" in named


def test_the_database_is_the_official_one_unless_another_is_named(case: Case) -> None:
    case.run()
    assert "POSTGRES_IMAGE=docker.io/library/postgres:17-alpine" in case.project.asked
    case.run(POSTGRES_IMAGE="mirror/postgres:17")
    assert "POSTGRES_IMAGE=mirror/postgres:17" in case.project.asked


def test_without_a_database_no_test_begins(case: Case) -> None:
    case.project.program("docker", "#!/bin/sh\nexit 1\n")
    seen = case.run()
    assert seen.code == 2, "not 1, which is what tests that fail are"
    assert "not the commit" in seen.err
    assert "qa two words" not in case.project.asked


def _client(directory: Path) -> Path:
    client = directory / "docker"
    client.write_text("#!/bin/sh\n")
    client.chmod(0o755)
    return directory


def test_a_command_is_words_and_no_shells(tmp_path: Path) -> None:
    assert qa.command_of({}) == ["tests/app/run"]
    assert qa.command_of({"QA_COMMAND": "make 'a b' $(id) ; x"}) == ["make", "a b", "$(id)", ";", "x"]
    with pytest.raises(CannotAct, match="which is no command"):
        qa.command_of({"QA_COMMAND": "make 'a b"})
    with pytest.raises(CannotAct, match="no-such-program cannot be started"):
        qa.check("image", tmp_path, {"QA_COMMAND": "no-such-program", "PATH": str(_client(tmp_path))})


def test_the_usual_bill_is_this_repositorys(tmp_path: Path) -> None:
    (tmp_path / "app_image").mkdir()
    (tmp_path / "app_image" / "sbom.py").write_text("import sys; print(sys.argv[1])")
    assert bill.write("an-image", tmp_path, os.environ).read_text() == "an-image\n"
