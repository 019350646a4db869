"""A real PostgreSQL behind the RDS API."""

import json
from typing import Any

import psycopg2
import pytest
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, rds
from rehearsal.emulator import database_metrics

from conftest import free_port
from emulator_cloud import Cloud, until

PRESENT = "import socket,sys;socket.create_connection((sys.argv[1],int(sys.argv[2])),5);print('reached')"


@pytest.fixture(scope="module")
def database(cloud: Cloud) -> dict[str, Any]:
    """A database with a managed master password and a parameter group of its own."""
    cloud.rds.create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="postgres17", Description="-"
    )
    parameter = {"ParameterName": "log_min_duration_statement", "ParameterValue": "250", "ApplyMethod": "immediate"}
    cloud.rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=[parameter])
    cloud.rds.create_db_instance(
        DBInstanceIdentifier="main",
        Engine="postgres",
        EngineVersion="17.5",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="owner",
        ManageMasterUserPassword=True,
        DBName="pactum",
        DBParameterGroupName="own",
    )

    def available() -> dict[str, Any] | None:
        found = cloud.rds.describe_db_instances(DBInstanceIdentifier="main")["DBInstances"][0]
        return dict(found) if found["DBInstanceStatus"] == "available" else None

    return dict(until(available, 60, "the database"))


def connect(cloud: Cloud, database: dict[str, Any], **options: Any) -> Any:
    """Log in with the managed secret."""
    secret = json.loads(
        cloud.secrets.get_secret_value(SecretId=database["MasterUserSecret"]["SecretArn"])["SecretString"]
    )
    assert set(secret) == {"username", "password"}, "RDS puts nothing else into its secret"
    return psycopg2.connect(
        host=database["Endpoint"]["Address"],
        port=database["Endpoint"]["Port"],
        dbname="pactum",
        connect_timeout=10,
        **{"user": secret["username"], "password": secret["password"], **options},
    )


def test_the_managed_password_logs_in_over_verified_tls(cloud: Cloud, database: dict[str, Any], emulator: Any) -> None:
    secret = cloud.secrets.describe_secret(SecretId=database["MasterUserSecret"]["SecretArn"])
    assert secret["Name"].startswith("rds!db-"), "the name that RDS gives"
    tag = {"Key": "aws:rds:primaryDBInstanceArn", "Value": database["DBInstanceArn"]}
    assert tag in secret["Tags"], "boundaries tell by it whose login it is"
    with (
        connect(
            cloud, database, sslmode="verify-full", sslrootcert=str(emulator.directory / "rds-ca.pem")
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "select ssl, current_setting('log_min_duration_statement') from pg_stat_ssl where pid = pg_backend_pid()"
        )
        assert cursor.fetchone() == (True, "250ms"), "TLS, and the value of the parameter group"


def test_plain_connections_and_wrong_passwords_are_refused(cloud: Cloud, database: dict[str, Any]) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        connect(cloud, database, sslmode="disable")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(cloud, database, password="guess")


def test_tasks_reach_the_database_and_other_interfaces_do_not(
    cloud: Cloud, database: dict[str, Any], docker_client: Any, emulator: Any
) -> None:
    endpoint = database["Endpoint"]
    command = ["python3", "-c", PRESENT, endpoint["Address"], str(endpoint["Port"])]
    arn = cloud.run(cloud.task_definition(command=command))
    cloud.stopped(arn)
    assert cloud.log(arn) == ["reached"], "the endpoint that RDS reports is the one that tasks use"
    filters = {"label": [f"pactum.rehearsal={emulator.port}", "ministack=rds"]}
    container = docker_client.containers.list(filters=filters)[0]
    published = {p["HostIp"] for p in container.attrs["NetworkSettings"]["Ports"]["5432/tcp"]}
    assert published == {"127.0.0.1", endpoint["Address"]}, "a rehearsal opens nothing to the outside"


def test_connections_are_counted_without_the_one_that_counts(cloud: Cloud, database: dict[str, Any]) -> None:
    secret = cloud.secrets.get_secret_value(SecretId=database["MasterUserSecret"]["SecretArn"])["SecretString"]
    instance = database | {"_MasterUserPassword": json.loads(secret)["password"]}
    assert database_metrics.connected(instance) == 0
    connection = connect(cloud, database)
    assert database_metrics.connected(instance) == 1
    connection.close()


def test_a_database_that_does_not_answer_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = {"Address": "127.0.0.1", "Port": free_port()}
    gone = {"Engine": "postgres", "Endpoint": endpoint, "MasterUsername": "owner", "_MasterUserPassword": "x"}
    monkeypatch.setattr(rds._instances, "_data", {(get_account_id(), get_region(), "gone"): gone})
    monkeypatch.setattr(cloudwatch._metrics, "_data", {})
    database_metrics.publish(0)
    assert not list(cloudwatch._metrics.items()), "an alarm must be able to tell missing data from none connected"
