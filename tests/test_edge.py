"""The way in: certificate, domain record, listeners and the maintenance page, in the whole program."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.maintenance import PAGE
from stacks.application import deploy
from tests.deployed import deployed
from tests.recorder import ACCOUNT, DIGEST, REGION, Recorded, Recorder, configure, record

LISTENER, RULE, RECORD = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule", "aws:route53/record:Record"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b"
DOMAIN, ZONE = "pactum.example.com", "Z0123456789EXAMPLE"
WITH_ZONE: dict[str, Any] = {"domainName": DOMAIN, "hostedZoneId": ZONE}
WITH_CERTIFICATE: dict[str, Any] = {"domainName": DOMAIN, "certificateArn": CERTIFICATE}


def stack(**changes: Any) -> Recorder:
    recorder = deployed(**changes)
    assert recorder.error is None
    return recorder


def action(listener: Recorded) -> dict[str, object]:
    (one,) = listener.inputs["defaultActions"]
    return dict(one)


def test_the_certificate_is_validated_in_the_zone_before_the_listener_takes_it() -> None:
    recorder = stack(**WITH_ZONE)
    certificate = recorder.only("aws:acm/certificate:Certificate")
    assert (certificate.inputs["domainName"], certificate.inputs["validationMethod"]) == (DOMAIN, "DNS")
    record_ = recorder.only(RECORD, "pactum-staging-validation")
    assert record_.inputs["zoneId"] == ZONE
    assert record_.inputs["name"] == "_0a1b.pactum.example.com.", "what ACM asks for"
    assert (record_.inputs["type"], record_.inputs["records"]) == ("CNAME", ["_2c3d.acm-validations.aws."])
    assert record_.inputs["allowOverwrite"] is True, "another certificate of the name has the same record"
    assert record_.retained, "and is renewed by it, when this one is gone"
    validation = recorder.only(VALIDATION)
    assert recorder.waits(validation, record_), "ACM would never see it"
    https = recorder.only(LISTENER, "pactum-staging-https")
    assert recorder.waits(https, validation), "AWS refuses a listener whose certificate is not issued"
    assert https.inputs["certificateArn"] == f"arn:aws:acm:{REGION}:{ACCOUNT}:pactum-staging-certificate"


def test_a_certificate_of_ones_own_is_used_and_a_zone_then_gets_the_domain_only() -> None:
    for changes in (WITH_CERTIFICATE, {**WITH_CERTIFICATE, "hostedZoneId": ZONE}):
        recorder = stack(**changes)
        assert not recorder.of_type("aws:acm/certificate:Certificate")
        assert recorder.only(LISTENER, "pactum-staging-https").inputs["certificateArn"] == CERTIFICATE
        names = [one.inputs["name"] for one in recorder.of_type(RECORD)]
        assert names == ([DOMAIN] if "hostedZoneId" in changes else [])


def test_the_domain_leads_to_the_balancer_and_takes_no_record_that_stands_there() -> None:
    recorder = stack(**WITH_ZONE)
    alias = recorder.only(RECORD, "pactum-staging-domain")
    assert (alias.inputs["name"], alias.inputs["type"], alias.inputs["zoneId"]) == (DOMAIN, "A", ZONE)
    (target,) = alias.inputs["aliases"]
    balancers_zone = "Z35SXDOTRQ7X7K"
    assert target["name"] == f"pactum-staging-web-1.{REGION}.elb.amazonaws.com"
    assert (target["zoneId"], target["evaluateTargetHealth"]) == (balancers_zone, False)
    assert not alias.inputs.get("allowOverwrite"), "users may come by the record that is there"
    assert not [one for one in recorder.of_type(RECORD) if one.inputs["type"] == "AAAA"], "the balancer has no IPv6"


def test_users_are_brought_when_a_release_was_found_good_and_not_before() -> None:
    recorder = stack(**WITH_ZONE)
    alias = recorder.only(RECORD, "pactum-staging-domain")
    assert recorder.waits(alias, recorder.only(LISTENER, "pactum-staging-https")), "nobody would answer them"
    timeline = recorder.timeline
    assert timeline.index("ops verify") < timeline.index(f"{RECORD} pactum-staging-domain"), (
        "a site that moves would be down for as long as its first update takes"
    )
    configure("staging", imageDigest=DIGEST, **WITH_ZONE)
    refused = record(deploy, refuse=("command:local:run", "ops verify"))
    assert refused.error is not None
    assert [one.name for one in refused.of_type(RECORD)] == ["pactum-staging-validation"]


@pytest.mark.parametrize("changes", [WITH_ZONE, WITH_CERTIFICATE])
def test_plain_http_is_redirected_to_the_name_that_the_certificate_is_for(changes: dict[str, Any]) -> None:
    recorder = stack(**changes)
    redirected = action(recorder.only(LISTENER, "pactum-staging-http"))
    assert redirected["type"] == "redirect"
    assert redirected["redirect"] == {"host": DOMAIN, "port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}
    https = recorder.only(LISTENER, "pactum-staging-https").inputs
    assert (https["port"], https["protocol"]) == (443, "HTTPS")
    assert recorder.waits(
        recorder.only(LISTENER, "pactum-staging-http"), recorder.only(LISTENER, "pactum-staging-https")
    ), "users of a stack that gets a domain later would be sent to nobody"
    assert https["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "what AWS recommends"


def test_without_a_domain_there_is_one_listener_and_nothing_of_the_edge() -> None:
    recorder = stack()
    assert [one.name for one in recorder.of_type(LISTENER)] == ["pactum-staging-http"]
    assert action(recorder.only(LISTENER))["type"] == "forward"
    services = {one.type.split(":")[1].partition("/")[0] for one in recorder.resources}
    assert not services & {"acm", "route53", "wafv2"}, "who has no domain pays for none of it"
    assert not recorder.of_type(RULE)


def test_production_has_a_domain_a_zone_and_a_firewall() -> None:
    recorder = deployed("prod")
    assert recorder.error is None
    assert len(recorder.of_type(RECORD)) == 2
    assert len(recorder.of_type("aws:wafv2/webAcl:WebAcl")) == 1
    ports = {one.inputs["fromPort"] for one in recorder.resources if "internet-to-balancer" in one.name}
    assert ports == {80, 443}


@pytest.mark.parametrize("changes", [{}, WITH_ZONE])
def test_maintenance_shows_everybody_a_page_but_lets_the_verdict_through(changes: dict[str, Any]) -> None:
    recorder = stack(maintenance=True, readinessPath="/ready", **changes)
    rules = sorted(recorder.of_type(RULE), key=lambda rule: int(rule.inputs["priority"]))
    assert len(rules) == 2
    first, second = (rule.inputs for rule in rules)
    assert first["conditions"] == [{"pathPattern": {"values": ["/ready"]}}]
    (forward,) = first["actions"]
    assert forward["type"] == "forward", "the verdict would judge the page"
    assert second["conditions"] == [{"pathPattern": {"values": ["/*"]}}]
    (page,) = second["actions"]
    assert (page["type"], page["fixedResponse"]["statusCode"]) == ("fixed-response", "503"), "search engines wait"
    assert page["fixedResponse"]["contentType"] == "text/html"
    assert recorder.waits(rules[1], rules[0]), "the page alone would stop a verdict"
    listener = recorder.only(LISTENER, "pactum-staging-https" if changes else "pactum-staging-http")
    assert {rule.inputs["listenerArn"] for rule in rules} == {f"arn:aws:lb:{REGION}:{ACCOUNT}:{listener.name}"}, (
        "the one that forwards"
    )
    assert action(listener)["type"] == "forward", "ECS wants the target group to stay behind the balancer"


def test_users_see_the_page_before_the_migration_touches_the_database() -> None:
    timeline = stack(maintenance=True, readinessPath="/ready").timeline
    shown = timeline.index(f"{RULE} pactum-staging-maintenance")
    assert shown < timeline.index("command:local:Command pactum-staging-migrate")


def test_the_page_is_as_long_as_aws_allows_and_loads_nothing() -> None:
    assert len(PAGE.encode()) <= 1024, "AWS refuses a longer fixed answer"
    assert re.search(r'<html lang="\w+">', PAGE)
    assert not re.search(r"(src|href|url)\s*[=(]", PAGE), "what it would load is under maintenance too"


@pytest.mark.parametrize("made_before", [False, True])
def test_a_preview_shows_the_edge_without_knowing_what_acm_will_ask_for(made_before: bool) -> None:
    changes = {**WITH_ZONE, "maintenance": True, "firewall": True}
    configure("staging", imageDigest=DIGEST, **changes)
    preview = record(deploy, preview=True, made_before=made_before)
    assert preview.error is None
    assert sorted(preview.names()) == sorted(stack(**changes).names()), "a reviewer would see something else"
