"""Domain, certificate, firewall and maintenance page in the rehearsal: what is made, and what its checks notice."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.validate import ParamValidator

from infra.firewall import rules
from rehearsal import edge_checks
from rehearsal.balancer_client import Answer, BalancerClient
from rehearsal.errors import RehearsalError
from rehearsal.realisers.tables import REHEARSED
from rehearsal.smoke import Live, checks
from rehearsal.state import Deployed
from rehearsal.updater import Updater
from tests.rehearsal_fakes import fake_tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.realisers.tools import Tools
    from rehearsal.state import Properties

DOMAIN, BALANCER = "pactum.example.com", "web-1.us-east-1.elb.amazonaws.com"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0"
ASKED = {"Name": f"_x.{DOMAIN}.", "Type": "CNAME", "Value": "_y.acm."}
ALIAS: dict[str, Any] = {"Name": f"{DOMAIN}.", "Type": "A", "AliasTarget": {"DNSName": f"{BALANCER}."}}
VALIDATED: dict[str, Any] = {"Name": ASKED["Name"], "Type": "CNAME", "ResourceRecords": [{"Value": ASKED["Value"]}]}


@dataclass
class Cloud:
    """Answers what it was given by operation, and remembers what it was asked, which AWS's own API must allow."""

    answers: dict[str, Any]
    asked: dict[str, Properties] = field(default_factory=dict)

    def client(self, service: str) -> _Client:
        return _Client(service, self)


class _Client:
    def __init__(self, service: str, cloud: Cloud) -> None:
        self._cloud = cloud
        self._real = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload] # any service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: object) -> Any:
            model = self._real.meta.service_model.operation_model(self._real.meta.method_to_api_mapping[operation])
            problems = ParamValidator().validate(request, model.input_shape)
            assert not problems.has_errors(), problems.generate_report()
            self._cloud.asked[operation] = dict(request)
            return self._cloud.answers.get(operation, {})

        return call


def tools_with(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> Tools:
    tools = fake_tools()
    monkeypatch.setattr(tools, "client", cloud.client)
    return tools


def zones(*kept: dict[str, Any]) -> dict[str, Any]:
    return {
        "list_hosted_zones": {"HostedZones": [{"Id": "/hostedzone/Z1"}] if kept else []},
        "list_resource_record_sets": {"ResourceRecordSets": list(kept)},
        "describe_load_balancers": {"LoadBalancers": [{"DNSName": BALANCER}]},
        "request_certificate": {"CertificateArn": CERTIFICATE},
        "describe_certificate": {
            "Certificate": {"DomainValidationOptions": [{"DomainName": DOMAIN, "ResourceRecord": ASKED}]}
        },
        "create_hosted_zone": {"HostedZone": {"Id": "/hostedzone/Z1"}},
        "create_web_acl": {"Summary": {"Id": "1", "ARN": "arn:acl"}},
        "create_rule": {"Rules": [{"RuleArn": "arn:rule"}]},
    }


def create(tools: Tools, type_: str, inputs: Properties) -> Properties:
    realiser = REHEARSED[type_]
    realiser.check(inputs)
    return realiser.create(tools, "it", inputs).outputs


def test_a_certificate_answers_what_acm_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(zones())
    inputs = {"domainName": DOMAIN, "validationMethod": "DNS", "tags": {"a": "b"}}
    (option,) = create(tools_with(monkeypatch, cloud), "aws:acm/certificate:Certificate", inputs)[
        "domainValidationOptions"
    ]
    assert option["resourceRecordName"] == ASKED["Name"]
    assert (option["resourceRecordType"], option["resourceRecordValue"]) == ("CNAME", "_y.acm.")
    assert cloud.asked["request_certificate"]["ValidationMethod"] == "DNS"


@pytest.mark.parametrize(
    "kept", [[], [ALIAS], [{**VALIDATED, "ResourceRecords": [{"Value": "other"}]}], [{**VALIDATED, "Name": "other."}]]
)
def test_a_certificate_without_its_record_is_never_issued(
    monkeypatch: pytest.MonkeyPatch, kept: list[dict[str, Any]]
) -> None:
    type_, inputs = "aws:acm/certificateValidation:CertificateValidation", {"certificateArn": CERTIFICATE}
    with pytest.raises(RehearsalError, match=rf"no hosted zone has the record CNAME _x.{DOMAIN}"):
        create(tools_with(monkeypatch, Cloud(zones(*kept))), type_, inputs)
    create(tools_with(monkeypatch, Cloud(zones(VALIDATED))), type_, inputs)


@pytest.mark.parametrize(("overwrite", "action"), [(True, "UPSERT"), (False, "CREATE")])
def test_a_record_is_made_in_the_zone_that_stands_for_the_stack_files(
    monkeypatch: pytest.MonkeyPatch, overwrite: bool, action: str
) -> None:
    cloud = Cloud(zones())
    aliases = [{"name": BALANCER, "zoneId": "Z35", "evaluateTargetHealth": False}]
    inputs = {"zoneId": "Z0123", "name": DOMAIN, "type": "A", "aliases": aliases, "allowOverwrite": overwrite}
    assert create(tools_with(monkeypatch, cloud), "aws:route53/record:Record", inputs)["fqdn"] == DOMAIN
    assert cloud.asked["create_hosted_zone"] == {"Name": "example.com", "CallerReference": "Z0123"}
    (change,) = cloud.asked["change_resource_record_sets"]["ChangeBatch"]["Changes"]
    assert change["Action"] == action, "AWS refuses a record that is there already"
    target = {"DNSName": BALANCER, "HostedZoneId": "Z35", "EvaluateTargetHealth": False}
    assert change["ResourceRecordSet"] == {"Name": DOMAIN, "Type": "A", "AliasTarget": target}


def test_the_firewalls_rules_are_what_awss_own_api_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(zones())
    metric = {"metricName": "firewall", "cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": False}
    inputs = {"name": "it", "scope": "REGIONAL", "defaultAction": {"allow": {}}, "visibilityConfig": metric}
    tools = tools_with(monkeypatch, cloud)
    assert create(tools, "aws:wafv2/webAcl:WebAcl", {**inputs, "rules": rules("/readyz")})["arn"] == "arn:acl"
    sent = cloud.asked["create_web_acl"]["Rules"]
    assert [rule["Priority"] for rule in sent] == list(range(6))
    assert sent[1]["Statement"]["ByteMatchStatement"]["SearchString"] == "/readyz"
    create(tools, "aws:wafv2/webAclAssociation:WebAclAssociation", {"webAclArn": "a" * 20, "resourceArn": "b" * 20})
    assert cloud.asked["associate_web_acl"] == {"WebACLArn": "a" * 20, "ResourceArn": "b" * 20}


def test_a_listeners_rule_is_made_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(zones())
    tools, realiser = tools_with(monkeypatch, cloud), REHEARSED["aws:lb/listenerRule:ListenerRule"]
    page = {"statusCode": "503", "contentType": "text/html", "messageBody": "x"}
    inputs = {
        "listenerArn": "arn:listener",
        "priority": 2,
        "conditions": [{"pathPattern": {"values": ["/*"]}}],
        "actions": [{"type": "fixed-response", "fixedResponse": page}],
    }
    create(tools, "aws:lb/listenerRule:ListenerRule", inputs)
    sent = cloud.asked["create_rule"]
    assert sent["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    assert sent["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "503"
    assert realiser.delete is not None
    realiser.delete(tools, Deployed(urn="u", type="t", name="n", id="arn:rule", inputs=inputs, outputs={}))
    assert cloud.asked["delete_rule"] == {"RuleArn": "arn:rule"}, "maintenance must end"


@pytest.mark.parametrize(
    ("status", "location", "fine"),
    [
        (301, f"https://{DOMAIN}:443/somewhere/?kept=1", True),
        (302, f"https://{DOMAIN}:443/somewhere/?kept=1", False),
        (301, f"http://{DOMAIN}/somewhere/?kept=1", False),
        (301, "https://other.example.com/somewhere/?kept=1", False),
        (301, f"https://{DOMAIN}/", False),
        (200, "", False),
    ],
)
def test_the_check_notices_a_redirect_that_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch, status: int, location: str, fine: bool
) -> None:
    asked: list[str] = []

    def get(self: BalancerClient, path: str) -> Answer:
        asked.append(f"{self.url}{path}")
        return Answer(status=status, headers={"location": location} if location else {}, body="")

    monkeypatch.setattr(BalancerClient, "get", get)
    if fine:
        edge_checks.http_redirects(fake_tools().place, f"https://{DOMAIN}")
        assert asked == [f"http://{name}/somewhere/?kept=1" for name in (DOMAIN, f"other.{DOMAIN}")]
    else:
        with pytest.raises(RehearsalError, match=f"answered {status}"):
            edge_checks.http_redirects(fake_tools().place, f"https://{DOMAIN}")


def test_the_check_notices_a_domain_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://{DOMAIN}"
    fine: tuple[list[dict[str, Any]], ...] = ([], [ALIAS, VALIDATED])
    for kept in fine:
        edge_checks.domain_leads_to_balancer(tools_with(monkeypatch, Cloud(zones(*kept))), url)
    elsewhere = {**ALIAS, "AliasTarget": {"DNSName": "other.example.com."}}
    for kept in ([VALIDATED], [elsewhere]):
        with pytest.raises(RehearsalError, match=f"the balancer is {BALANCER}"):
            edge_checks.domain_leads_to_balancer(tools_with(monkeypatch, Cloud(zones(*kept))), url)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_way_in_is_checked_where_users_come_over_https(scheme: str) -> None:
    live = Live(stack="prod", url=f"{scheme}://{DOMAIN}", release="r", cluster="c", service="web")
    ours = {"http_redirects", "domain_leads_to_balancer"} & checks(fake_tools(), live).keys()
    assert len(ours) == (2 if scheme == "https" else 0)


@pytest.mark.parametrize(
    ("url", "hsts", "cookie", "wrong"),
    [
        (f"https://{DOMAIN}", "max-age=31536000", "csrftoken=x; Path=/; Secure", ""),
        (f"https://{DOMAIN}", "", "csrftoken=x; Path=/; Secure", "no Strict-Transport-Security"),
        (f"https://{DOMAIN}", "max-age=31536000", "csrftoken=x; Path=/", "cookie may be sent unencrypted: csrftoken$"),
        ("http://b", "", "csrftoken=x", ""),
    ],
)
def test_pactums_own_check_notices_what_would_let_browsers_leave_https(
    url: str, hsts: str, cookie: str, wrong: str
) -> None:
    headers = {"strict-transport-security": hsts, "set-cookie": cookie}
    user = SimpleNamespace(get=lambda _: Answer(status=200, headers=headers, body=""))
    site: Any = SimpleNamespace(url=url, user=lambda: user)
    check = Updater(stack="staging").application.checks["browsers_stay_with_https"]
    with pytest.raises(Exception, match=wrong) if wrong else nullcontext():
        check(site)
