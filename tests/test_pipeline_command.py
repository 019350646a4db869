"""`python -m ops.pipeline` and `make ci-...`: which stages there are, how they end, and whose token they take."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import NoCredentialsError

from ops.errors import CannotAct, OpsError, Terminated
from ops.pipeline import identity
from ops.pipeline.__main__ import STAGES, main
from tests.ops_fakes.account import Refused
from tests.pipeline_fakes import NEW, OLD, Account, Project, run_stage
from tests.recorder import ROOT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ops.pipeline.event import Event

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def ending(
    monkeypatch: pytest.MonkeyPatch, project: Project, error: BaseException | None = None, **changes: str
) -> tuple[int, list[Mapping[str, str]]]:
    """Run a stage that ends so; answers its exit code, and the environment it saw."""
    seen: list[Mapping[str, str]] = []

    def run(_options: argparse.Namespace, _event: Event, environment: Mapping[str, str]) -> int:
        seen.append(dict(environment))
        if "AWS_WEB_IDENTITY_TOKEN_FILE" in environment:
            seen.append({"token": Path(environment["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text()})
        if error:
            raise error
        return 7

    monkeypatch.chdir(project.root)
    monkeypatch.setattr("ops.pipeline.deploy.run", run)
    return main(["deploy", "--stack", "staging"], project.push(**changes)), seen


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (None, 7, ""),
        (OpsError("no, because"), 1, "ci-deploy staging: no, because\n"),
        (CannotAct("it lacks"), 2, "ci-deploy staging: it lacks\n"),
        (Terminated("told so"), 143, "ci-deploy staging: told so\n"),
        (KeyboardInterrupt(), 130, "ci-deploy staging: interrupted\n"),
    ],
)
def test_a_stage_ends_with_its_code_and_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    project: Project,
    error: BaseException | None,
    code: int,
    told: str,
) -> None:
    assert ending(monkeypatch, project, error)[0] == code
    assert capsys.readouterr().err == told


def test_what_aws_refuses_is_explained(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], project: Project
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized to perform: ecr:DescribeRepositories")

    account = Account(before={"DescribeRepositories": refuse})
    seen = run_stage(project, account, monkeypatch, capfd, "deploy", "--stack", "staging")
    assert seen.code == 2
    assert "needs permission for DescribeRepositories" in seen.err


def test_an_interruption_of_the_command_itself_has_its_code() -> None:
    """From outside, as a host does it: the stage waits for a program that does not end by itself."""
    program = (
        "import sys; from ops import interruption; from ops.pipeline import __main__ as m, child, deploy\n"
        "deploy.run = lambda *_: child.stream(['sleep', '60'], directory='.', environment={}, told='Told so.').code\n"
        "interruption.termination_is_an_error()\n"
        "print('begun', flush=True); sys.exit(m.main(['deploy', '--stack', 'staging'], {'PATH': '/usr/bin:/bin'}))\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stage:
        assert stage.stdout is not None
        assert stage.stdout.readline() == "begun\n"
        for _ in range(600):
            if subprocess.run(["pgrep", "-P", str(stage.pid), "sleep"], capture_output=True, check=False).stdout:
                break
            time.sleep(0.05)
        stage.terminate()
        _, errors = stage.communicate(timeout=30)
    assert stage.returncode == 143, errors
    assert "ci-deploy staging: `sleep 60` was interrupted" in errors


def test_gitlabs_token_becomes_a_private_file_for_as_long_as_the_stage_lasts(
    monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    changes = {"AWS_ID_TOKEN": "a.signed.token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/a"}
    environment = project.push(**changes)
    with identity.from_token(environment):
        assert "AWS_ID_TOKEN" not in environment, "whatever the stage runs would read it"
        file = Path(environment["AWS_WEB_IDENTITY_TOKEN_FILE"])
        assert file.read_text() == "a.signed.token"
        assert file.stat().st_mode & 0o777 == 0o600
        assert not file.is_relative_to(project.root)
    assert not file.exists()
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in environment
    _, seen = ending(monkeypatch, project, None, **changes)
    assert seen[1] == {"token": "a.signed.token"}


def test_a_token_without_a_role_is_refused(project: Project) -> None:
    with (
        pytest.raises(CannotAct, match="AWS_ROLE_ARN is empty"),
        identity.from_token(project.push(AWS_ID_TOKEN="a.token")),
    ):
        pass


def test_without_a_token_nothing_is_done(project: Project) -> None:
    environment = project.push()
    with identity.from_token(environment):
        assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in environment
    other = project.push(AWS_ID_TOKEN="a.token", AWS_WEB_IDENTITY_TOKEN_FILE="/a/file")
    with identity.from_token(other):
        assert other["AWS_WEB_IDENTITY_TOKEN_FILE"] == "/a/file", "Jenkins' own"
        assert "AWS_ID_TOKEN" not in other


def rolled_back(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], to: str
) -> tuple[int, list[str], str]:
    """Run the stage; answers its code, what `ops` was called with, and what was said."""
    called: list[str] = []

    def stream(command: list[str], **_: object) -> object:
        called.extend(command)
        return type("Ran", (), {"code": 1})()

    monkeypatch.setattr("ops.pipeline.rollback.child.stream", stream)
    changes = {"TO": to, "GITHUB_SERVER_URL": "https://h", "GITHUB_REPOSITORY": "o/n", "GITHUB_RUN_ID": "17"}
    environment = project.push(**changes)
    account = Account()
    seen = run_stage(project, account, monkeypatch, capfd, "rollback", "--stack", "prod", environment=environment)
    return seen.code, called, seen.err


@pytest.mark.parametrize("to", [OLD, OLD[7:20], "c" * 40, "", " "])
def test_a_rollback_is_the_operators_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], to: str
) -> None:
    code, called, _ = rolled_back(project, monkeypatch, capfd, to)
    assert code == 1, "its exit code is the command's"
    about = ["-m", "ops", "rollback", "--stack", "prod", "--project", "pactum", "--reason"]
    assert called[1:9] == about
    assert called[9:] == ["by the pipeline https://h/o/n/actions/runs/17", *([to] if to.strip() else [])]


@pytest.mark.parametrize("to", ["--despite-migrations", "$(id)", "main", f"{NEW} --interrupt", "abc"])
def test_what_a_person_typed_is_a_release_or_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], to: str
) -> None:
    code, called, told = rolled_back(project, monkeypatch, capfd, to)
    assert (code, called) == (2, [])
    assert f"TO is {to!r}" in told


def test_every_stage_can_be_asked_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert [name for name in STAGES if f"\n  {name} " not in told] == []
    for name in STAGES:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"usage: python -m ops.pipeline {name}" in capsys.readouterr().out


def test_every_stage_is_a_target_and_every_target_a_stage() -> None:
    called = dict(re.findall(r"(?m)^ci-(\w+): \.venv/\.installed ##.*\n\t@\$\(STAGE\) (\w+)", MAKEFILE))
    assert called == {name: name for name in STAGES}


def test_an_error_of_several_stacks_names_them_and_none_that_is_no_name(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["drift"], project.push(STACKS="prod $(id) prdo")) == 2
    assert capsys.readouterr().err.startswith("ci-drift prod prdo: there is no Pulumi.$(id).yaml, Pulumi.prdo.yaml in ")


def test_a_stage_that_is_not_told_its_stack_says_what_it_needs(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["rollback"], project.push()) == 2
    assert capsys.readouterr().err == (
        "ci-rollback: which stack is meant is not said. Nothing was done. Say it: `make ci-rollback STACK=...`; there "
        "are prod, staging.\n"
    )


def test_a_region_that_is_not_chosen_is_named_by_the_stacks_file(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project.root.parent / "none"))
    monkeypatch.chdir(project.root)
    text = (project.root / "Pulumi.staging.yaml").read_text()
    named = {"eu-west-1": "AWS_REGION=eu-west-1, as `aws:region` in Pulumi.staging.yaml says", "": "AWS_REGION; "}
    for region, told in named.items():
        project.write("Pulumi.staging.yaml", f"{text}  aws:region: {region}\n")
        assert main(["rollback", "--stack", "staging"], project.push()) == 2
        said = capsys.readouterr().err
        assert "no AWS region is chosen for stack staging" in said
        assert f"Set {told}" in said


def test_a_job_without_credentials_is_told_where_a_host_has_them(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise NoCredentialsError

    world = Account(before={"GetCallerIdentity": fail})
    seen = run_stage(project, world, monkeypatch, capfd, "deploy", "--stack", "prod")
    assert seen.code == 2
    assert "no usable AWS credentials for stack prod of project pactum" in seen.err
    assert "DEPLOY_ROLE_ARN_..." in seen.err
    assert "aws sso login" not in seen.err, "nobody signs in on a host"
    seen = run_stage(project, world, monkeypatch, capfd, "deploy", "--stack", "prod", environment=project.environment)
    assert "aws sso login" in seen.err, "a person does"


def test_what_a_person_typed_is_no_part_of_a_recipe() -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", "--just-print", "ci-rollback", "STACK=prod"],
        cwd=ROOT,
        env={**os.environ, "TO": "$(touch /tmp/x); `id`"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "touch" not in made.stdout
