"""What an account has once: the key of Pulumi's state, with its alias, and a budget."""

from rehearsal.realisers.realiser import Field, Made, Realiser, tag_list
from rehearsal.realisers.realiser import parameters as parameters_of
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

_KEY_FIELDS: dict[str, Field] = {
    "description": "Description",
    "policy": "Policy",
    "tags": tag_list(key="TagKey", value="TagValue"),
}


def _key(tools: Tools, _: str, inputs: Properties) -> Made:
    kms = tools.client("kms")
    made = kms.create_key(**parameters_of(_KEY_FIELDS, inputs))["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return Made(id=made["KeyId"], outputs={"arn": made["Arn"], "keyId": made["KeyId"]})


def _alias(tools: Tools, _: str, inputs: Properties) -> Made:
    name = inputs["name"]
    tools.client("kms").create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
    return Made(id=name, outputs={"arn": tools.arn("kms", name)})


def _budget(tools: Tools, _: str, inputs: Properties) -> Made:
    account = tools.place.account_id
    alerts = [
        {
            "Notification": {
                "NotificationType": alert["notificationType"],
                "ComparisonOperator": alert["comparisonOperator"],
                "Threshold": alert["threshold"],
                "ThresholdType": alert["thresholdType"],
            },
            "Subscribers": [
                {"SubscriptionType": "EMAIL", "Address": address} for address in alert["subscriberEmailAddresses"]
            ],
        }
        for alert in inputs.get("notifications", [])
    ]
    budget = {
        "BudgetName": inputs["name"],
        "BudgetType": inputs["budgetType"],
        "TimeUnit": inputs["timeUnit"],
        "BudgetLimit": {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]},
    }
    tools.client("budgets").create_budget(AccountId=account, Budget=budget, NotificationsWithSubscribers=alerts)
    return Made(id=f"{account}:{inputs['name']}", outputs={})


ACCOUNT: dict[str, Realiser] = {
    "aws:kms/key:Key": Realiser(
        create=_key,
        properties=frozenset({"description", "policy", "enableKeyRotation", "tags"}),
        not_rehearsed={"deletionWindowInDays": "a rehearsal destroys nothing"},
    ),
    "aws:kms/alias:Alias": Realiser(
        create=_alias, properties=frozenset({"targetKeyId"}), name_property="name", name_limit=250
    ),
    "aws:budgets/budget:Budget": Realiser(
        create=_budget,
        properties=frozenset({"budgetType", "timeUnit", "limitAmount", "limitUnit", "notifications"}),
        name_property="name",
        name_limit=100,
    ),
}
