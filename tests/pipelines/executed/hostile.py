"""Hostile cases: each fails closed, and what ran before runs afterwards, as ECS tells it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from rehearsal.drills.drill import expect
from tests.pipelines.executed.jobs import PULL_REQUEST, Ran, Trigger
from tests.pipelines.executed.matrix import RED, expect_codes, told
from tests.pipelines.executed.runner import cancel
from tests.pipelines.executed.scratch import FAILS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.executed.matrix import Matrix
    from tests.pipelines.model import Job

CRASHES = "\nraise RuntimeError('the price list is missing')\n"


def fork(matrix: Matrix) -> None:
    """A pull request of a fork, with shell code in its names: checks and a rehearsal, without credentials."""
    before, made = matrix.serves(), matrix.host.directory / "made"
    hostile = f"$(touch {made})`touch {made}`"
    commit = matrix.host.scratch.commit("of-a-stranger", {"README.md": "a stranger's\n"})
    trigger = Trigger(kind=PULL_REQUEST, branch=hostile, title=f"x\n{hostile}", commit=commit, head=commit, fork=True)
    ran = matrix.host.run(trigger)
    commands = {command: each.code for each in ran.values() for command, _ in each.commands}
    words = "".join(each.output[-3000:] for each in ran.values() if each.code)
    expect(commands == dict.fromkeys(("make ci-check", "make ci-image", "make ci-rehearse"), 0), f"{commands}\n{words}")
    told(ran["rehearse"], "was rehearsed; everything was removed again")
    expect(not made.exists(), "what its author wrote was run by a shell")
    expect(matrix.host.ground.tested(commit) == "", "an image of a fork was pushed")
    expect(matrix.serves() == before, "a fork changed what runs")
    matrix.note("pull request of a fork", Trigger(kind=PULL_REQUEST, branch="(hostile)", commit=commit), ran)


def red_check(matrix: Matrix) -> None:
    """A red check on main: nothing is deployed, though the image is good."""
    before, trigger = matrix.serves(), matrix.push("main", {"tests/test_scratch.py": FAILS})
    ran = matrix.host.run(trigger)
    expect_codes(ran, check=RED, candidate=0, deploy_staging=None, deploy_prod=None)
    expect(matrix.serves() == before, "something was deployed")
    matrix.note("push, red check", trigger, ran)


def untried_in_staging(matrix: Matrix) -> None:
    """Somebody starts prod's job alone, for an image that was tested and never deployed to staging."""
    before, trigger = matrix.serves(), matrix.push("main")
    files = matrix.host.files()
    ran = {
        name: matrix.host.execute(matrix.host.job(name, trigger), trigger, files)
        for name in ("candidate", "deploy-prod")
    }
    expect_codes(ran, candidate=0, deploy_prod=RED)
    told(ran["deploy-prod"], "takes what served well in staging", "never deployed there")
    expect(matrix.serves() == before, "prod got what staging never had")
    matrix.note_by_hand("push, prod's job alone", trigger, *ran.values())


def failed_deployment(matrix: Matrix) -> None:
    """A release that crashes as it starts: the job is red, its log says why, and what served goes on."""
    source = (matrix.host.scratch.directory / "app_image/deployment/wsgi.py").read_text()
    before = matrix.serves()
    trigger = matrix.push("main", {"app_image/deployment/wsgi.py": source + CRASHES})
    ran = matrix.host.run(trigger)
    expect_codes(ran, check=0, candidate=0, deploy_staging=RED, deploy_prod=None)
    told(ran["deploy-staging"], "the price list is missing", "the update of stack staging")
    expect(matrix.serves() == before, f"{before} served, and now {matrix.serves()} runs")
    matrix.note("push, the release crashes", trigger, ran)
    matrix.push("main", {"app_image/deployment/wsgi.py": source})


def verify_red(matrix: Matrix) -> None:
    """Staging is rolled back by a person between its update and its verification: prod never starts."""
    prod, older = matrix.serves()[1], matrix.host.ground.task_definition("staging")
    trigger = matrix.push("main")

    def meanwhile(_: Job, command: str, _clone: Path) -> None:
        if command == "make ci-verify STACK=staging":
            matrix.host.ground.use("staging", older)

    ran = matrix.host.run(trigger, before=meanwhile)
    expect_codes(ran, check=0, candidate=0, deploy_staging=RED, deploy_prod=None)
    told(ran["deploy-staging"], "that was not deployed, or was rolled back since")
    expect(matrix.serves()[1] == prod, "prod got what was not verified in staging")
    matrix.note("push, staging's verification red", trigger, ran)


def cancelled(matrix: Matrix) -> None:
    """The job is ended in the middle of its update; Pulumi's lock is freed, and the next run goes through."""
    prod, trigger = matrix.serves()[1], matrix.push("main")
    candidate = matrix.host.execute(matrix.host.job("candidate", trigger), trigger, matrix.host.files())
    expect(candidate.code == 0, candidate.output)
    job = matrix.host.job("deploy-staging", trigger)
    command = job.commands[0]
    process = matrix.host.start(job, command, trigger, matrix.host.clone(trigger))
    said = ""
    for line in process.stdout or ():
        said += line
        if "ops migrate" in line:
            cancel(process, signal.SIGTERM)
            break
    rest, _ = process.communicate(timeout=120)
    told(Ran(job=job.name, code=process.returncode, output=said + rest), "interrupted (SIGTERM)", "update canceled")
    expect(process.returncode != 0, "a cancelled job is green")
    expect(matrix.host.ground.locks("staging") == [], "the lock of the state was left behind")
    again = matrix.host.execute(job, trigger, matrix.host.files())
    expect_codes({job.name: again}, deploy_staging=0)
    expect(matrix.serves() == (matrix.host.ground.tested(trigger.commit), prod), "the next run did not bring it")
    ended = Ran(job=job.name, code=process.returncode, output="cancelled in its update", commands=((command, 0.0),))
    matrix.note_by_hand("push, cancelled in its update; run again", trigger, candidate, ended, again)


def tampered_approval(matrix: Matrix) -> None:
    """The file of the pipeline is changed between staging and prod: prod does not take what it names."""
    before, trigger = matrix.serves(), matrix.push("main")

    def changed(job: Job, command: str, clone: Path) -> None:
        if job.name == "deploy-prod" and command.startswith("make ci-deploy"):
            path = clone / "ci/image.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), "digest": before[1]}))

    ran = matrix.host.run(trigger, before=changed)
    expect_codes(ran, check=0, candidate=0, deploy_staging=0, deploy_prod=RED)
    told(ran["deploy-prod"], "tampered with")
    expect(matrix.serves()[1] == before[1], "prod was changed")
    matrix.note("push, tampered between staging and prod", trigger, ran)
