"""Releases that must not get live: the one before serves all along, and the update says why."""

from rehearsal.drills.drill import expect
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage, Update
from rehearsal.load import Load

# From ECS's word that the deployment failed to the update's end.
VERDICT_SECONDS = 30


def crash_at_boot(stage: Stage) -> str:
    """A release whose process ends at once is rolled back unseen, and the verdict tells its last log lines."""
    return _refused(stage, "crashes_at_boot", "exit code 1", "pactum: cannot import name settings")


def never_healthy(stage: Stage) -> str:
    """A release that fails its health checks is rolled back unseen, and the verdict says that it was never healthy."""
    return _refused(stage, "never_healthy", "health check")


def _refused(stage: Stage, release: str, *causes: str) -> str:
    before, digest = stage.live.release, stage.build(release)
    with stage.load() as load, RolloutWatch(updater=stage.updater) as watch:
        update = stage.update(digest)
    names_its_cause(update, *causes)
    only_served(load, before)
    expect(watch.failed_at is not None, "ECS never called the deployment FAILED")
    late = update.ended - (watch.failed_at or 0)
    expect(late <= VERDICT_SECONDS, f"the update ended {late:.0f} s after ECS called the deployment FAILED")
    green = next_is_green(stage)
    return f"refused after {update.seconds:.0f} s, {late:.1f} s after ECS's FAILED; next good update {green:.0f} s"


def names_its_cause(update: Update, *causes: str) -> None:
    """DrillError unless an update failed with a message in which a person finds the cause."""
    expect(update.error, "a bad release was called live")
    expect("Traceback" not in update.error, f"the message has a traceback:\n{update.error}")
    lacking = [cause for cause in causes if cause.lower() not in update.error.lower()]
    expect(not lacking, f"the message does not name {' and '.join(lacking)}:\n{update.error}")


def only_served(load: Load, release: str) -> None:
    """DrillError unless users saw one release all along, and no failure."""
    expect(load.failed == 0, load.verdict())
    others = [seen for seen in load.releases if seen != release]
    expect(not others, f"users saw {', '.join(others)} besides {release}")


def next_is_green(stage: Stage) -> float:
    """Deploy a good release under load; answers the seconds it took. DrillError when users notice."""
    with stage.load() as load:
        update = stage.deploy_good()
    expect(load.failed == 0, f"while the next good release was rolled out, {load.verdict()}")
    return update.seconds
