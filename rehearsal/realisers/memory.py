"""DynamoDB: tables really keep their items, with conditions on writes, for as long as the emulator runs."""

from rehearsal.realisers.realiser import Field, Made, Realiser, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

WAIT = {"Delay": 1, "MaxAttempts": 60}  # seconds between two looks, and how many

_FIELDS: dict[str, Field] = {
    "name": "TableName",
    "billingMode": "BillingMode",
    "hashKey": lambda name: {"KeySchema": [{"AttributeName": name, "KeyType": "HASH"}]},
    "attributes": lambda given: {
        "AttributeDefinitions": [{"AttributeName": one["name"], "AttributeType": one["type"]} for one in given]
    },
    "serverSideEncryption": lambda given: {
        "SSESpecification": {"Enabled": given["enabled"]}
        | ({"SSEType": "KMS", "KMSMasterKeyId": given["kmsKeyArn"]} if given.get("kmsKeyArn") else {})
    },
    "deletionProtectionEnabled": "DeletionProtectionEnabled",
    "tags": tag_list(),
}


def _create_table(tools: Tools, _: str, inputs: Properties) -> Made:
    client, name = tools.client("dynamodb"), inputs["name"]
    made = client.create_table(**parameters(_FIELDS, inputs))["TableDescription"]
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=WAIT)
    recovery = inputs.get("pointInTimeRecovery") or {}
    if recovery.get("enabled"):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    return Made(id=name, outputs={"arn": made["TableArn"]})


MEMORY: dict[str, Realiser] = {
    "aws:dynamodb/table:Table": Realiser(
        create=_create_table,
        properties=frozenset({*_FIELDS, "pointInTimeRecovery"}),
        name_property="name",
    ),
}
