"""Every drill by its name, in the order in which they are played."""

from rehearsal.drills import alarms
from rehearsal.drills.bad_releases import crash_at_boot, never_healthy
from rehearsal.drills.drill import Drill
from rehearsal.drills.errors_later import BAKE_SECONDS, METRIC_DELAY_SECONDS, errors_after_healthy
from rehearsal.drills.interrupted import killed_before_service, killed_during_migration, killed_in_verdict, two_updates
from rehearsal.drills.migrations import blocked_migration, failing_migration
from rehearsal.drills.missing_secret import missing_secret
from rehearsal.drills.outages import database_lost, task_killed
from rehearsal.drills.rollback import rollback_by_hand
from rehearsal.drills.rolling import rolling_update, rolling_update_once, same_digest_twice, slow_start
from rehearsal.errors import RehearsalError

DRILLS = (
    Drill(name="rolling-update", scenario=rolling_update),
    Drill(name="same-digest-twice", scenario=same_digest_twice),
    Drill(name="slow-start", scenario=slow_start),
    Drill(name="crash-at-boot", scenario=crash_at_boot),
    Drill(name="never-healthy", scenario=never_healthy),
    Drill(name="failing-migration", scenario=failing_migration),
    Drill(name="blocked-migration", scenario=blocked_migration),
    Drill(name="missing-secret", scenario=missing_secret),
    Drill(name="killed-during-migration", scenario=killed_during_migration),
    Drill(name="killed-before-service", scenario=killed_before_service),
    Drill(name="killed-in-verdict", scenario=killed_in_verdict),
    Drill(name="two-updates", scenario=two_updates),
    Drill(name="rollback-by-hand", scenario=rollback_by_hand),
    # Errors raise the alarm that fails a rollout: drills that cause some come last, so that little waiting is needed.
    Drill(name="task-killed", scenario=task_killed, deploys=False),
    Drill(name="database-lost", scenario=database_lost, deploys=False),
    Drill(name="trouble-reaches-people", scenario=alarms.trouble_reaches_people, overrides=alarms.OVERRIDES),
    Drill(
        name="errors-after-healthy",
        scenario=errors_after_healthy,
        bake_seconds=BAKE_SECONDS,
        metric_delay_seconds=METRIC_DELAY_SECONDS,
    ),
)
# Played in `make test`, on the rehearsal it has anyway, in less than a minute and a half together.
SHORT = (
    Drill(name="rolling-update-once", scenario=rolling_update_once),
    Drill(name="failing-migration", scenario=failing_migration),
    Drill(name="rollback-by-hand", scenario=rollback_by_hand),
)


def chosen(names: list[str]) -> list[Drill]:
    """The drills of these names, in the catalogue's order; all of them when none is named.

    RehearsalError for a name there is none of.
    """
    known = {drill.name: drill for drill in (*DRILLS, *SHORT)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RehearsalError(
            f"There is no drill {', '.join(f'`{name}`' for name in unknown)}.",
            remedy=f"Choose among: {', '.join(known)}.",
        )
    return [known[name] for name in known if name in names] if names else list(DRILLS)
