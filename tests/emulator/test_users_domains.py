"""Two balancers in one account: users of a domain come to the one with the certificate for it."""

from typing import Any

import pytest
from ministack.services import acm, alb
from rehearsal.emulator.balancer import Balancers
from rehearsal.emulator.balancer_metrics import BalancerMetrics
from rehearsal.emulator.target_health import TargetRegistry

TENANT = ("123456789012", "us-east-1")


@pytest.fixture
def balancers(monkeypatch: pytest.MonkeyPatch) -> Balancers:
    """The first speaks HTTP only; the second has a certificate for shop.example.com."""

    class Kept:
        def __init__(self, **values: dict[str, Any]) -> None:
            self._data = {(*TENANT, key): value for key, value in values.items()}

    plain, certified = ({"DNSName": f"{name}.elb.amazonaws.com"} for name in ("plain", "certified"))
    http = {"LoadBalancerArn": "plain"}
    https = {"LoadBalancerArn": "certified", "Certificates": ["certificate"]}
    monkeypatch.setattr(alb, "_lbs", Kept(plain=plain, certified=certified))
    monkeypatch.setattr(alb, "_listeners", Kept(http=http, https=https))
    monkeypatch.setattr(acm, "_certificates", Kept(certificate={"DomainName": "shop.example.com"}))
    return Balancers(TargetRegistry(lambda _: 0.0), BalancerMetrics())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop.example.com:443", "certified"),
        ("SHOP.example.com", "certified"),
        ("www.shop.example.com", "certified"),
        ("workshop.example.com", "plain"),
        ("plain.elb.amazonaws.com", "plain"),
        ("certified.elb.amazonaws.com:443", "certified"),
    ],
)
def test_a_name_leads_to_its_balancer(balancers: Balancers, host: str, expected: str) -> None:
    found = balancers.find(host)
    assert found is not None
    assert found[1]["DNSName"] == f"{expected}.elb.amazonaws.com"
