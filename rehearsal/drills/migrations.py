"""Migrations that end badly: nothing of the new release runs, and users go on with the old one."""

from rehearsal.drills.bad_releases import names_its_cause, next_is_green, only_served
from rehearsal.drills.drill import expect
from rehearsal.drills.stage import Stage

TABLE = "agreements_agreement"
SESSION = "drill"
# As long as a statement waits for a lock before it gives way (migrate_safely), and the task's start and end.
BLOCKED_SECONDS = 60


def failing_migration(stage: Stage) -> str:
    """A migration the database refuses ends the update before any new task starts, with the database's words."""
    before, tasks, digest = stage.live.release, stage.tasks(), stage.build("failing_migration")
    with stage.load() as load:
        update = stage.update(digest)
    names_its_cause(update, "no_such_column", "was rolled back")
    only_served(load, before)
    expect(stage.tasks() == tasks, "the service's tasks must be left alone")
    return f"refused after {update.seconds:.0f} s; next good update {next_is_green(stage):.0f} s"


def blocked_migration(stage: Stage) -> str:
    """A migration whose table is locked gives way within its lock timeout; once the lock is gone it is applied."""
    before, digest = stage.live.release, stage.build("altering_migration")
    database = stage.container("db_id")
    with stage.load() as load:
        _lock(stage, database)
        try:
            update = stage.update(digest)
        finally:
            _unlock(stage, database)
    names_its_cause(update, "lock timeout", "Its table was in use")
    only_served(load, before)
    expect(update.seconds <= BLOCKED_SECONDS, f"the update waited {update.seconds:.0f} s for the lock")
    with stage.load() as after:
        again = stage.update(digest)
    expect(not again.error, f"without the lock, {again.error}")
    expect(after.failed == 0, after.verdict())
    return (
        f"gave way after {update.seconds:.0f} s, slowest answer {load.slowest_seconds:.1f} s; "
        f"without the lock live after {again.seconds:.0f} s"
    )


def _lock(stage: Stage, database: str) -> None:
    """A session that reads the table and never ends its transaction, as a forgotten psql does."""
    statement = f"BEGIN; LOCK TABLE {TABLE} IN ACCESS SHARE MODE; SELECT pg_sleep(600)"
    stage.docker("exec", "--detach", "--env", f"PGAPPNAME={SESSION}", database, *_psql(statement))
    held = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"  # noqa: S608 - our own constants
        f" WHERE application_name = '{SESSION}' AND granted AND relation = '{TABLE}'::regclass"
    )
    stage.wait(lambda: _ask(stage, database, held) == "1", "the drill's session did not get its lock")


def _unlock(stage: Stage, database: str) -> None:
    _ask(stage, database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='{SESSION}'")  # noqa: S608


def _ask(stage: Stage, database: str, statement: str) -> str:
    return stage.docker("exec", database, *_psql(statement)).strip()


def _psql(statement: str) -> list[str]:
    # The container's own variables name user and database; on the socket nobody is asked for a password.
    shell = 'exec psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --no-psqlrc --tuples-only --no-align'
    return ["sh", "-c", f'{shell} --command "$1"', "psql", statement]
