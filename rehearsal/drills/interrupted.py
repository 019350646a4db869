"""Updates that are killed, and two at once."""

import time
from dataclasses import dataclass

from rehearsal.drills import database
from rehearsal.drills.attached_update import AttachedUpdate
from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import all_on, tells, unnoticed
from rehearsal.drills.stage import Stage

SERVICE = "aws:ecs/service:Service"
# Until an update has come to the moment: image, secrets, guard, the migration task's start.
MOMENT_SECONDS = 180
# The guard watches an update that gives no more sign of life for a minute before it takes its place.
RUN_AGAIN_SECONDS = 240
VERDICT_WAITS_SECONDS = 1.0
# What the migration of tests/releases/slow_migration asks, while it does.
MIGRATES = (
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' "
    "AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """When to kill: operator commands have written `after` but not `until`, and the update is held, if it shall be.

    With `migrates` the statement of a migration is under way, too.
    """

    after: str
    until: str
    held_before: str = ""
    migrates: bool = False
    later_seconds: float = 0.0

    def has_come(self, stage: Stage, update: AttachedUpdate, wrote: str) -> bool:
        if self.after not in wrote or (self.held_before and not update.is_held):
            return False
        return not self.migrates or database.ask(stage, database.container(stage), MIGRATES) == "1"


def killed_during_migration(stage: Stage) -> str:
    """An update is killed while its migration runs; run again, it is green."""
    return _killed(stage, "slow_migration", _Moment(after="task is RUNNING", until="migrated: ", migrates=True))


def killed_before_service(stage: Stage) -> str:
    """An update is killed after its migration and before the service is updated; run again, it is green."""
    moment = _Moment(after="migrated: ", held_before=SERVICE, until="verify: ")
    return _killed(stage, "altering_migration", moment)


def killed_in_verdict(stage: Stage) -> str:
    """An update is killed while its verdict waits for the rollout; run again, it is green."""
    moment = _Moment(after="verify: ", until="live: ", later_seconds=VERDICT_WAITS_SECONDS)
    return _killed(stage, "good", moment)


def _killed(stage: Stage, release: str, moment: _Moment) -> str:
    digest, length = stage.build(release), stage.operations_length()

    def wrote() -> str:
        return stage.operations(since=length)

    with stage.load() as load:
        update = stage.attached_update(digest, hold_before=moment.held_before)
        stage.wait(
            lambda: update.ended or moment.has_come(stage, update, wrote()),
            "the update did not come to the moment",
            seconds=MOMENT_SECONDS,
        )
        time.sleep(moment.later_seconds)
        expect(not update.ended, f"the update ended before it could be killed:\n{update.output}")
        update.kill()
        expect(moment.until not in wrote(), f"the kill came too late: `{moment.until}` was written already")
        again = stage.update(digest)
    expect(not again.error, f"run again, {again.error}")
    expect(stage.serves(digest, within_seconds=5), "run again it was green, but the release does not answer")
    expect(again.seconds <= RUN_AGAIN_SECONDS, f"the second run took {again.seconds:.0f} s")
    unnoticed(load)
    all_on(load, digest, since=again.ended)
    return f"killed with SIGKILL; run again, live after {again.seconds:.0f} s"


def two_updates(stage: Stage) -> str:
    """Of two updates at once one is refused, and told who is at it; the other is green."""
    first_digest, second_digest = stage.build("slow_migration"), stage.build("good")
    length = stage.operations_length()
    with stage.load() as load:
        first = stage.attached_update(first_digest)
        stage.wait(
            lambda: "task is RUNNING" in stage.operations(since=length) or first.ended,
            "the first update did not come to its migration",
            seconds=MOMENT_SECONDS,
        )
        second = stage.update(second_digest)
        tells(second.error, f"deploying {first_digest} since")
        code = first.wait()
        ended = time.monotonic()
    expect(code == 0, f"the first of two updates failed:\n{first.output}")
    stage.updater.take_outputs()
    expect(stage.serves(first_digest, within_seconds=5), "the first update was green, but its release does not answer")
    expect(second_digest not in load.releases, "users saw the release of the update that was refused")
    unnoticed(load)
    all_on(load, first_digest, since=ended)
    return f"the second was refused after {second.seconds:.0f} s, the first is live"
