"""What is compared: the same app on both sides, built alike, each run as it is meant to be; and what counts as lost."""

from __future__ import annotations

import filecmp
import http.client
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks import building
from benchmarks.__main__ import Benchmark
from benchmarks.containers import QUERY_TEXT, Answer, Container
from benchmarks.errors import MeasurementError
from benchmarks.samples import OURS, USUAL
from benchmarks.sides import CHANGED_FILE, Side, Sources, change_one_line, ours, usual, usual_kept
from benchmarks.stopping import Users
from rehearsal.docker_client import DockerClient
from rehearsal.progress import Progress

APP = Sources().app
PAGE = Answer(status=200, body=f"<li>{QUERY_TEXT}</li>")


def test_both_sides_are_built_from_the_same_app_and_the_same_locked_requirements() -> None:
    for side in (ours(Sources(), 2), usual(Sources())):
        with side.context() as context:
            assert filecmp.cmp(APP / "requirements.txt", Path(context) / "requirements.txt", shallow=False)
            compared = filecmp.dircmp(APP / "agreements", f"{context}/agreements", ignore=["__pycache__"])
            assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])


def test_the_usual_way_has_nothing_of_ours() -> None:
    with usual(Sources()).context() as context:
        assert not (Path(context) / "deployment").exists()
        assert "pool" not in (Path(context) / "config/settings.py").read_text()


def test_all_runs_measure_what_was_there_at_the_start(tmp_path: Path) -> None:
    """Someone may go on working meanwhile; shells even read a script that is edited while they run it."""
    edited = tmp_path / "working copy"
    Sources().frozen(edited)
    frozen = Sources(app=edited / "app_image", usual=edited / "usual").frozen(tmp_path / "frozen")
    (edited / "app_image/requirements.txt").write_text("something else\n")
    with usual(frozen).context() as context:
        assert filecmp.cmp(APP / "requirements.txt", Path(context) / "requirements.txt", shallow=False)
    assert (frozen.app / "build").stat().st_mode & 0o100, "the builder is run from there"


def test_a_context_is_gone_in_the_end() -> None:
    with usual(Sources()).context() as context:
        assert (Path(context) / "Dockerfile").is_file()
    assert not Path(context).exists()


def test_one_line_changes_and_never_twice_to_the_same(tmp_path: Path) -> None:
    """A change that an earlier run has made would be found in the layer cache, and the rebuild would take no time."""
    texts = []
    for at in range(2):
        changed = tmp_path / str(at) / CHANGED_FILE
        changed.parent.mkdir(parents=True)
        changed.write_text((APP / CHANGED_FILE).read_text())
        change_one_line(tmp_path / str(at))
        before, after = ((APP / CHANGED_FILE).read_text().splitlines(), changed.read_text().splitlines())
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
        compile(changed.read_text(), str(changed), "exec")
        texts.append(after)
    assert texts[0] != texts[1]


def test_a_line_that_is_no_longer_there_is_told(tmp_path: Path) -> None:
    (tmp_path / CHANGED_FILE).parent.mkdir()
    (tmp_path / CHANGED_FILE).write_text("pass\n")
    with pytest.raises(MeasurementError, match=r"views.py does not have the line"):
        change_one_line(tmp_path)


def test_ours_runs_read_only_as_an_arbitrary_user_without_capabilities() -> None:
    assert {"--read-only", "--user=54321:54321", "--cap-drop=ALL"} <= set(ours(Sources(), 2).options)
    assert usual(Sources()).options == (), "it may have whatever it needs"


def test_ours_is_sized_as_a_task_of_the_machines_size() -> None:
    assert int(ours(Sources(), 4).environment["WEB_CONCURRENCY"]) == 2 * int(
        ours(Sources(), 2).environment["WEB_CONCURRENCY"]
    )


def test_the_template_keeps_connections_for_a_minute_beside_the_comparison() -> None:
    assert usual_kept(usual(Sources())).environment == {"CONN_MAX_AGE": "60"}
    assert usual(Sources()).environment == {}


@pytest.fixture
def workshop(tmp_path: Path) -> building.Workshop:
    """Builds by a builder that tells what it was given."""
    builder = tmp_path / "build"
    builder.write_text(
        f'#!/bin/sh\necho "$@|$IMAGE|$PYTHON_IMAGE|$TARGET$PUSH" > {tmp_path}/given\n'
        f"cp $CONTEXT/Dockerfile {tmp_path}/\n"
        "exit ${FAKE_EXIT:-0}\n"
    )
    builder.chmod(0o755)
    docker = DockerClient(executable="/usr/bin/docker")
    return building.Workshop(docker=docker, builder=builder, python_image="base:1", label="run-7")


@pytest.mark.parametrize("side", [ours(Sources(), 2), usual(Sources())])
def test_both_sides_are_built_by_the_one_builder(
    side: Side, workshop: building.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", "static")
    monkeypatch.setenv("PUSH", "1")
    workshop.prepare(side)
    assert (tmp_path / "given").read_text() == f"|run-7-{side.name}:built|base:1|\n", "nothing of another image's build"


@pytest.mark.parametrize("side", [ours(Sources(), 2), usual(Sources())])
def test_a_cold_build_asks_no_cache_of_either_side(side: Side, workshop: building.Workshop, tmp_path: Path) -> None:
    with side.context() as context:
        assert "type=cache" in (Path(context) / "Dockerfile").read_text(), "else this proves nothing"
        workshop.build(side, Path(context), "cold", cold=True)
    assert (tmp_path / "given").read_text().startswith("--no-cache|")
    assert "type=cache" not in (tmp_path / "Dockerfile").read_text()


def test_a_build_that_fails_is_no_measurement(workshop: building.Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_EXIT", "3")
    with pytest.raises(MeasurementError, match="usual could not be built"):
        workshop.prepare(usual(Sources()))


def test_the_sides_take_turns_in_going_first() -> None:
    """What one run leaves behind (warm caches, a hot processor) must not always help the same side."""
    benchmark = Benchmark(
        progress=Progress(),
        runs=3,
        stage=cast("Any", None),
        workshop=cast("Any", None),
        ours=ours(Sources(), 2),
        usual=usual(Sources()),
    )
    order: list[str] = []
    benchmark.both(lambda side, _: order.append(side.name))
    assert order == [USUAL, OURS, OURS, USUAL, USUAL, OURS]


class Scripted(Container):
    """Answers each user with the next of the given outcomes."""

    def ask(self, path: str, address: str = "") -> Answer:  # noqa: ARG002 - as the real one
        outcome: Answer | Exception = cast("Any", self.stage).pop()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    ("outcome", "lost"),
    [
        (PAGE, 0),
        (replace(PAGE, status=502), 1),
        (replace(PAGE, body="an error page"), 1),
        (ConnectionResetError(), 1),
        (http.client.RemoteDisconnected(""), 1),
        (http.client.IncompleteRead(b""), 1),
    ],
)
def test_a_request_is_lost_unless_its_page_came_whole(outcome: Answer | Exception, lost: int) -> None:
    outcomes: list[Any] = [PAGE, outcome, PAGE]
    users = Users(
        container=Scripted(stage=cast("Any", outcomes), side=usual(Sources()), name="c", port=1), address="10.0.0.2"
    )
    users.ask(3)
    assert users.lost() == lost
