"""A release that gets healthy and only then fails its users."""

from rehearsal.drills.bad_releases import VERDICT_SECONDS, names_its_cause, next_is_green
from rehearsal.drills.drill import expect
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage

# ECS watches the alarm for this long after the rollout; AWS adds its own time to it.
BAKE_SECONDS = 120
# One period of the alarm (60 s) that has seen errors from its beginning, its evaluation, and the way back.
ERRORS_SECONDS = 100


def errors_after_healthy(stage: Stage) -> str:
    """A release that turns to answering 500 is rolled back by the deployment's alarm; users see errors for a while."""
    before, digest = stage.live.release, stage.build("errors_later")
    with stage.load() as load, RolloutWatch(updater=stage.updater) as watch:
        update = stage.update(digest)
        back = stage.serves(before, within_seconds=VERDICT_SECONDS)
        stage.wait(stage.is_steady, "the service did not get steady after the rollback")
    names_its_cause(update, "alarm")
    expect(digest in load.releases, "users never saw the release: it did not get healthy first")
    expect(watch.failed_at is not None, "ECS never called the deployment FAILED")
    late = update.ended - (watch.failed_at or 0)
    expect(late <= VERDICT_SECONDS, f"the update ended {late:.0f} s after ECS called the deployment FAILED")
    expect(back, "the release before does not serve")
    failures = load.failures_between(0)
    expect(failures, "no request failed: the release did not turn bad")
    bad = failures[-1].at - failures[0].at
    expect(bad <= ERRORS_SECONDS, f"users saw errors for {bad:.0f} s: {load.verdict()}")
    others = [failure for failure in failures if "answered 500" not in failure.text]
    expect(not others, f"the way back cost requests of its own: {others[0] if others else ''}")
    green = next_is_green(stage)
    return (
        f"{len(failures)} of {load.requests} requests failed within {bad:.0f} s; the update ended {late:.1f} s after "
        f"ECS's FAILED; next good update {green:.0f} s"
    )
