"""The docker client of a stage: an image is built as its stack is configured, with the client that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.errors import OpsError
from ops.pipeline.docker import Docker
from ops.stack import Stack
from tests.pipeline_fakes import Project

if TYPE_CHECKING:
    from pathlib import Path

STAGING = Stack(project="pactum", name="staging")
BUILD = """#!/usr/bin/env bash
if [ "$1" = --client ]; then echo "${0%/app_image/build}/client/docker"; exit; fi
for name in CONTEXT DOCKERFILE PLATFORM PYTHON_IMAGE IMAGE PUSH; do echo "$name=${!name}" >>"$FAKE_LOG"; done
echo "$@" >>"$FAKE_LOG"
exit "${FAKE_CODE:-0}"
"""


def built(project: Project, **changes: str) -> list[str]:
    """Build with a stand-in for app_image/build, and return what it was told."""
    project.write("app_image/build", BUILD)
    (project.root / "app_image" / "build").chmod(0o755)
    Docker(project.root, {**project.environment, **changes}).build(STAGING, "name:tag")
    return project.asked.splitlines()


def test_it_is_built_as_the_stack_is_configured(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(
        "Pulumi.staging.yaml",
        "config:\n  pactum:imageContext: ../shop\n  pactum:dockerfile: Dockerfile.web\n  pactum:cpuArchitecture: "
        "ARM64\n"
        "  pactum:pythonImage: mirror/python:3.13\n  pactum:buildArguments: { B: 2 3, A: one }\n",
    )
    told = built(project)
    assert told == [
        f"CONTEXT={project.root}/../shop",
        f"DOCKERFILE={project.root}/../shop/Dockerfile.web",
        "PLATFORM=linux/arm64",
        "PYTHON_IMAGE=mirror/python:3.13",
        "IMAGE=name:tag",
        "PUSH=",
        "--build-arg A=one --build-arg B=2 3",
    ]


def test_the_base_is_the_dockerfiles_own_unless_the_stacks_file_names_another(tmp_path: Path) -> None:
    """Pulumi.yaml's default is the Dockerfile's: given, nothing could stand in for it where it cannot be had."""
    project = Project(tmp_path)
    project.write(
        "Pulumi.yaml",
        "name: pactum\nconfig:\n  pactum:pythonImage: { type: string, default: python:3.13 }\n"
        "  pactum:cpuArchitecture: { type: string, default: X86_64 }\n",
    )
    assert {"PYTHON_IMAGE=", "PLATFORM=linux/amd64"} <= set(built(project))
    assert "PYTHON_IMAGE=mirror/python" in built(project, PYTHON_IMAGE="mirror/python"), "the job's own"


def test_a_build_that_fails_is_red(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="could not be built"):
        built(Project(tmp_path), FAKE_CODE="1")


def test_the_client_that_works_is_the_one_that_tests_find(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("app_image/build", BUILD)
    (project.root / "app_image" / "build").chmod(0o755)
    docker = Docker(project.root, project.environment)
    assert docker.environment["PATH"].startswith(f"{project.root}/client:")
    project.write("client/docker", "#!/bin/sh\nexit 1\n")
    (project.root / "client" / "docker").chmod(0o755)
    docker.remove("in-use")
    with pytest.raises(OpsError, match="could not be pushed"):
        docker.push("image", docker.environment)
