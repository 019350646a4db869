"""The stack's database, asked in its own container."""

from rehearsal.drills.stage import Stage

LABEL = "db_id"


def container(stage: Stage) -> str:
    """The id of the database's container."""
    return stage.container(LABEL)


def ask(stage: Stage, database: str, statement: str) -> str:
    """What psql answers, bare."""
    return stage.docker("exec", database, *psql(statement)).strip()


def psql(statement: str) -> list[str]:
    """The command that runs a statement, within the container."""
    # The container's own variables name user and database; on the socket nobody is asked for a password.
    shell = 'exec psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --no-psqlrc --tuples-only --no-align'
    return ["sh", "-c", f'{shell} --command "$1"', "psql", statement]
