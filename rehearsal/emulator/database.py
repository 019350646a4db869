"""RDS for PostgreSQL: a managed master password that logs in, TLS that can be verified, parameter groups that apply."""

import io
import json
import logging
import re
import secrets
import string
import tarfile
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import rds, secretsmanager

from rehearsal.emulator.labels import create_volume
from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.settings import Settings

logger = logging.getLogger("rehearsal.database")

EXTENSION = Extension(
    name="RDS for PostgreSQL",
    rule=(
        "A managed master password is a secret named rds!db-... that logs in; the certificate names the endpoint and "
        "is signed by the published CA; plain connections are refused unless rds.force_ssl is 0; parameter groups apply"
    ),
    source="Password management with Amazon RDS and Secrets Manager; Using SSL with a PostgreSQL DB instance",
)
PASSWORD_LENGTH = 28  # what RDS generates
PASSWORD_SIGNS = string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_{|}~"
HBA = "pg_hba.conf"
# The image's own client tools come over the socket; everybody else proves the password, over TLS if it is forced.
HBA_TEXT = "local all all trust\nhost all all 127.0.0.1/32 trust\n{kind} all all all scram-sha-256\n"
PARAMETER = re.compile(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")
PostgresRun = Callable[..., Any]


def generated_password() -> str:
    """Make a password as RDS does: printable signs except slash, at, quotes and space."""
    return "".join(secrets.choice(PASSWORD_SIGNS) for _ in range(PASSWORD_LENGTH))


def forces_tls(parameters: dict[str, str]) -> bool:
    """rds.force_ssl is on by default since PostgreSQL 15."""
    return str(parameters.get("rds.force_ssl", "1")) != "0"


def server_flags(parameters: dict[str, str]) -> list[str]:
    """The parameters that PostgreSQL itself knows, as command-line flags.

    RDS's own (`rds.*`) and its formulas (`{DBInstanceClassMemory/32768}`) mean nothing to PostgreSQL.
    """
    flags = []
    for name, value in sorted(parameters.items()):
        if PARAMETER.match(name) and not name.startswith("rds.") and not str(value).startswith("{"):
            flags += ["-c", f"{name}={value}"]
    return flags


def parameters_of(group: str) -> dict[str, str]:
    """The values set in a DB parameter group; none for AWS's default groups."""
    stored = (rds._param_groups.get(group) or {}).get("Parameters") or {}
    values = {name: (p.get("ParameterValue") if isinstance(p, dict) else p) for name, p in stored.items()}
    return {name: str(value) for name, value in values.items() if value is not None}


class Databases:
    """What this emulator adds to every DB instance."""

    def __init__(self, docker_client: Any, settings: Settings, gateway: str) -> None:
        self._docker = docker_client
        self._settings = settings
        self._gateway = gateway
        self._groups: dict[str, str] = {}  # DB instance -> parameter group, while it is being created
        self._access: dict[str, str] = {"text": ""}

    def container(self, original: PostgresRun) -> PostgresRun:
        """Run a database on the emulator's own network, published on its address only."""

        def run(
            docker_client: Any, engine: str, container_kwargs: dict[str, Any], tls_names: Any = (), tls_ips: Any = ()
        ) -> Any:
            options = dict(container_kwargs)
            options["network"] = self._settings.network
            options["ports"] = {
                inside: [("127.0.0.1", outside), (self._gateway, outside)]
                for inside, outside in (options.get("ports") or {}).items()
            }
            for volume in options.get("volumes") or {}:
                create_volume(self._docker, volume, self._settings)
            if "postgres" in engine:
                database = options.get("labels", {}).get("db_id", "")
                parameters = parameters_of(self._group_of(database))
                kind = "hostssl" if forces_tls(parameters) else "host"
                self._access["text"] = HBA_TEXT.format(kind=kind)
                hba = f"{rds._PG_TLS_DIR}/{HBA}"
                options["command"] = [
                    *(options.get("command") or ["postgres"]),
                    "-c",
                    f"hba_file={hba}",
                    *server_flags(parameters),
                ]
            return original(docker_client, engine, options, tls_names, (*tls_ips, self._gateway))

        return run

    def archive(self, original: Callable[[str, str], bytes]) -> Callable[[str, str], bytes]:
        """Put the access rules beside the key and the certificate."""

        def build(cert_pem: str, key_pem: str) -> bytes:
            return with_file(original(cert_pem, key_pem), f"{rds._PG_TLS_DIR.lstrip('/')}/{HBA}", self._access["text"])

        return build

    def create(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Make the master password's secret where RDS is asked to manage it."""

        def create_instance(p: Any) -> Any:
            name = rds._p(p, "DBInstanceIdentifier")
            self._groups[name] = rds._p(p, "DBParameterGroupName")
            if rds._p(p, "ManageMasterUserPassword") != "true":
                return original(p)
            if rds._p(p, "MasterUserPassword"):
                return rds._error(
                    "InvalidParameterCombination",
                    "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
                    400,
                )
            password = generated_password()
            answer = original({**p, "MasterUserPassword": [password]})
            instance = rds._instances.get(name)
            if answer[0] == 200 and instance is not None:  # noqa: PLR2004
                user = rds._p(p, "MasterUsername")
                instance["_managed_secret"] = manage(instance, user, password, rds._p(p, "MasterUserSecretKmsKeyId"))
                return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)
            return answer

        return create_instance

    def _group_of(self, database: str) -> str:
        instance = rds._instances.get(database) or {}
        groups = instance.get("DBParameterGroups") or []
        return groups[0]["DBParameterGroupName"] if groups else self._groups.get(database, "")


def manage(instance: dict[str, Any], user: str, password: str, key: str) -> dict[str, str]:
    """Store the secret as RDS does: user name and password, named after the resource id, tagged with its database."""
    name = f"rds!db-{instance['DbiResourceId'].removeprefix('db-').lower()}"
    secret = json.dumps({"username": user, "password": password})
    arn = secretsmanager.create_secret_in_process(
        name, secret, f"The secret associated with the primary RDS DB instance: {instance['DBInstanceArn']}"
    )
    secretsmanager._resolve(arn)[1]["Tags"] = [
        {"Key": "aws:secretsmanager:owningService", "Value": "rds"},
        {"Key": "aws:rds:primaryDBInstanceArn", "Value": instance["DBInstanceArn"]},
    ]
    return {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": key or "alias/aws/secretsmanager"}


def with_file(archive: bytes, name: str, text: str) -> bytes:
    """Add a file, readable by its owner only, to a tar archive."""
    buffer = io.BytesIO(archive)
    with tarfile.open(fileobj=buffer, mode="a") as bundle:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size = 0o600, len(text.encode())
        bundle.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def install(docker_client: Any, settings: Settings, gateway: str) -> None:
    """Write the CA certificate and change how MiniStack makes databases."""
    databases = Databases(docker_client, settings, gateway)

    def instance_xml(i: dict[str, Any]) -> str:
        secret = i.get("_managed_secret") or {}
        fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in secret.items())
        return str(xml(i)) + (f"<MasterUserSecret>{fields}</MasterUserSecret>" if fields else "")

    def delete_instance(p: Any) -> Any:
        instance = rds._resolve_instance(rds._p(p, "DBInstanceIdentifier")) or {}
        answer = delete(p)
        if answer[0] == 200 and instance.get("_managed_secret"):  # noqa: PLR2004
            secretsmanager._secrets.pop(instance["_managed_secret"]["SecretArn"].rsplit(":", 1)[-1][:-7], None)
        return answer

    def scope(account_id: Any = None, region: Any = None) -> str:
        # Two emulators on one Docker engine would otherwise give their containers and volumes the same names.
        return f"{settings.port}-{own_scope(account_id, region)}"

    own_scope = replace(rds, "_rds_docker_scope", "(account_id=None, region=None)", scope)
    settings.rds_ca_file.parent.mkdir(parents=True, exist_ok=True)
    settings.rds_ca_file.write_text(require(rds, "pg_ca_cert_pem", "() -> str")(), encoding="utf-8")
    settings.rds_ca_file.chmod(0o644)
    require(rds, "_single_instance_response", "(root_tag, result_tag, instance)")
    require(secretsmanager, "create_secret_in_process", "(name, secret_string, description='')")
    run = require(rds, "_run_rds_container", "(docker_client, engine, container_kwargs, tls_names=(), tls_ips=())")
    replace(
        rds,
        "_run_rds_container",
        "(docker_client, engine, container_kwargs, tls_names=(), tls_ips=())",
        databases.container(run),
    )
    archive = require(rds, "_pg_tls_archive", "(cert_pem: str, key_pem: str) -> bytes")
    replace(rds, "_pg_tls_archive", "(cert_pem: str, key_pem: str) -> bytes", databases.archive(archive))
    create = require(rds, "_create_db_instance_impl", "(p)")
    replace(rds, "_create_db_instance_impl", "(p)", databases.create(create))
    delete = replace(rds, "_delete_db_instance_impl", "(p)", delete_instance)
    xml = replace(rds, "_instance_xml", "(i)", instance_xml)
