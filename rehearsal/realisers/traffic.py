"""The load balancer: it really forwards to the tasks, and the extensions make its health checks real."""

from typing import Any

from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties


def _text(value: Any) -> str:  # noqa: ANN401 - a scalar
    return str(value).lower() if isinstance(value, bool) else str(value)


def _balancer(inputs: Properties, response: Properties) -> Made:
    balancer = response["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    outputs = {
        "arn": arn,
        "arnSuffix": arn.partition(":loadbalancer/")[2],
        "dnsName": balancer["DNSName"],
        "zoneId": balancer.get("CanonicalHostedZoneId", ""),
        "name": inputs["name"],
    }
    return Made(id=arn, outputs=outputs)


_BALANCER_ATTRIBUTES = {
    "idleTimeout": "idle_timeout.timeout_seconds",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
}
_TARGET_ATTRIBUTES = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "slowStart": "slow_start.duration_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
}


def _attributes(names: dict[str, str], inputs: Properties) -> list[dict[str, str]]:
    return [{"Key": key, "Value": _text(inputs[name])} for name, key in names.items() if name in inputs]


def _access_logs(logs: Properties) -> list[dict[str, str]]:
    """Like the provider's: a log that is off is told to be, and not where it would go."""
    told = logs if logs.get("enabled") else {"enabled": False}
    return [{"Key": f"access_logs.s3.{name}", "Value": _text(value)} for name, value in sorted(told.items())]


def _balancer_attributes(tools: Tools, inputs: Properties, made: Made) -> None:
    attributes = _attributes(_BALANCER_ATTRIBUTES, inputs) + _access_logs(inputs.get("accessLogs", {}))
    if attributes:
        tools.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=made.id, Attributes=attributes)


def _target_attributes(tools: Tools, inputs: Properties, made: Made) -> None:
    attributes = _attributes(_TARGET_ATTRIBUTES, inputs)
    if attributes:
        tools.client("elbv2").modify_target_group_attributes(TargetGroupArn=made.id, Attributes=attributes)


_BALANCER_FIELDS: dict[str, Field] = {
    "name": "Name",
    "loadBalancerType": "Type",
    "subnets": "Subnets",
    "securityGroups": "SecurityGroups",
    "internal": lambda internal: {"Scheme": "internal" if internal else "internet-facing"},
    "tags": tag_list(),
}

_HEALTH_FIELDS = {
    "enabled": "HealthCheckEnabled",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


def _health_check(check: Properties) -> Properties:
    result = {_HEALTH_FIELDS[name]: value for name, value in check.items() if name != "matcher"}
    return result | ({"Matcher": {"HttpCode": check["matcher"]}} if "matcher" in check else {})


_TARGET_FIELDS: dict[str, Field] = {
    "name": "Name",
    "port": "Port",
    "protocol": "Protocol",
    "targetType": "TargetType",
    "vpcId": "VpcId",
    "healthCheck": _health_check,
    "tags": tag_list(),
}


def _target_group(inputs: Properties, response: Properties) -> Made:
    arn = response["TargetGroups"][0]["TargetGroupArn"]
    suffix = "targetgroup/" + arn.partition(":targetgroup/")[2]
    return Made(id=arn, outputs={"arn": arn, "arnSuffix": suffix, "name": inputs["name"]})


_ACTION_KEYS = {"redirect": "RedirectConfig", "fixedResponse": "FixedResponseConfig", "forward": "ForwardConfig"}


def _actions(parameter: str) -> Any:  # noqa: ANN401 - a Field
    def convert(actions: list[Properties]) -> Properties:
        return {parameter: [{_action_key(key): _action_value(value) for key, value in it.items()} for it in actions]}

    return convert


def _action_key(key: str) -> str:
    return _ACTION_KEYS.get(key, key[:1].upper() + key[1:])


def _action_value(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: item for key, item in value.items()}
    return value


def _listener(_: Properties, response: Properties) -> Made:
    arn = response["Listeners"][0]["ListenerArn"]
    return Made(id=arn, outputs={"arn": arn})


_LISTENER_FIELDS: dict[str, Field] = {
    "loadBalancerArn": "LoadBalancerArn",
    "port": "Port",
    "protocol": "Protocol",
    "sslPolicy": "SslPolicy",
    "certificateArn": lambda arn: {"Certificates": [{"CertificateArn": arn}]},
    "defaultActions": _actions("DefaultActions"),
    "tags": tag_list(),
}


def _conditions(conditions: list[Properties]) -> Properties:
    return {
        "Conditions": [
            {"Field": "path-pattern", "PathPatternConfig": {"Values": condition["pathPattern"]["values"]}}
            for condition in conditions
        ]
    }


_RULE_FIELDS: dict[str, Field] = {
    "listenerArn": "ListenerArn",
    "priority": "Priority",
    "conditions": _conditions,
    "actions": _actions("Actions"),
    "tags": tag_list(),
}


def _rule(_: Properties, response: Properties) -> Made:
    arn = response["Rules"][0]["RuleArn"]
    return Made(id=arn, outputs={"arn": arn})


def _delete_rule(tools: Tools, rule: Deployed) -> None:
    tools.client("elbv2").delete_rule(RuleArn=rule.id)


# AWS: names of balancers and target groups have 32 characters at most.
NAME_LIMIT = 32

TRAFFIC: dict[str, Realiser] = {
    "aws:lb/loadBalancer:LoadBalancer": Realiser(
        create=made_by("elbv2", "create_load_balancer", _BALANCER_FIELDS, _balancer, afterwards=_balancer_attributes),
        properties=frozenset({*_BALANCER_FIELDS, *_BALANCER_ATTRIBUTES, "accessLogs"}),
        name_property="name",
        name_limit=NAME_LIMIT,
    ),
    "aws:lb/targetGroup:TargetGroup": Realiser(
        create=made_by("elbv2", "create_target_group", _TARGET_FIELDS, _target_group, afterwards=_target_attributes),
        properties=frozenset({*_TARGET_FIELDS, *_TARGET_ATTRIBUTES}),
        name_property="name",
        name_limit=NAME_LIMIT,
    ),
    "aws:lb/listener:Listener": Realiser(
        create=made_by("elbv2", "create_listener", _LISTENER_FIELDS, _listener),
        properties=frozenset(_LISTENER_FIELDS),
    ),
    "aws:lb/listenerRule:ListenerRule": Realiser(
        create=made_by("elbv2", "create_rule", _RULE_FIELDS, _rule),
        properties=frozenset(_RULE_FIELDS),
        delete=_delete_rule,
    ),
}
