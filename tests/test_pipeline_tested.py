"""The mark of a test in the registry, which decides what is deployed, and the repository that keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline import image_file, registry, tested
from ops.pipeline.repository import Repository, of_stack
from tests.ops_fakes.account import Refused
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World, connect
from tests.pipeline_fakes import NEW, OLD, URL, Project

if TYPE_CHECKING:
    from pathlib import Path

COMMIT, OTHER = "c" * 40, "d" * 40


def repository(world: World) -> Repository:
    return Repository(connect(world).ecr, URL)


def test_what_was_tested_for_a_commit_is_found_by_it_and_the_other_way_round() -> None:
    world = World(images={NEW: [f"candidate-{COMMIT}", f"tested-{COMMIT}"], OLD: [f"candidate-{OTHER}"]})
    images = repository(world)
    assert tested.require(images, COMMIT) == NEW
    assert tested.require(images, COMMIT, claimed=NEW) == NEW
    assert tested.commit_of(images, NEW) == COMMIT
    assert tested.commit_of(images, OLD) is None, "a candidate is not tested"
    assert tested.commit_of(images, "sha256:none") is None


def test_a_digest_is_marked_once_and_again_is_no_error() -> None:
    world = World(images={NEW: [f"candidate-{COMMIT}"]})
    for _ in range(2):
        tested.mark(repository(world), NEW, COMMIT)
    assert world.images == {NEW: [f"candidate-{COMMIT}", f"tested-{COMMIT}"]}


def test_one_image_may_be_of_several_commits() -> None:
    world = World(images={NEW: [f"tested-{COMMIT}"]})
    tested.mark(repository(world), NEW, OTHER)
    assert tested.require(repository(world), OTHER) == tested.require(repository(world), COMMIT) == NEW


def test_another_digest_with_the_mark_is_refused_loudly_before_and_after_the_test() -> None:
    world = World(images={NEW: [], OLD: [f"tested-{COMMIT}"]})
    for ask in (tested.refuse_another_mark, tested.mark):
        with pytest.raises(OpsError) as refused:
            ask(repository(world), NEW, COMMIT)
        assert NEW in str(refused.value)
        assert OLD in str(refused.value)
    assert world.images[NEW] == []
    with pytest.raises(OpsError, match="the candidate is not there"):
        tested.refuse_another_mark(repository(world), None, COMMIT)


def test_the_mark_is_looked_at_again_for_a_registry_that_says_it_is_there_already() -> None:
    """Of ECR's two refusals one is harmless, and a race may answer either."""
    world = World(images={NEW: [], OLD: [f"tested-{COMMIT}"]})

    def refuse() -> None:
        raise Refused("ImageAlreadyExistsException")

    world.before["PutImage"] = refuse
    with pytest.raises(OpsError, match="Nothing was tagged"):
        tested.mark(repository(world), NEW, COMMIT)


def test_a_digest_that_is_gone_cannot_be_marked() -> None:
    with pytest.raises(OpsError, match="does not have"):
        tested.mark(repository(World()), NEW, COMMIT)


def test_what_was_not_tested_is_refused() -> None:
    world = World(images={NEW: [f"candidate-{COMMIT}"], OLD: [f"tested-{OTHER}"]})
    with pytest.raises(OpsError, match=f"has no tag tested-{COMMIT}"):
        tested.require(repository(world), COMMIT, claimed=NEW)


def test_another_digest_than_the_tested_one_is_refused() -> None:
    world = World(images={NEW: [f"tested-{COMMIT}"], OLD: [f"tested-{OTHER}"]})
    with pytest.raises(OpsError, match="tampered with"):
        tested.require(repository(world), COMMIT, claimed=OLD)


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"])
def test_where_tags_can_be_moved_they_prove_nothing(mutability: str) -> None:
    world = World(images={NEW: [f"tested-{COMMIT}"]}, mutability=mutability)
    with pytest.raises(OpsError, match="can be moved"):
        tested.require(repository(world), COMMIT)


@pytest.mark.parametrize("url", ["pactum", "", "/pactum", "registry/pactum:tag", f"registry/pactum@{NEW}"])
def test_what_is_no_repository_is_refused(url: str) -> None:
    with pytest.raises(CannotAct, match="is no image repository"):
        Repository(connect(World()).ecr, url)


def test_a_repository_that_is_not_there_is_refused_with_who_makes_it() -> None:
    with pytest.raises(CannotAct, match="make bootstrap"):
        Repository(connect(World()).ecr, "registry/other").digest_of("a")


def test_the_repository_is_the_one_the_stack_deploys_from(tmp_path: Path) -> None:
    project, context = Project(tmp_path), context_of(World())
    assert of_stack(context, project.root).url == URL
    rehearsed = context_of(World(), {"REPOSITORY_URL": "localhost:4666/pactum"})
    assert of_stack(rehearsed, project.root, for_docker=True).registry == "localhost:4666"
    assert of_stack(rehearsed, project.root).url == URL, "AWS knows it under its own name only"
    project.write("Pulumi.staging.yaml", "config: {}\n")
    with pytest.raises(CannotAct, match="does not say pactum:repositoryUrl"):
        of_stack(context, project.root)


def test_the_pipelines_file_says_what_it_was_told(tmp_path: Path) -> None:
    assert image_file.claimed(tmp_path, COMMIT) == "", "by hand there is none"
    path = image_file.write(tmp_path, digest=NEW, image=f"{URL}@{NEW}", commit=COMMIT)
    assert json.loads(path.read_text()) == {"digest": NEW, "image": f"{URL}@{NEW}", "commit": COMMIT, "tested": True}
    assert image_file.claimed(tmp_path, COMMIT) == NEW
    with pytest.raises(OpsError, match=f"is about commit {COMMIT}"):
        image_file.claimed(tmp_path, OTHER)
    path.write_text("{}")
    with pytest.raises(OpsError, match="cannot be read"):
        image_file.claimed(tmp_path, COMMIT)
    image_file.forget(tmp_path)
    assert image_file.claimed(tmp_path, COMMIT) == ""


DOCKER = """#!/usr/bin/env bash
if [ "$1" = context ]; then echo unix:///engine.sock; exit; fi
echo "$@ | $(cat) | $DOCKER_HOST" >>"$FAKE_LOG"
touch "$DOCKER_CONFIG/config.json"
exit "${FAKE_CODE:-0}"
"""


def test_a_login_is_told_to_nobody_and_is_gone_afterwards(tmp_path: Path) -> None:
    project = Project(tmp_path)
    docker = str(project.program("docker", DOCKER))
    with registry.login(connect(World()), "registry", docker, project.environment) as logged_in:
        (made,) = (tmp_path / "log").read_text().splitlines()
        assert made == "login --username AWS --password-stdin registry | a-password | unix:///engine.sock"
        config = tmp_path / logged_in["DOCKER_CONFIG"]
        assert (config / "config.json").exists()
        assert config.stat().st_mode & 0o077 == 0, "other users of the machine"
        assert not config.is_relative_to(project.root)
    assert not config.exists()


def test_a_registry_that_does_not_take_the_login_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    docker = str(project.program("docker", DOCKER))
    refusing = {**project.environment, "FAKE_CODE": "1"}
    with (
        pytest.raises(CannotAct, match="does not take the login"),
        registry.login(connect(World()), "registry", docker, refusing),
    ):
        pass
