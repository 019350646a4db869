"""The Pulumi CLI as stages call it: with the digest, without a trace in the checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.pipeline.pulumi import Pulumi
from tests.pipeline_fakes import NEW, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def pulumi(project: Project, stack: str = "staging", **changes: str) -> Pulumi:
    return Pulumi(stack, root=project.root, environment=project.push(**changes))


def test_an_update_is_called_with_the_digest_and_asks_nobody(project: Project) -> None:
    assert pulumi(project).up(NEW) == 0
    words = project.asked.splitlines()[0].split()
    assert words[0] == "up"
    assert {"--yes", "--skip-preview", "--non-interactive"} <= set(words)
    assert words[words.index("--stack") + 1] == "staging"
    assert words[words.index("--config") + 1] == f"pactum:imageDigest={NEW}"
    assert str(project.root) in project.asked.splitlines(), "the program is that of the checkout"


@pytest.mark.parametrize("act", ["up", "preview"])
def test_the_checkout_stays_as_it_is_and_pulumi_gets_the_stacks_file(project: Project, act: str) -> None:
    getattr(pulumi(project), act)(NEW)
    assert project.git("status", "--porcelain") == "", "Pulumi writes what --config says into the stack's file"
    words = project.asked.splitlines()[0].split()
    given = words[words.index("--config-file") + 1]
    assert given.endswith("/Pulumi.staging.yaml")
    assert not given.startswith(str(project.root))


def test_the_exit_code_is_pulumis(project: Project) -> None:
    assert pulumi(project, FAKE_CODE="255").up(NEW) == 255
    ran = pulumi(project, FAKE_CODE="3").preview(NEW, "--expect-no-changes")
    assert ran.code == 3
    assert "Updating (staging)" in ran.text
    assert "--expect-no-changes" in project.asked


def test_an_output_is_read_as_text(project: Project) -> None:
    asked = pulumi(project, FAKE_OUTPUTS='{"url": "https://example.com", "roles": {"prod": "arn"}}')
    assert asked.output("url") == "https://example.com"
    assert asked.output("roles") == '{"prod": "arn"}'
    assert asked.output("none") is None
    assert pulumi(project).output("url") is None, "before the first update there are no outputs"


def test_a_stack_that_was_not_begun_is_refused_with_who_begins_it(project: Project) -> None:
    project.program("pulumi", "#!/bin/sh\necho \"error: no stack named 'staging' found\" >&2\nexit 255\n")
    with pytest.raises(CannotAct, match=r"no stack staging.*\n.*docs/first-deployment.md, step 5"):
        pulumi(project).output("url")


def test_a_backend_that_does_not_answer_is_shown_in_its_own_words(project: Project) -> None:
    project.program("pulumi", "#!/bin/sh\necho 'error: AccessDenied' >&2\nexit 255\n")
    with pytest.raises(CannotAct, match="exit code 255: error: AccessDenied"):
        pulumi(project).output("url")


def test_without_the_cli_it_is_said_where_it_comes_from(project: Project) -> None:
    with pytest.raises(CannotAct, match=r"not on PATH.*pulumi\.com"):
        pulumi(project, PATH="/nowhere").up(NEW)


def test_on_a_host_the_backend_must_be_named(project: Project) -> None:
    with pytest.raises(CannotAct, match="PULUMI_BACKEND_URL is not set"):
        pulumi(project, PULUMI_BACKEND_URL="").up(NEW)
    assert project.asked == "", "pulumi would take the person's own, or ask for a login"
    by_hand = Pulumi("staging", root=project.root, environment=project.environment)
    assert by_hand.up(NEW) == 0, "a person has logged in"


def test_a_project_that_names_its_backend_needs_no_variable(project: Project) -> None:
    project.write("Pulumi.yaml", "name: pactum\nbackend: { url: s3://state }\n")
    assert pulumi(project, PULUMI_BACKEND_URL="").up(NEW) == 0


def test_a_stack_without_a_file_is_refused(project: Project) -> None:
    with pytest.raises(CannotAct, match=r"no readable Pulumi\.other\.yaml"):
        pulumi(project, "other").up(NEW)
