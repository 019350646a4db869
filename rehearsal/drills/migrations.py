"""Migrations that end badly: nothing of the new release runs, and users go on with the old one."""

from rehearsal.drills import database
from rehearsal.drills.bad_releases import next_is_green
from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import all_on, only_served, tells, unnoticed
from rehearsal.drills.stage import Stage

TABLE = "agreements_agreement"
SESSION = "drill"
# As long as a statement waits for a lock before it gives way (migrate_safely), and the task's start and end.
BLOCKED_SECONDS = 60
# Users who ask for the table wait behind the migration until its lock timeout of 5 s.
BLOCKED_ANSWER_SECONDS = 8.0


def failing_migration(stage: Stage) -> str:
    """A migration the database refuses ends the update before any new task starts, with the database's words."""
    before, tasks, digest = stage.live.release, stage.tasks(), stage.build("failing_migration")
    with stage.load() as load:
        update = stage.update(digest)
    tells(update.error, "no_such_column", "failed and was rolled back")
    only_served(load, before)
    expect(stage.tasks() == tasks, "the service's tasks must be left alone")
    return f"refused after {update.seconds:.0f} s; next good update {next_is_green(stage):.0f} s"


def blocked_migration(stage: Stage) -> str:
    """A migration whose table is locked gives way within its lock timeout; once the lock is gone it is applied."""
    before, digest = stage.live.release, stage.build("altering_migration")
    container = database.container(stage)
    with stage.load() as load:
        try:
            _lock(stage, container)
            update = stage.update(digest)
        finally:
            _unlock(stage, container)
    tells(update.error, "lock timeout", "Its table was in use")
    only_served(load, before, stall_seconds=BLOCKED_ANSWER_SECONDS)
    expect(update.seconds <= BLOCKED_SECONDS, f"the update waited {update.seconds:.0f} s for the lock")
    with stage.load() as after:
        again = stage.update(digest)
    expect(not again.error, f"without the lock, {again.error}")
    unnoticed(after)
    all_on(after, digest, since=again.ended)
    return (
        f"gave way after {update.seconds:.0f} s, slowest answer {load.slowest_seconds:.1f} s; "
        f"without the lock live after {again.seconds:.0f} s"
    )


def _lock(stage: Stage, container: str) -> None:
    """A session that reads the table and never ends its transaction, as a forgotten psql does."""
    statement = f"BEGIN; LOCK TABLE {TABLE} IN ACCESS SHARE MODE; SELECT pg_sleep(600)"
    stage.docker("exec", "--detach", "--env", f"PGAPPNAME={SESSION}", container, *database.psql(statement))
    held = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"  # noqa: S608 - our own constants
        f" WHERE application_name = '{SESSION}' AND granted AND relation = '{TABLE}'::regclass"
    )
    stage.wait(lambda: database.ask(stage, container, held) == "1", "the drill's session did not get its lock")


def _unlock(stage: Stage, container: str) -> None:
    statement = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='{SESSION}'"  # noqa: S608
    database.ask(stage, container, statement)
