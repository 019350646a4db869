"""Releases that must not get live: the one before serves all along, and the update says why."""

from rehearsal.drills.judgement import all_on, names_its_cause, only_served, soon_after_ecs, tells, unnoticed
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage, Update


def crash_at_boot(stage: Stage) -> str:
    """A release whose process ends at once is rolled back unseen, and the verdict tells its last log lines."""
    update, told = _refused(stage, "crashes_at_boot", "its tasks crash: exit code 1 (")
    tells(update.error, "pactum: cannot import name settings")
    return told


def never_healthy(stage: Stage) -> str:
    """A release that fails its health checks is rolled back unseen, and the verdict says that it was never healthy."""
    _, told = _refused(stage, "never_healthy", "its tasks never got healthy")
    return told


def _refused(stage: Stage, release: str, cause: str) -> tuple[Update, str]:
    before, digest = stage.live.release, stage.build(release)
    with stage.load() as load, RolloutWatch(updater=stage.updater) as watch:
        update = stage.update(digest)
    names_its_cause(update.error, "rolled back by the circuit breaker", cause)
    only_served(load, before)
    late = soon_after_ecs(watch, update.ended)
    green = next_is_green(stage)
    told = f"refused after {update.seconds:.0f} s, {late:.1f} s after ECS gave it up; next good update {green:.0f} s"
    return update, told


def next_is_green(stage: Stage) -> float:
    """Deploy a good release under load; answers the seconds it took. DrillError when users notice."""
    with stage.load() as load:
        update = stage.deploy_good()
    unnoticed(load)
    all_on(load, stage.live.release, since=update.ended)
    return update.seconds
