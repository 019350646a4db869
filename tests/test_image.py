"""infra/image.py: one image for every task of an update, named by digest."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.image import Image, ImageArgs, context_digest
from infra.settings import ImageSettings
from rehearsal.errors import RehearsalError
from rehearsal.realisers.tables import realiser_of
from tests.recorder import DIGEST, Recorder, record, resolved
from tests.rehearsal_fakes import fake_tools

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "command:local:Command"
URL = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pactum"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app.py").write_text("print('hello')\n")
    return tmp_path


def image(
    context: Path, digest: str = "", *, architecture: str = "X86_64", preview: bool = False
) -> tuple[Recorder, Image]:
    made: list[Image] = []
    settings = ImageSettings(
        repository_url=URL,
        repository_arn="",
        digest=digest,
        python_image="python:3.13",
        build_arguments={"DJANGO_SETTINGS_MODULE": "shop.settings"},
        cpu_architecture=architecture,
    )
    recorder = record(
        lambda: made.append(
            Image("it", ImageArgs(settings=settings, stack="staging", context=context, dockerfile="Dockerfile"))
        ),
        preview=preview,
    )
    assert recorder.error is None
    return recorder, made[0]


def test_a_given_digest_is_deployed_and_nothing_is_built(tmp_path: Path) -> None:
    recorder, made = image(tmp_path / "absent", DIGEST)
    assert recorder.of_type("docker:index/image:Image") == [], "a pipeline's tested image must not be built again"
    assert recorder.of_type(COMMAND) == [], "there is no tag to draw a part of"
    assert resolved(made.reference) == f"{URL}@{DIGEST}"
    assert resolved(made.release) == DIGEST


def test_without_a_digest_the_context_is_built_and_pushed_and_named_by_the_digest_pushed(context: Path) -> None:
    recorder, made = image(context)
    built = recorder.only("docker:index/image:Image").inputs
    assert built["build"]["args"] == {
        "PYTHON_IMAGE": "python:3.13",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }
    assert built["build"]["platform"] == "linux/amd64", "an arm laptop must not push an image Fargate cannot run"
    assert built["imageName"].startswith(f"{URL}:staging-"), "two stacks must not push the same immutable tag"
    assert built["imageName"].endswith("-0a1b2c3d"), "sources that come back are another build: they need a new tag"
    assert "registry" not in built, "a registry password given here would be written to the state"
    assert resolved(made.reference) == f"{URL}@{DIGEST}"


def test_the_tags_random_part_stays_as_long_as_the_sources_do(context: Path) -> None:
    def inputs() -> dict[str, Any]:
        return image(context)[0].only(COMMAND).inputs

    before = inputs()
    assert inputs() == before, "with nothing new, an update must find the same tag"
    (context / "app.py").write_text("print('changed')\n")
    after = inputs()
    assert after["triggers"] != before["triggers"], "only a trigger draws anew"
    assert after["create"] == before["create"]


def test_the_tags_random_part_is_drawn_by_a_command_that_is_given_nothing_else(context: Path) -> None:
    inputs = image(context)[0].only(COMMAND).inputs
    assert inputs.keys() == {"create", "triggers"}, "what a command is given stands in the state"
    drawn = [realiser_of(COMMAND).create(fake_tools(), "it-build", inputs).outputs for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{8}", one["stdout"]) for one in drawn), drawn
    assert drawn[0] != drawn[1], "sources that come back are another build"


@pytest.mark.parametrize("said", ["", "0a1b2c", "0a1b2c3d4e", "0a1b2c3g"])
def test_what_is_no_random_part_ends_the_update_before_it_is_kept(context: Path, tmp_path: Path, said: str) -> None:
    """Once in the state, it would stay there until the sources change: an empty one, for every other build."""
    (tmp_path / "od").write_text(f"#!/bin/sh\necho '{said}'\n")
    (tmp_path / "od").chmod(0o755)
    inputs = image(context)[0].only(COMMAND).inputs
    inputs["environment"] = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with pytest.raises(RehearsalError, match=r"No random part of the image's tag could be drawn\. Make .*urandom"):
        realiser_of(COMMAND).create(fake_tools(), "it-build", inputs)


def test_the_platform_follows_the_processor_of_the_tasks(context: Path) -> None:
    recorder, _ = image(context, architecture="ARM64")
    assert recorder.only("docker:index/image:Image").inputs["build"]["platform"] == "linux/arm64"


def test_in_a_preview_the_digest_of_an_image_not_yet_built_is_unknown(context: Path) -> None:
    _, made = image(context, preview=True)
    assert resolved(made.release) is None, "a made-up digest in a preview would be a lie"


def test_the_tag_changes_with_content_name_mode_and_arguments_and_with_nothing_else(context: Path) -> None:
    before = context_digest(context, "Dockerfile", {"A": "1"})
    (context / "__pycache__").mkdir()
    (context / "__pycache__" / "app.pyc").write_bytes(b"x")
    assert context_digest(context, "Dockerfile", {"A": "1"}) == before, (
        "byte-code of a local run is not part of the image"
    )
    assert context_digest(context, "Dockerfile", {"A": "2"}) != before
    (context / "app.py").chmod(0o755)
    executable = context_digest(context, "Dockerfile", {"A": "1"})
    assert executable != before, "an executable file is another image"
    (context / "app.py").rename(context / "main.py")
    assert context_digest(context, "Dockerfile", {"A": "1"}) != executable


def test_what_never_enters_the_image_is_not_read(context: Path) -> None:
    before = context_digest(context, "Dockerfile", {})
    for directory in (".git", ".venv/lib", "web/node_modules/left-pad", "staticfiles"):
        (context / directory).mkdir(parents=True)
        (context / directory / "file").write_text("x")
    assert context_digest(context, "Dockerfile", {}) == before, "every commit and every tool would make another image"
    (context / ".dockerignore").write_text("*.md\n")
    assert context_digest(context, "Dockerfile", {}) != before, "a file decides what enters the image"


def test_a_dockerfile_that_stands_elsewhere_counts_too(context: Path) -> None:
    (context / ".docker").mkdir()
    (context / ".docker/Dockerfile").write_text("FROM scratch\n")
    before = context_digest(context, ".docker/Dockerfile", {})
    (context / ".docker/Dockerfile").write_text("FROM scratch\nUSER 10001\n")
    assert context_digest(context, ".docker/Dockerfile", {}) != before


def test_a_file_that_cannot_be_read_is_named(context: Path) -> None:
    (context / "unreadable").symlink_to("/proc/self/mem")
    with pytest.raises(
        pulumi.RunError, match=r"/unreadable cannot be read \(Input/output error\), .* Make it readable"
    ):
        context_digest(context, "Dockerfile", {})


def test_a_missing_dockerfile_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        pulumi.RunError, match=r"There is no .*/Dockerfile\. Put it there, .* or set pactum:imageDigest"
    ):
        context_digest(tmp_path, "Dockerfile", {})
