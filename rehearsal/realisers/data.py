"""What keeps data: the database and secrets. The database is a real PostgreSQL in a container."""

import os
import secrets
import time
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.names import prefixed_name
from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

DATABASE_SECONDS = 180
# infra/secrets.py: before the variable's name, in the tag of a secret whose value only a person can know.
GIVEN = "given:"
# Before the variable's name, in the environment of a rehearsal: the value that the person would put.
OPERATOR_VALUE = "REHEARSAL_SECRET_"
AT_DELETION = "acts when the resource is deleted; a rehearsal ends by removing its containers"


def _parameter_list(values: list[Properties]) -> list[Properties]:
    return [
        {
            "ParameterName": value["name"],
            "ParameterValue": value["value"],
            "ApplyMethod": value.get("applyMethod", "immediate"),
        }
        for value in values
    ]


def _set_parameters(tools: Tools, inputs: Properties, made: Made) -> None:
    if inputs.get("parameters"):
        tools.client("rds").modify_db_parameter_group(
            DBParameterGroupName=made.id, Parameters=_parameter_list(inputs["parameters"])
        )


_SUBNET_GROUP = Realiser(
    create=made_by(
        "rds",
        "create_db_subnet_group",
        {
            "name": "DBSubnetGroupName",
            "description": "DBSubnetGroupDescription",
            "subnetIds": "SubnetIds",
            "tags": tag_list(),
        },
        lambda inputs, response: Made(
            id=inputs["name"], outputs={"arn": response["DBSubnetGroup"]["DBSubnetGroupArn"]}
        ),
        constants={"DBSubnetGroupDescription": "Managed by Pulumi"},
    ),
    properties=frozenset({"description", "subnetIds", "tags"}),
    name_property="name",
)

_PARAMETER_GROUP = Realiser(
    create=made_by(
        "rds",
        "create_db_parameter_group",
        {
            "name": "DBParameterGroupName",
            "family": "DBParameterGroupFamily",
            "description": "Description",
            "tags": tag_list(),
        },
        lambda inputs, response: Made(
            id=inputs["name"], outputs={"arn": response["DBParameterGroup"]["DBParameterGroupArn"]}
        ),
        constants={"Description": "Managed by Pulumi"},
        afterwards=_set_parameters,
    ),
    properties=frozenset({"family", "description", "parameters", "tags"}),
    name_property="name",
)

_INSTANCE_FIELDS: dict[str, Any] = {
    "identifier": "DBInstanceIdentifier",
    "engine": "Engine",
    "engineVersion": "EngineVersion",
    "instanceClass": "DBInstanceClass",
    "allocatedStorage": "AllocatedStorage",
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "storageType": "StorageType",
    "storageEncrypted": "StorageEncrypted",
    "kmsKeyId": "KmsKeyId",
    "dbName": "DBName",
    "username": "MasterUsername",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "multiAz": "MultiAZ",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "publiclyAccessible": "PubliclyAccessible",
    "caCertIdentifier": "CACertificateIdentifier",
    "parameterGroupName": "DBParameterGroupName",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "databaseInsightsMode": "DatabaseInsightsMode",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "deletionProtection": "DeletionProtection",
    "tags": tag_list(),
}


def _create_instance(tools: Tools, _: str, inputs: Properties) -> Made:
    rds = tools.client("rds")
    rds.create_db_instance(**parameters(_INSTANCE_FIELDS, inputs))
    deadline = time.monotonic() + DATABASE_SECONDS
    while time.monotonic() < deadline:
        instance = rds.describe_db_instances(DBInstanceIdentifier=inputs["identifier"])["DBInstances"][0]
        if instance["DBInstanceStatus"] == "available" and instance.get("Endpoint"):
            return Made(id=instance["DbiResourceId"], outputs=_instance_outputs(instance))
        if instance["DBInstanceStatus"] == "failed":
            break
        time.sleep(0.25)
    raise RehearsalError(
        f"the database did not become available within {DATABASE_SECONDS} s (status {instance['DBInstanceStatus']})",
        remedy="See .rehearsal/emulator.log and `docker logs` of the ministack-rds container.",
    )


def _instance_outputs(instance: Properties) -> Properties:
    address, port = instance["Endpoint"]["Address"], instance["Endpoint"]["Port"]
    secret = instance.get("MasterUserSecret") or {}
    managed = {
        "secretArn": secret.get("SecretArn"),
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "secretStatus": secret.get("SecretStatus", "active"),
    }
    return {
        "arn": instance["DBInstanceArn"],
        "address": address,
        "port": port,
        "endpoint": f"{address}:{port}",
        "resourceId": instance["DbiResourceId"],
        "masterUserSecrets": [managed] if secret else [],
    }


_INSTANCE = Realiser(
    create=_create_instance,
    properties=frozenset(_INSTANCE_FIELDS),
    not_rehearsed={
        "skipFinalSnapshot": AT_DELETION,
        "finalSnapshotIdentifier": AT_DELETION,
        "deleteAutomatedBackups": AT_DELETION,
        "applyImmediately": "acts when the instance is changed",
    },
    name_property="identifier",
    name_limit=63,
)


def _create_secret(tools: Tools, _: str, inputs: Properties) -> Made:
    name = inputs.get("name") or prefixed_name(inputs["namePrefix"])
    fields: dict[str, Field] = {
        "description": "Description",
        "kmsKeyId": "KmsKeyId",
        "policy": "ResourcePolicy",
        "tags": tag_list(),
    }
    response = tools.client("secretsmanager").create_secret(Name=name, **parameters(fields, inputs))
    _as_an_operator(tools, response["ARN"], inputs)
    return Made(id=response["ARN"], outputs={"arn": response["ARN"], "name": name})


def _as_an_operator(tools: Tools, arn: str, inputs: Properties) -> None:
    """Put what `ops set-secret` would into a secret that only a person knows: on AWS the update stops for it."""
    kinds = [value for key, value in (inputs.get("tags") or {}).items() if key.endswith(":secret")]
    for variable in (kind.removeprefix(GIVEN) for kind in kinds if kind.startswith(GIVEN)):
        source = f"{OPERATOR_VALUE}{variable}"
        value = os.environ.get(source) or f"rehearsed-{secrets.token_urlsafe(32)}"
        tools.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=value)
        tools.operator_values[variable] = source if os.environ.get(source) else "made up"


def _update_secret(tools: Tools, before: Deployed, inputs: Properties) -> Made:
    client = tools.client("secretsmanager")
    client.update_secret(SecretId=before.id, **parameters({"description": "Description"}, inputs))
    gone = sorted(set(before.inputs.get("tags") or {}) - set(inputs.get("tags") or {}))
    if gone:
        client.untag_resource(SecretId=before.id, TagKeys=gone)
    if inputs.get("tags"):
        client.tag_resource(SecretId=before.id, **parameters({"tags": tag_list()}, inputs))
    return Made(id=before.id, outputs={key: before.outputs[key] for key in ("arn", "name")})


_SECRET = Realiser(
    create=_create_secret,
    update=_update_secret,
    updatable=frozenset({"description", "tags"}),
    removable=frozenset({"tags"}),
    properties=frozenset({"name", "namePrefix", "description", "kmsKeyId", "policy", "tags"}),
    not_rehearsed={"recoveryWindowInDays": AT_DELETION},
)


DATA: dict[str, Realiser] = {
    "aws:rds/subnetGroup:SubnetGroup": _SUBNET_GROUP,
    "aws:rds/parameterGroup:ParameterGroup": _PARAMETER_GROUP,
    "aws:rds/instance:Instance": _INSTANCE,
    "aws:secretsmanager/secret:Secret": _SECRET,
}
