"""A release that gets healthy and only then fails its users."""

from rehearsal.drills.bad_releases import next_is_green
from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import names_its_cause, soon_after_ecs
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage
from rehearsal.load import Failure, Load

# How late the balancer's numbers of a minute are there, as they may be on AWS.
METRIC_DELAY_SECONDS = 60
# From the first errors: what is left of a minute too short to tell, the next one, the delay, the alarm's evaluation
# and the way back.
ERRORS_SECONDS = 60 + METRIC_DELAY_SECONDS + 40
# ECS watches the alarm for this long after the rollout, longer than the release stays good and the alarm then takes;
# AWS adds its own time to it.
BAKE_SECONDS = ERRORS_SECONDS + 20


def errors_after_healthy(stage: Stage) -> str:
    """A release that turns to answering 500 is rolled back by the deployment's alarm; users see errors for a while."""
    before, digest = stage.live.release, stage.build("errors_later")
    with stage.load() as load, RolloutWatch(updater=stage.updater) as watch:
        update = stage.update(digest)
        stage.wait(stage.is_steady, "the service did not get steady after the rollback")
        back = stage.serves(before, within_seconds=5)
    names_its_cause(update.error, "rolled back by an alarm", "release-errors")
    expect(digest in load.releases, "users never saw the release: it did not get healthy first")
    late = soon_after_ecs(watch, update.ended)
    expect(back, "the release before does not serve")
    failures, seconds = _bounded(load)
    green = next_is_green(stage)
    return (
        f"{len(failures)} of {load.requests} requests failed within {seconds:.0f} s; the update ended {late:.1f} s "
        f"after ECS gave it up; next good update {green:.0f} s"
    )


def _bounded(load: Load) -> tuple[list[Failure], float]:
    """The errors that users saw, and within how many seconds. DrillError unless all are the release's, and it ends."""
    failures = load.failures_between(0)
    expect(failures, "no request failed: the release did not turn bad")
    seconds = failures[-1].at - failures[0].at
    expect(seconds <= ERRORS_SECONDS, f"users saw errors for {seconds:.0f} s: {load.verdict()}")
    others = [failure for failure in failures if "answered 500" not in failure.text]
    expect(not others, f"the way back cost requests of its own: {others[0] if others else ''}")
    return failures, seconds
