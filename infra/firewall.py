"""The web application firewall: who is refused before the load balancer forwards anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

# Requests of one address within five minutes. A page with all it loads is about ten, and behind one may sit an office.
REQUESTS_BY_ADDRESS = 3000
WINDOW_SECONDS = 300
# AWS WAF Developer Guide, "AWS Managed Rules rule groups list": with the limit and the readiness path 1,129 of the
# 1,500 capacity units that one price has. They are asked in this order: what is decided quickest comes first.
MANAGED_GROUPS = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
)
# Counted and not refused: a body above 8 KiB is an upload, or a long text in a form.
COUNTED = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
SECRET_HEADERS = ("authorization", "cookie")
Properties = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """`readiness_path` is what the verdict asks, from wherever an update runs."""

    balancer_arn: pulumi.Output[str]
    readiness_path: str
    log_retention_days: int


class Firewall(pulumi.ComponentResource):
    """A web ACL before the load balancer. What it refuses is answered 403.

    Creates the ACL with its rules, its association with the balancer, and a log of what it refused or counted, without
    the headers that hold secrets. Leaves out rules on countries, bots and logins: they are priced by the request.
    """

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Firewall", name, None, opts)
        # With the version, the engine takes the same provider as for everything else.
        child_opts = pulumi.ResourceOptions(parent=self, version=version("pulumi-aws"))
        # AWS wants this beginning of the log group's name; Pulumi ends it, so that the next firewall's is another. What
        # was refused is still asked about when the firewall is gone.
        log = cloudwatch.LogGroup(
            f"aws-waf-logs-{name}",
            retention_in_days=args.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        acl = _Made(
            "aws:wafv2/webAcl:WebAcl",
            f"{name}-firewall",
            {
                "scope": "REGIONAL",
                "defaultAction": {"allow": {}},
                "rules": rules(args.readiness_path),
                "visibilityConfig": _metric("firewall"),
            },
            child_opts,
        )
        _Made(
            "aws:wafv2/webAclAssociation:WebAclAssociation",
            f"{name}-firewall",
            {"webAclArn": acl.arn, "resourceArn": args.balancer_arn},
            # A balancer has one ACL: to end the association with an earlier one afterwards would leave it with none.
            pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        _Made(
            "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
            f"{name}-firewall",
            {
                "resourceArn": acl.arn,
                "logDestinationConfigs": [log.arn],
                "redactedFields": [{"singleHeader": {"name": header}} for header in SECRET_HEADERS],
                "loggingFilter": LOGGED,
            },
            child_opts,
        )
        self.register_outputs({})


class _Made(pulumi.CustomResource):
    """A resource of `pulumi_aws.wafv2` without that package, which costs every preview a quarter of a second and 24 MB.

    Properties have the provider's own spelling; tests/test_firewall.py holds them against the package.
    """

    arn: pulumi.Output[str]

    def __init__(self, type_: str, name: str, properties: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(type_, name, {**properties, "arn": None}, opts)


LOGGED: Properties = {
    "defaultBehavior": "DROP",
    "filters": [
        {
            "behavior": "KEEP",
            "requirement": "MEETS_ANY",
            "conditions": [{"actionCondition": {"action": action}} for action in ("BLOCK", "COUNT")],
        }
    ],
}


def rules(readiness_path: str) -> list[Properties]:
    """The ACL's rules: the limit, then the readiness path, which nothing else may refuse, then AWS's own."""
    limit = {"limit": REQUESTS_BY_ADDRESS, "aggregateKeyType": "IP", "evaluationWindowSec": WINDOW_SECONDS}
    asked = {
        "searchString": readiness_path,
        "positionalConstraint": "EXACTLY",
        "fieldToMatch": {"uriPath": {}},
        "textTransformations": [{"priority": 0, "type": "NONE"}],
    }
    return [
        _rule("limit", 0, {"rateBasedStatement": limit}, {"action": {"block": {}}}),
        # Updates run anywhere, behind addresses of bad reputation too: a good release must not look like a bad one.
        _rule("readiness", 1, {"byteMatchStatement": asked}, {"action": {"allow": {}}}),
        *(_managed(group, priority) for priority, group in enumerate(MANAGED_GROUPS, start=2)),
    ]


def _managed(group: str, priority: int) -> Properties:
    statement: Properties = {"vendorName": "AWS", "name": group}
    if group in COUNTED:
        statement["ruleActionOverrides"] = [{"name": rule, "actionToUse": {"count": {}}} for rule in COUNTED[group]]
    return _rule(group, priority, {"managedRuleGroupStatement": statement}, {"overrideAction": {"none": {}}})


def _rule(name: str, priority: int, statement: Properties, action: Properties) -> Properties:
    return {"name": name, "priority": priority, "statement": statement, **action, "visibilityConfig": _metric(name)}


def _metric(name: str) -> Properties:
    # Samples would show whole requests, session cookies included, to everybody who may open the console.
    return {"metricName": name, "cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": False}
