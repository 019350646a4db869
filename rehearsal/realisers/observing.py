"""Logs, what is counted in them, alarms and who is told. Tasks really write these logs; extensions do the rest."""

from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, parameters, tag_list, verbatim
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

_LOG_GROUP_FIELDS: dict[str, Field] = {"name": "logGroupName", "kmsKeyId": "kmsKeyId", "tags": verbatim("tags")}


def _create_log_group(tools: Tools, _: str, inputs: Properties) -> Made:
    logs, name = tools.client("logs"), inputs["name"]
    logs.create_log_group(**parameters(_LOG_GROUP_FIELDS, inputs))
    if inputs.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    # The provider's `arn` has no `:*` at its end, CloudWatch's own has.
    return Made(id=name, outputs={"arn": tools.arn("logs", f"log-group:{name}")})


_LOG_GROUP = Realiser(
    create=_create_log_group,
    properties=frozenset({*_LOG_GROUP_FIELDS, "retentionInDays"}),
    not_rehearsed={"skipDestroy": "acts when the resource is deleted"},
    name_property="name",
)

_ACTION_FIELDS: dict[str, Field] = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "okActions": "OKActions",
    "insufficientDataActions": "InsufficientDataActions",
}
_ALARM_FIELDS: dict[str, Field] = {
    "name": "AlarmName",
    "alarmDescription": "AlarmDescription",
    "namespace": "Namespace",
    "metricName": "MetricName",
    "statistic": "Statistic",
    "extendedStatistic": "ExtendedStatistic",
    "period": "Period",
    "threshold": "Threshold",
    "comparisonOperator": "ComparisonOperator",
    "evaluationPeriods": "EvaluationPeriods",
    "datapointsToAlarm": "DatapointsToAlarm",
    "treatMissingData": "TreatMissingData",
    **_ACTION_FIELDS,
    "dimensions": lambda value: {"Dimensions": [{"Name": name, "Value": text} for name, text in sorted(value.items())]},
    "metricQueries": lambda queries: {"Metrics": [_metric_query(query) for query in queries]},
    "tags": tag_list(),
}


def _metric_query(query: Properties) -> Properties:
    request: Properties = {"Id": query["id"], "ReturnData": query.get("returnData", False)}
    request |= {key.capitalize(): query[key] for key in ("expression", "label", "period") if query.get(key)}
    if metric := query.get("metric"):
        names = metric.get("dimensions") or {}
        request["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": [{"Name": name, "Value": text} for name, text in sorted(names.items())],
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
    return request


def _put_alarm(tools: Tools, inputs: Properties) -> Made:
    tools.client("cloudwatch").put_metric_alarm(**parameters(_ALARM_FIELDS, inputs))
    name = inputs["name"]
    return Made(id=name, outputs={"arn": tools.arn("cloudwatch", f"alarm:{name}")})


def _change_alarm(tools: Tools, _: Deployed, inputs: Properties) -> Made:
    return _put_alarm(tools, inputs)


_COMPOSITE_FIELDS: dict[str, Field] = {
    "alarmName": "AlarmName",
    "alarmDescription": "AlarmDescription",
    "alarmRule": "AlarmRule",
    **_ACTION_FIELDS,
    "tags": tag_list(),
}


def _put_composite(tools: Tools, inputs: Properties) -> Made:
    tools.client("cloudwatch").put_composite_alarm(**parameters(_COMPOSITE_FIELDS, inputs))
    name = inputs["alarmName"]
    return Made(id=name, outputs={"arn": tools.arn("cloudwatch", f"alarm:{name}")})


_COMPOSITE_UPDATABLE = frozenset({"alarmDescription", "alarmRule", "alarmActions", "okActions"})
_COMPOSITE = Realiser(
    create=lambda tools, _, inputs: _put_composite(tools, inputs),
    update=lambda tools, _, inputs: _put_composite(tools, inputs),
    properties=frozenset(_COMPOSITE_FIELDS),
    updatable=_COMPOSITE_UPDATABLE,
)


_TOPIC = Realiser(
    create=made_by(
        "sns",
        "create_topic",
        {"name": "Name", "kmsMasterKeyId": lambda key: {"Attributes": {"KmsMasterKeyId": key}}, "tags": tag_list()},
        lambda inputs, response: Made(
            id=response["TopicArn"], outputs={"arn": response["TopicArn"], "name": inputs["name"]}
        ),
    ),
    properties=frozenset({"kmsMasterKeyId", "tags"}),
    name_property="name",
)

_TOPIC_POLICY = Realiser(
    create=made_by(
        "sns",
        "set_topic_attributes",
        {"arn": "TopicArn", "policy": "AttributeValue"},
        lambda inputs, _: Made(id=inputs["arn"], outputs={}),
        constants={"AttributeName": "Policy"},
    ),
    properties=frozenset({"arn", "policy"}),
)

_SUBSCRIPTION = Realiser(
    create=made_by(
        "sns",
        "subscribe",
        {"topic": "TopicArn", "protocol": "Protocol", "endpoint": "Endpoint"},
        lambda _, response: Made(id=response["SubscriptionArn"], outputs={"arn": response["SubscriptionArn"]}),
        constants={"ReturnSubscriptionArn": True},
    ),
    properties=frozenset({"topic", "protocol", "endpoint"}),
)

_TRANSFORMATION: dict[str, Field] = {
    "name": "metricName",
    "namespace": "metricNamespace",
    "value": "metricValue",
    "unit": "unit",
    "defaultValue": lambda value: {"defaultValue": float(value)},
    "dimensions": verbatim("dimensions"),
}
_FILTER_FIELDS: dict[str, Field] = {
    "name": "filterName",
    "logGroupName": "logGroupName",
    "pattern": "filterPattern",
    "metricTransformation": lambda value: {"metricTransformations": [parameters(_TRANSFORMATION, value)]},
}


def _put_filter(tools: Tools, inputs: Properties) -> Made:
    tools.client("logs").put_metric_filter(**parameters(_FILTER_FIELDS, inputs))
    return Made(id=inputs["name"], outputs={})


# PutMetricFilter replaces a filter that it finds by its name and its log group's.
_FILTER_UPDATABLE = frozenset({"pattern", "metricTransformation"})
_METRIC_FILTER = Realiser(
    create=lambda tools, _, inputs: _put_filter(tools, inputs),
    update=lambda tools, _, inputs: _put_filter(tools, inputs),
    properties=frozenset(_FILTER_FIELDS),
    updatable=_FILTER_UPDATABLE,
    name_property="name",
)


def _put_resource_policy(tools: Tools, inputs: Properties) -> Made:
    name = inputs["policyName"]
    tools.client("logs").put_resource_policy(policyName=name, policyDocument=inputs["policyDocument"])
    return Made(id=name, outputs={})


_RESOURCE_POLICY = Realiser(
    create=lambda tools, _, inputs: _put_resource_policy(tools, inputs),
    update=lambda tools, _, inputs: _put_resource_policy(tools, inputs),
    properties=frozenset({"policyName", "policyDocument"}),
    updatable=frozenset({"policyDocument"}),
)

# PutMetricAlarm replaces an alarm whole, but for its tags; another name is another alarm.
_ALARM_UPDATABLE = frozenset(_ALARM_FIELDS.keys() - {"name", "tags"})


def _put_dashboard(tools: Tools, inputs: Properties) -> Made:
    name = inputs["dashboardName"]
    tools.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    return Made(id=name, outputs={})


_DASHBOARD = Realiser(
    create=lambda tools, _, inputs: _put_dashboard(tools, inputs),
    update=lambda tools, _, inputs: _put_dashboard(tools, inputs),
    properties=frozenset({"dashboardName", "dashboardBody"}),
    updatable=frozenset({"dashboardBody"}),
)

_QUERY_FIELDS: dict[str, Field] = {
    "name": "name",
    "queryString": "queryString",
    "logGroupNames": "logGroupNames",
    "queryDefinitionId": "queryDefinitionId",
}


def _put_query(tools: Tools, inputs: Properties) -> Made:
    made = tools.client("logs").put_query_definition(**parameters(_QUERY_FIELDS, inputs))["queryDefinitionId"]
    return Made(id=made, outputs={"queryDefinitionId": made})


def _delete_query(tools: Tools, deployed: Deployed) -> None:
    tools.client("logs").delete_query_definition(queryDefinitionId=deployed.id)


# PutQueryDefinition replaces what it finds by its id, whole.
_QUERY_UPDATABLE = frozenset({"name", "queryString", "logGroupNames"})
_QUERY = Realiser(
    create=lambda tools, _, inputs: _put_query(tools, inputs),
    update=lambda tools, deployed, inputs: _put_query(tools, {**inputs, "queryDefinitionId": deployed.id}),
    delete=_delete_query,
    properties=_QUERY_UPDATABLE,
    updatable=_QUERY_UPDATABLE,
    removable=frozenset({"logGroupNames"}),
)

OBSERVING: dict[str, Realiser] = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _COMPOSITE,
    "aws:cloudwatch/dashboard:Dashboard": _DASHBOARD,
    "aws:cloudwatch/logGroup:LogGroup": _LOG_GROUP,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _METRIC_FILTER,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _RESOURCE_POLICY,
    "aws:cloudwatch/queryDefinition:QueryDefinition": _QUERY,
    "aws:cloudwatch/metricAlarm:MetricAlarm": Realiser(
        create=lambda tools, _, inputs: _put_alarm(tools, inputs),
        update=_change_alarm,
        properties=frozenset(_ALARM_FIELDS),
        updatable=_ALARM_UPDATABLE,
        removable=_ALARM_UPDATABLE,
        name_property="name",
    ),
    "aws:sns/topic:Topic": _TOPIC,
    "aws:sns/topicPolicy:TopicPolicy": _TOPIC_POLICY,
    "aws:sns/topicSubscription:TopicSubscription": _SUBSCRIPTION,
}
