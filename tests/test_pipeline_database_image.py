"""The database that images are tested with: a registry out of reach is no commit's fault, and told as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.pipeline import database_image
from rehearsal.base_images import OFFICIAL_PREFIX, POSTGRES, STAND_IN_PREFIX
from tests.pipeline_fakes import Project

if TYPE_CHECKING:
    from pathlib import Path

# Has the images of FAKE_HERE, and pulls none where FAKE_REGISTRY says why not.
DOCKER = """#!/usr/bin/env bash
echo "docker $*" >>"$FAKE_LOG"
case $1 in
  image) [[ " $FAKE_HERE " == *" $3 "* ]] ;;
  pull) [ -z "$FAKE_REGISTRY" ] || { echo "Using default tag" >&2; echo "$FAKE_REGISTRY" >&2; exit 1; } ;;
esac
"""
OUT_OF_REACH = "dial tcp: lookup registry-1.docker.io: no such host"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.program("docker", DOCKER)
    return made


def provided(project: Project, **changes: str) -> str:
    environment = {**project.environment, "FAKE_HERE": "", "FAKE_REGISTRY": "", **changes}
    return database_image.provide(project.root, environment)


def test_what_is_here_is_not_pulled(project: Project) -> None:
    assert provided(project, FAKE_HERE=database_image.USUAL) == database_image.USUAL
    assert provided(project, FAKE_HERE="mirror/p:17", POSTGRES_IMAGE="mirror/p:17") == "mirror/p:17"
    assert "docker pull" not in project.asked


def test_the_official_one_is_pulled_though_its_stand_in_is_here(project: Project) -> None:
    assert provided(project, FAKE_HERE=database_image.STAND_IN, POSTGRES_IMAGE="") == database_image.USUAL
    assert f"docker pull --quiet {database_image.USUAL}" in project.asked


def test_where_docker_hub_is_out_of_reach_it_is_the_rehearsals_stand_in(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    found = provided(project, FAKE_HERE=f"x {database_image.STAND_IN}", FAKE_REGISTRY=OUT_OF_REACH)
    assert found == f"{STAND_IN_PREFIX}/{POSTGRES}", "of the name that the rehearsal gives it"
    assert f"{OFFICIAL_PREFIX}/{POSTGRES} cannot be pulled: {OUT_OF_REACH}." in capfd.readouterr().out


@pytest.mark.parametrize("named", ["", "mirror/postgres:17"])
def test_a_registry_that_gives_nothing_is_told_as_such(project: Project, named: str) -> None:
    here = database_image.STAND_IN if named else ""
    with pytest.raises(CannotAct) as refused:
        provided(project, FAKE_HERE=here, FAKE_REGISTRY=OUT_OF_REACH, POSTGRES_IMAGE=named)
    said = str(refused.value)
    assert said.startswith(f"{named or database_image.USUAL}, the database that images are tested with, cannot be")
    assert f"{OUT_OF_REACH}. The tests have not begun: this is the network or the registry, and not the commit." in said
    assert "set POSTGRES_IMAGE to a copy" in said
