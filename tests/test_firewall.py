"""infra/firewall.py: what the ACL refuses, whom it lets pass, and what its log may hold."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import pulumi
import pytest
from pulumi_aws import wafv2

from infra.firewall import Firewall, FirewallArgs, rules
from tests.recorder import ACCOUNT, REGION, ROOT, Recorder, record

ACL, ASSOCIATION = "aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclAssociation:WebAclAssociation"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
ACL_ARN = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:it-firewall"


def firewall() -> None:
    args = FirewallArgs(
        balancer_arn=pulumi.Output.from_input("arn:balancer"), readiness_path="/ready", log_retention_days=90
    )
    Firewall("it", args)


@pytest.fixture
def made() -> Recorder:
    recorder = record(firewall)
    assert recorder.error is None
    return recorder


def statement(name: str) -> dict[str, Any]:
    (found,) = [rule for rule in rules("/ready") if rule["name"] == name]
    return dict(found)


def test_the_acl_stands_before_the_balancer_and_lets_pass_what_no_rule_refuses(made: Recorder) -> None:
    acl = made.only(ACL).inputs
    assert (acl["scope"], acl["defaultAction"]) == ("REGIONAL", {"allow": {}}), "a balancer takes no other scope"
    assert made.only(ASSOCIATION).inputs == {"webAclArn": ACL_ARN, "resourceArn": "arn:balancer"}


def test_the_readiness_path_is_limited_and_otherwise_let_pass_before_aws_rules_are_asked() -> None:
    """A verdict that AWS's list of bad addresses refuses would read as a release that does not serve."""
    in_order = [rule["name"] for rule in sorted(rules("/ready"), key=lambda rule: int(rule["priority"]))]
    assert in_order[:2] == ["limit", "readiness"], "the limit is for everybody"
    readiness = statement("readiness")
    assert readiness["action"] == {"allow": {}}
    matched = readiness["statement"]["byteMatchStatement"]
    assert (matched["searchString"], matched["positionalConstraint"]) == ("/ready", "EXACTLY"), "no path below it"
    assert len({rule["priority"] for rule in rules("/ready")}) == len(rules("/ready")), "AWS wants each number once"


def test_awss_rules_act_as_aws_means_them_but_for_large_bodies() -> None:
    groups = {
        rule["name"]: rule["statement"]["managedRuleGroupStatement"]
        for rule in rules("/ready")
        if "managedRuleGroupStatement" in rule["statement"]
    }
    assert groups.keys() == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    for name, group in groups.items():
        assert statement(name)["overrideAction"] == {"none": {}}, "counting alone refuses nobody"
        counted = [one["name"] for one in group.get("ruleActionOverrides", [])]
        expected = ["SizeRestrictions_BODY"] if name == "AWSManagedRulesCommonRuleSet" else []
        assert counted == expected, "uploads and long texts are above 8 KiB"


def test_one_address_may_ask_only_so_often() -> None:
    limit = statement("limit")
    assert limit["action"] == {"block": {}}
    rate = limit["statement"]["rateBasedStatement"]
    assert (rate["aggregateKeyType"], rate["limit"], rate["evaluationWindowSec"]) == ("IP", 3000, 300)


def test_every_rule_has_a_metric_and_keeps_no_samples(made: Recorder) -> None:
    shown = [made.only(ACL).inputs["visibilityConfig"], *(rule["visibilityConfig"] for rule in rules("/ready"))]
    assert all(one["cloudwatchMetricsEnabled"] for one in shown)
    assert not any(one["sampledRequestsEnabled"] for one in shown), "samples hold session cookies"
    assert len({one["metricName"] for one in shown}) == len(shown), "two rules would be counted as one"


def test_the_log_keeps_what_was_refused_or_counted_without_secret_headers(made: Recorder) -> None:
    group = made.only("aws:cloudwatch/logGroup:LogGroup")
    assert group.name.startswith("aws-waf-logs-"), "AWS WAF writes to no other log group"
    assert "name" not in group.inputs, "the next firewall's group would find the name taken: this one stays"
    assert group.retained, "who turns the firewall off may not delete what it refused, and a pipeline cannot"
    assert group.inputs["retentionInDays"] == 90
    logging = made.only(LOGGING).inputs
    assert logging["resourceArn"] == ACL_ARN
    redacted = {one["singleHeader"]["name"] for one in logging["redactedFields"]}
    assert redacted == {"authorization", "cookie"}
    kept = logging["loggingFilter"]
    assert kept["defaultBehavior"] == "DROP", "the application's log has every request already"
    (only,) = kept["filters"]
    assert {one["actionCondition"]["action"] for one in only["conditions"]} == {"BLOCK", "COUNT"}
    assert (only["behavior"], only["requirement"]) == ("KEEP", "MEETS_ANY")


@pytest.mark.parametrize(
    ("type_", "class_"),
    [
        (ACL, wafv2.WebAclArgs),
        (ASSOCIATION, wafv2.WebAclAssociationArgs),
        (LOGGING, wafv2.WebAclLoggingConfigurationArgs),
    ],
)
def test_the_properties_are_those_of_the_providers_package(made: Recorder, type_: str, class_: type) -> None:
    typed(class_, made.only(type_).inputs)


def test_a_misspelt_or_missing_property_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="cloudWatchMetricsEnabled"):
        typed(wafv2.WebAclVisibilityConfigArgs, {"cloudWatchMetricsEnabled": True})
    with pytest.raises(TypeError, match="metric_name"):
        typed(wafv2.WebAclVisibilityConfigArgs, {"cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": True})


ALONE = """
import sys
import pulumi
from infra.firewall import Firewall, FirewallArgs
from tests.recorder import record
args = FirewallArgs(balancer_arn=pulumi.Output.from_input("arn"), readiness_path="/ready", log_retention_days=90)
assert record(lambda: Firewall("it", args)).error is None
print("pulumi_aws.wafv2._inputs" in sys.modules)
"""


def test_the_providers_package_for_firewalls_is_never_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False", "it costs half a second and 25 MB at every preview"


def test_the_firewall_is_made_by_the_same_provider_as_everything_else() -> None:
    versions = {options.version for type_, options in options_by_type().items() if type_.startswith("aws:")}
    assert len(versions) == 1, "of another version, or of none, the engine starts a second provider"


def test_a_new_acl_is_associated_after_the_old_one_is_gone() -> None:
    assert options_by_type()[ASSOCIATION].delete_before_replace, "the balancer would be left without any"


def options_by_type() -> dict[str, pulumi.ResourceOptions]:
    found: dict[str, pulumi.ResourceOptions] = {}

    def program() -> None:
        pulumi.runtime.register_stack_transformation(lambda args: found.update({args.type_: args.opts}))
        firewall()

    assert record(program).error is None
    return found


def typed(class_: type, given: dict[str, Any]) -> object:
    """The package's own object; an unknown name is an assertion, a missing one a TypeError."""
    known = inspect.signature(class_.__init__).parameters  # type: ignore[misc]
    arguments = {}
    for key, value in given.items():
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
        assert name in known, f"{class_.__name__} has no {key}"
        nested = re.search(r"ForwardRef\('(\w+Args)'\)", str(known[name].annotation))
        arguments[name] = _nested(getattr(wafv2, nested[1]), value) if nested else value
    return class_(**arguments)


def _nested(class_: type, value: Any) -> object:
    return [typed(class_, one) for one in value] if isinstance(value, list) else typed(class_, value)
