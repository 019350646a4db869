"""What RDS reports each minute of a database: here only how many are connected to it."""

from contextlib import closing, suppress
from typing import Any

import psycopg2
from ministack.core.responses import request_scope
from ministack.services import rds

from rehearsal.cloudwatch.statistics import value
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="database metrics",
    rule="DatabaseConnections per instance each minute; nothing while the database does not answer",
    source="Amazon CloudWatch metrics for Amazon RDS",
)
# Those of users, not of the server's own processes, nor the one that asks.
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
ANSWER_SECONDS = 2


def publish(minute: int) -> None:
    """Publish how many are connected to each database that answers."""
    for (account, region, name), instance in list(rds._instances._data.items()):
        if instance.get("Engine") != "postgres":
            continue
        with suppress(psycopg2.Error), request_scope(account, region):
            found = [value(float(connected(instance)))]
            dimensions = {"DBInstanceIdentifier": name}
            metric_store.put("AWS/RDS", "DatabaseConnections", dimensions, minute, "Count", found)


def connected(instance: dict[str, Any]) -> int:
    """How many are connected to a database. Raises psycopg2.Error if it does not answer soon."""
    endpoint = instance["Endpoint"]
    connection = psycopg2.connect(
        host=endpoint["Address"],
        port=endpoint["Port"],
        user=instance["MasterUsername"],
        password=instance["_MasterUserPassword"],
        dbname=instance.get("DBName") or "postgres",
        connect_timeout=ANSWER_SECONDS,
        options=f"-c statement_timeout={ANSWER_SECONDS}s",
        application_name="rehearsal metrics",
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(COUNT)
        return int(cursor.fetchone()[0])
