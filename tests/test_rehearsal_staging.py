"""Staging deployed to this machine for real: the integration test. The first update is shared by all tests here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.saved_queries import PLACEHOLDER, saved_queries
from ops.stack import Stack
from rehearsal import docker_engine, processes, releases
from rehearsal.balancer_client import BalancerClient
from rehearsal.drills.catalogue import SHORT
from rehearsal.drills.drill import play
from rehearsal.drills.stage import Stage
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.session import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.drills.drill import Drill

pytestmark = [
    pytest.mark.rehearsal,
    # The longest, a release that never gets healthy, takes about two minutes: ECS gives up after three tasks.
    pytest.mark.timeout(600),
    # boto3's connections and Pulumi's tasks end with the process, not with the test that pytest happens to be in.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RELEASES = Path(__file__).parent / "releases"
# Beside the usual ports, so that a developer's own rehearsal may stay up meanwhile.
SHARED = Place(gateway_port=4676, front_port=8676)
# ECS gives a release up after three tasks that never got healthy; each is given this long to start.
SHORT_GRACE = {"pactum:startSeconds": "4", "pactum:healthGraceSeconds": "15"}
KILLED = Place(gateway_port=4677, front_port=8677)


@pytest.fixture(scope="module")
def live() -> Iterator[Rehearsal]:
    with Rehearsal(stack="staging", place=SHARED, overrides=SHORT_GRACE) as rehearsal:
        rehearsal.bootstrap()
        rehearsal.preview()
        rehearsal.up()
        yield rehearsal


def left_behind(place: Place) -> dict[str, str]:
    """What Docker and the system still have of a rehearsal, by kind."""
    docker, label = docker_engine.find(), f"label={place.docker_label}"
    found = {
        "containers": docker.run("ps", "--all", "--quiet", "--filter", label),
        "networks": docker.run("network", "ls", "--quiet", "--filter", label),
        "volumes": docker.run("volume", "ls", "--quiet", "--filter", label),
        "images": docker.run("image", "ls", "--quiet", "--filter", f"reference={place.registry}/*"),
        "emulator": str(processes.recorded(place.emulator_record) or ""),
    }
    return {kind: what for kind, what in found.items() if what}


def test_what_must_work_works_through_the_balancer(live: Rehearsal) -> None:
    found = live.smoke()
    expected = {
        "page_answers",
        "readyz_release",
        "request_id_in_logs",
        "home_page",
        "browsers_stay_with_https",
        "agreement_survives_its_task",
        "secrets_stay_secret",
    }
    assert found == dict.fromkeys(expected, "ok")


def test_a_second_update_changes_nothing(live: Rehearsal) -> None:
    tally = live.up(phase="second up")
    assert tally.reasons == [], "with nothing new, an update must find everything as it should be"
    assert tally.changed == 0


def test_saved_queries_are_asked_by_name_and_answer_about_what_happened(live: Rehearsal) -> None:
    assert live.live is not None
    stage = Stage(updater=live)
    answered = BalancerClient(place=SHARED, url=live.live.url).get("/")

    def asked(*words: str) -> list[dict[str, str]]:
        done = stage.operate("logs", "query", *words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    found: list[dict[str, str]] = []
    deadline = time.monotonic() + 20
    while not found and time.monotonic() < deadline:  # a line is there a moment after its answer
        found = asked("request", "--request-id", answered.headers["x-request-id"])
    assert [line["message"] for line in found] == ["GET / 200"], "a user's id leads to what was logged"
    assert "/" in {row["path"] for row in asked("slow-paths")}
    assert "Migrated." in {row["line"] for row in asked("migrations")}
    assert {("web", "SERVICE_DEPLOYMENT_COMPLETED")} <= {(row["service"], row["event"]) for row in asked("deployments")}
    logs = live.tools.client("logs")
    for query in saved_queries(logs, Stack(project="pactum", name="staging")):
        text = query.text.replace(PLACEHOLDER, "1-2")
        begun = logs.start_query(logGroupNames=query.log_groups, queryString=text, startTime=0, endTime=2**31)
        assert logs.get_query_results(queryId=begun["queryId"])["status"] == "Complete", query.name


@pytest.mark.parametrize("drill", SHORT, ids=lambda drill: drill.name)
def test_a_drill_is_ok(live: Rehearsal, drill: Drill) -> None:
    outcome = play(drill, Stage(updater=live))
    assert outcome.ok, outcome.detail
    assert outcome.failed == 0, "users must not notice"
    assert outcome.requests > 1000, "users asked all the time"


def test_another_process_can_update_what_is_up(live: Rehearsal) -> None:
    before = live.live
    assert before is not None
    command = [sys.executable, "-m", "rehearsal", "update", "staging", "--release", str(RELEASES / "good")]
    environment = {**os.environ, "REHEARSAL_GATEWAY_PORT": str(SHARED.gateway_port)}
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    live.take_outputs()
    assert live.live is not None
    assert live.live.release != before.release
    assert live.live.release in done.stdout, "what is live is told"
    tally = live.up({"pactum:imageDigest": live.live.release}, phase="up after another process")
    assert tally.reasons == [], "what the other process has made is known here"


def test_maintenance_hides_the_application_from_everybody_but_the_verdict(live: Rehearsal) -> None:
    assert live.live is not None
    user, same = BalancerClient(place=SHARED, url=live.live.url), {"pactum:imageDigest": live.live.release}
    live.up({**same, "pactum:maintenance": "true"}, phase="maintenance")
    page = user.get("/")
    assert (page.status, page.headers["content-type"]) == (503, "text/html")
    assert "Back soon" in page.body
    assert user.get("/readyz").status == 200, "the verdict asks the release itself"
    tally = live.up(same, phase="end of maintenance")
    assert tally.deleted == {"aws:lb/listenerRule:ListenerRule": 2}
    assert user.get("/").status == 200


@pytest.mark.parametrize(
    ("release", "cause"),
    [
        ("crashes_at_boot", "pactum: cannot import name settings"),
        ("never_healthy", "failed ELB health checks"),
    ],
)
def test_a_bad_release_names_its_cause_and_the_one_before_keeps_serving(
    live: Rehearsal, release: str, cause: str
) -> None:
    assert live.live is not None
    before = live.live.release
    with pytest.raises(RehearsalError) as raised:
        releases.deploy(live, RELEASES / release)
    told = str(raised.value)
    assert cause in told, "the operator must read why, not only that"
    assert f"The release before ({before[:19]}…) keeps serving" in told, "users must not notice a bad release"
    assert "all answered" in told, "not one request may fail meanwhile"


def test_a_dockerfile_that_fails_is_told_with_the_builds_words(live: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG RELEASE_BEFORE\nFROM ${RELEASE_BEFORE}\nRUN no-such-command\n")
    with pytest.raises(RehearsalError, match="no-such-command"):
        releases.deploy(live, tmp_path)


def test_leaving_a_rehearsal_leaves_nothing(live: Rehearsal) -> None:
    assert left_behind(SHARED), "while it is up there is something"
    live.close()
    assert left_behind(SHARED) == {}, "containers, networks, volumes, images and the process must all be gone"


def test_a_killed_rehearsal_is_cleaned_up_afterwards() -> None:
    environment = {
        **os.environ,
        "REHEARSAL_GATEWAY_PORT": str(KILLED.gateway_port),
        "REHEARSAL_FRONT_PORT": str(KILLED.front_port),
    }
    command = [sys.executable, "-m", "rehearsal", "staging"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while "containers" not in left_behind(KILLED) and time.monotonic() < deadline:
            time.sleep(0.2)
        # Both at once, as when the machine runs out of memory: nobody is left who could clean up.
        emulator = json.loads(KILLED.emulator_record.read_text())["pid"]
        for pid in (process.pid, emulator):
            os.kill(pid, 9)
    assert "containers" in left_behind(KILLED), "otherwise there is nothing to clean up here"
    clean = [sys.executable, "-m", "rehearsal", "clean"]
    done = subprocess.run(
        clean, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert "container" in done.stdout, "what was found is told"
    assert left_behind(KILLED) == {}
