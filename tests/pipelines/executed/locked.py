"""Hostile cases of a stack that is locked: two that want it at once, and one that was killed while it had it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from rehearsal.drills.drill import DrillError, expect
from tests.pipelines.executed.jobs import Ran
from tests.pipelines.executed.killing import kill
from tests.pipelines.executed.matrix import RED, expect_codes, told

if TYPE_CHECKING:
    from tests.pipelines.executed.jobs import Trigger
    from tests.pipelines.executed.matrix import Matrix

JOB = "deploy-staging"
LOCKED = "currently locked by 1 lock(s)"
STATE = "python -m ops state --stack staging"
# Pulumi writes its lock and looks once more: of two within milliseconds both go. Pushes come further apart.
APART_SECONDS = 1.0
RACES = 3


def two_at_once(matrix: Matrix) -> None:
    """Two pushes deploy at once, as where a host's own lock fails: one waits for nobody, and the other is refused.

    Whichever it was: the newer one run again is deployed, and after that the older one is not.
    """
    host, prod = matrix.host, matrix.serves()[1]
    both = tuple(matrix.push("main") for _ in range(2))
    older, newer = both
    with ThreadPoolExecutor() as workers:
        built = list(workers.map(lambda each: host.execute(host.job("candidate", each), each, host.files()), both))
    for each in built:
        expect(each.code == 0, each.output)
    raced = _raced(matrix, both)
    (winner,) = (each for each, ran in zip(both, raced, strict=True) if ran.code == 0)
    (loser,) = (ran for ran in raced if ran.code)
    told(loser, LOCKED, "created by ", "(pid ", f"{STATE}` shows by whom and since when")
    expect(host.ground.locks("staging") == [], "one of them has left its lock behind")
    expect(matrix.serves() == (host.ground.tested(winner.commit), prod), "staging does not run what went through")
    again, late = (host.execute(host.job(JOB, each), each, host.files()) for each in (newer, older))
    expect_codes({JOB: again}, deploy_staging=0)
    # Green where it was served in between: then there is nothing to do.
    expect(bool(late.code) or winner is older, f"it was never deployed, and its job is green:\n{late.output}")
    told(late, f"which contains {older.commit}")
    expect(matrix.serves() == (host.ground.tested(newer.commit), prod), "the newer one run again is what is served")
    levels = zip([*built, *raced, again], (0, 0, 1, 1, 2), strict=True)
    ran = {str(at): replace(each, level=level) for at, (each, level) in enumerate(levels)}
    matrix.note("two pushes at once; the newer run again", newer, ran)


def _raced(matrix: Matrix, both: tuple[Trigger, ...]) -> list[Ran]:
    """Both jobs' updates side by side, until one of them goes through; never two."""
    host = matrix.host
    job = host.job(JOB, both[0])
    for _ in range(RACES):
        clones = [host.clone(each) for each in both]
        started = []
        for each, clone in zip(both, clones, strict=True):
            started.append(host.start(job, job.commands[0], each, clone))
            time.sleep(APART_SECONDS)
        with ThreadPoolExecutor() as workers:
            said = list(workers.map(lambda process: process.communicate(timeout=300)[0], started))
        codes = [process.returncode for process in started]
        expect(codes.count(0) <= 1, "both went through:\n" + "\n".join(each[-2000:] for each in said))
        if 0 in codes:
            commands = ((job.commands[0], 0.0),)
            outcomes = zip(codes, said, strict=True)
            return [Ran(job=job.name, code=code, output=output, commands=commands) for code, output in outcomes]
    raise DrillError(f"both were refused, {RACES} times")


def killed(matrix: Matrix) -> None:
    """The job is killed with all it has started, as its update begins: the way out is the documented one.

    Later, while a release is in flight, that way takes a minute longer: the drills kill updates there.
    """
    host, prod, trigger = matrix.host, matrix.serves()[1], matrix.push("main")
    candidate = host.execute(host.job("candidate", trigger), trigger, host.files())
    expect(candidate.code == 0, candidate.output)
    job = host.job(JOB, trigger)
    process = host.start(job, job.commands[0], trigger, host.clone(trigger))
    for line in process.stdout or ():
        if "Updating (staging)" in line:
            kill(process)
            break
    process.communicate(timeout=60)
    expect(process.returncode != 0, "a job that was killed is green")
    expect(len(host.ground.locks("staging")) == 1, "who is killed frees nothing")
    before = matrix.serves()
    refused = host.execute(job, trigger, host.files())
    expect_codes({JOB: refused}, deploy_staging=RED)
    told(refused, LOCKED, "created by ", f"{STATE}` shows by whom and since when")
    expect(matrix.serves() == before, "it was deployed beside a lock")
    shown, freed = (_state(matrix, trigger, options) for options in ("", " --yes"))
    told(
        shown, "locked by ", ", process ", ", since ", "no longer runs on this machine: it was killed", f"{STATE} --yes"
    )
    told(freed, "deleted .pulumi/locks/organization/pactum/staging/", "is free; go on")
    expect((bool(shown.code), freed.code) == (True, 0), f"{shown.output}\n{freed.output}")
    again = host.execute(job, trigger, host.files())
    expect_codes({JOB: again}, deploy_staging=0)
    expect(matrix.serves() == (host.ground.tested(trigger.commit), prod), "the next run did not bring it")
    ended = Ran(job=JOB, code=process.returncode, output="killed", commands=((job.commands[0], 0.0),))
    matrix.note_by_hand(
        "push, killed in its update; freed, run again", trigger, candidate, ended, refused, freed, again
    )


def _state(matrix: Matrix, trigger: Trigger, options: str) -> Ran:
    """`ops state` as a person types it in a checkout, with the job's credentials."""
    host, command = matrix.host, f"{STATE}{options}"
    process = host.start(host.job(JOB, trigger), f".venv/bin/{command}", trigger, host.clone(trigger))
    said = process.communicate(timeout=180)[0]
    return Ran(job="by hand", code=process.returncode, output=said, commands=((command, 0.0),))
