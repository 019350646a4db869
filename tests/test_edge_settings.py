"""infra/edge_settings.py: the domain, its zone and its certificate go together, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config_reader import ConfigReader, SettingsError
from infra.edge_settings import EdgeSettings, read_edge
from infra.load_balancer import listener_ports

REGION, ACCOUNT = "us-east-1", "123456789012"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b"
DOMAIN, ZONE = {"domainName": "pactum.example.com"}, {"hostedZoneId": "Z0123456789EXAMPLE"}


def read(**given: str) -> EdgeSettings:
    values = {"firewall": "false", "maintenance": "false", **given}
    config = ConfigReader(namespace="pactum", values={f"pactum:{key}": value for key, value in values.items()})
    settings = read_edge(config, REGION, ACCOUNT)
    config.finish()
    return settings


def refusal(**given: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("given", "https"),
    [
        ({}, False),
        ({**DOMAIN, **ZONE}, True),
        ({**DOMAIN, "certificateArn": CERTIFICATE}, True),
        ({**DOMAIN, **ZONE, "certificateArn": CERTIFICATE}, True),
    ],
)
def test_a_domain_is_always_reached_over_https_and_without_one_there_is_no_https(
    given: dict[str, str], https: bool
) -> None:
    settings = read(**given)
    assert settings.https is https
    assert listener_ports(settings) == ((80, 443) if https else (80,)), "the security group opens these to the internet"


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        (DOMAIN, "domainName", "has no certificate: neither hostedZoneId nor certificateArn is set."),
        (ZONE, "hostedZoneId", "is set without domainName."),
        ({"certificateArn": CERTIFICATE}, "certificateArn", "is set without domainName."),
        ({**DOMAIN, "hostedZoneId": "/hostedzone/Z0123"}, "hostedZoneId", "has the wrong form"),
        ({**DOMAIN, "hostedZoneId": "example.com"}, "hostedZoneId", "has the wrong form"),
        ({**ZONE, "domainName": "https://pactum.example.com"}, "domainName", "has the wrong form"),
        ({**ZONE, "domainName": "*.example.com"}, "domainName", "has the wrong form"),
        ({**ZONE, "domainName": "example.c0m"}, "domainName", "has the wrong form"),
        ({**ZONE, "domainName": "example.xn--p1ai-"}, "domainName", "has the wrong form"),
        (
            {**DOMAIN, "certificateArn": "arn:aws:iam::123456789012:server-certificate/a"},
            "certificateArn",
            "wrong form",
        ),
        (
            {**DOMAIN, "certificateArn": CERTIFICATE.replace(REGION, "eu-west-1")},
            "certificateArn",
            "is not in the stack's region us-east-1",
        ),
        (
            {**DOMAIN, "certificateArn": CERTIFICATE.replace(ACCOUNT, "999999999999")},
            "certificateArn",
            "is not in the stack's account 123456789012",
        ),
        ({**ZONE, "domainName": "a" * 53 + ".example.com"}, "domainName", "has 65 characters"),
        ({"firewall": "yes"}, "firewall", "is neither true nor false"),
        ({"maintenance": "on"}, "maintenance", "is neither true nor false"),
    ],
)
def test_one_mistake_is_refused_once_and_named(given: dict[str, Any], key: str, words: str) -> None:
    message = refusal(**given)
    assert message.startswith(f"1 problem in the configuration of this stack:\n  1. pactum:{key}"), message
    assert words in message


@pytest.mark.parametrize("name", ["xn--80ak6aa92e.xn--p1ai", "shop.xn--vermgensberatung-pwb", "pactum.example.com"])
def test_names_in_other_scripts_are_written_as_dns_has_them(name: str) -> None:
    assert read(**ZONE, domainName=name).domain_name == name


def test_a_long_name_may_stand_in_a_certificate_of_ones_own() -> None:
    name = "a" * 53 + ".example.com"
    assert read(domainName=name, certificateArn=CERTIFICATE).domain_name == name
    assert read(**ZONE, domainName=name[1:]).domain_name == name[1:], "64 characters are what ACM takes"
