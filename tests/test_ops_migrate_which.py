"""Which release is migrated: the update's, and by hand the one that serves; and where the words go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.migrations import COMMAND, about_to_migrate, ends
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world() -> World:
    return about_to_migrate()


def test_within_an_update_standard_output_is_constant_and_the_log_goes_to_the_transcript(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    transcript = tmp_path / "transcript.log"
    ends(world, "line 1", "line 2")
    seen = run_ops(
        world, capsys, *COMMAND, environment={"PACTUM_WITHIN_UPDATE": "1", "OPS_TRANSCRIPT": str(transcript)}
    )
    assert seen.out == f"migrated: {RELEASE}\n", "standard output becomes part of Pulumi's state"
    assert seen.err == "", "and so does standard error"
    assert "migrate | line 2" in transcript.read_text()
    assert "account 123456789012, region us-east-1" in transcript.read_text()


def test_by_hand_it_is_the_release_that_serves_and_not_the_newest(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a rollback the family's newest revision is that of the release that was taken away."""
    world.define("migrate", 8, release=OLD_RELEASE)
    world.define("migrate", 9, release="sha256:" + "d" * 64)
    world.serve(world.deployment(world.define("web", 1, release=OLD_RELEASE), "COMPLETED"))
    ends(world)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert world.asked("RunTask")[0]["taskDefinition"].endswith("migrate:8")
    assert seen.out.endswith(f"migrated: {OLD_RELEASE}\n")


def test_by_hand_a_release_without_a_migration_task_is_not_replaced_by_another(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve(world.deployment(world.define("web", 1, release=OLD_RELEASE), "COMPLETED"))
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 2
    assert OLD_RELEASE in seen.err
    assert "--task-definition" in seen.err
    assert not world.asked("RunTask")
