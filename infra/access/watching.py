"""What a watch may publish and remember: the same limits in its own policy and in the boundary around it."""

from infra.access.documents import Condition, Statement, allow

# The item of the release memory's table that is the watch's; no stack can be called so.
WATCH_ITEM = "watch:jobs"


def publishing(namespace: str) -> Statement:
    """PutMetricData knows no resources ("Actions defined by Amazon CloudWatch"), only namespaces."""
    return allow("cloudwatch:PutMetricData", "*", {"StringEquals": {"cloudwatch:namespace": namespace}})


def one_item(key: str) -> Condition:
    """Every item that a request of DynamoDB is about has this key, and there is one: the condition asks for both."""
    leading = "dynamodb:LeadingKeys"
    return {"ForAllValues:StringEquals": {leading: [key]}, "Null": {leading: "false"}}
