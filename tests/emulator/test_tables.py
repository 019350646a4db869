"""DynamoDB as the release memory uses it: one item, read and written under a condition."""

from typing import Any

import pytest

from emulator_cloud import Cloud

NAME = "releases"


@pytest.fixture(scope="module")
def table(cloud: Cloud) -> str:
    """A table as the program makes one."""
    cloud.dynamodb.create_table(
        TableName=NAME,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        DeletionProtectionEnabled=True,
        Tags=[{"Key": "a", "Value": "b"}],
    )
    cloud.dynamodb.update_continuous_backups(
        TableName=NAME, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return NAME


def write(cloud: Cloud, stack: str, version: int) -> Any:
    """Write a version, if the one before it is what the table has."""
    condition = "attribute_not_exists(#v)" if version == 1 else "#v = :before"
    item = {"stack": {"S": stack}, "version": {"N": str(version)}, "record": {"S": "{}"}}
    before = {} if version == 1 else {"ExpressionAttributeValues": {":before": {"N": str(version - 1)}}}
    return cloud.dynamodb.put_item(
        TableName=NAME, Item=item, ConditionExpression=condition, ExpressionAttributeNames={"#v": "version"}, **before
    )


@pytest.mark.usefixtures("table")
def test_a_write_whose_condition_does_not_hold_changes_nothing(cloud: Cloud) -> None:
    write(cloud, "staging", 1)
    write(cloud, "staging", 2)
    for late in (1, 2):
        with pytest.raises(cloud.dynamodb.exceptions.ConditionalCheckFailedException):
            write(cloud, "staging", late)
    found = cloud.dynamodb.get_item(TableName=NAME, Key={"stack": {"S": "staging"}}, ConsistentRead=True)["Item"]
    assert found["version"] == {"N": "2"}, "of two writers one comes second, and must notice"
    assert "Item" not in cloud.dynamodb.get_item(TableName=NAME, Key={"stack": {"S": "prod"}}), "nothing yet"


def test_a_table_that_is_protected_is_not_deleted_and_can_be_restored(cloud: Cloud, table: str) -> None:
    with pytest.raises(cloud.dynamodb.exceptions.ClientError, match="deletion protection"):
        cloud.dynamodb.delete_table(TableName=table)
    backups = cloud.dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED", "as it was asked for"
