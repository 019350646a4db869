"""A balancer's own answers, in this process: what AWS takes, how it is told, and who is answered by it."""

import asyncio
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from ministack.core.responses import request_scope
from ministack.services import alb
from rehearsal.emulator import fixed_responses

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/page/1"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/page/1/2"
OPEN = {"StatusCode": "200", "MessageBody": "open"}
PAGE = '<!doctype html>\n<html lang="en"><p>Back &amp; better</p></html>'


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """The extension, in this process."""
    fixed_responses.install()


@pytest.fixture(autouse=True)
def listener() -> Iterator[None]:
    """A balancer whose listener answers everybody `open`."""
    with request_scope("123456789012", "us-east-1"):
        alb._lbs[BALANCER] = {"LoadBalancerArn": BALANCER, "LoadBalancerName": "page", "DNSName": "page.example"}
        alb._listeners[LISTENER] = {
            "ListenerArn": LISTENER,
            "LoadBalancerArn": BALANCER,
            "Port": 80,
            "Protocol": "HTTP",
        }
        alb._rules[LISTENER] = {
            "ListenerArn": LISTENER,
            "Priority": "default",
            "IsDefault": True,
            "Actions": [
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "open"}}
            ],
        }
        yield
        for arn in [arn for arn, rule in alb._rules.items() if rule["ListenerArn"] == LISTENER]:
            del alb._rules[arn]
        del alb._lbs[BALANCER], alb._listeners[LISTENER]


def create(priority: int, path: str, status: int, message: str) -> tuple[int, str]:
    """Ask for a rule, as the API is asked."""
    action = {"Type": "fixed-response"} | {
        f"FixedResponseConfig.{key}": value
        for key, value in (("StatusCode", str(status)), ("ContentType", "text/html"), ("MessageBody", message))
    }
    condition = {"Field": "path-pattern", "PathPatternConfig.Values.member.1": path}
    answered: tuple[int, Any, bytes] = alb._create_rule(
        {"ListenerArn": LISTENER, "Priority": str(priority)}
        | {f"Actions.member.1.{key}": value for key, value in action.items()}
        | {f"Conditions.member.1.{key}": value for key, value in condition.items()}
    )
    return answered[0], answered[2].decode()


def ask(path: str) -> tuple[int, str]:
    """Ask the balancer, as a user would."""
    balancer = alb._lbs[BALANCER]
    status, _, body = asyncio.run(alb.dispatch_request(balancer, "GET", path, {"host": "page.example"}, b"", {}, 80))
    return status, body.decode()


def test_html_is_told_as_it_was_given() -> None:
    status, answered = create(2, "/*", 503, PAGE)
    assert status == 200
    told = ET.fromstring(answered).findtext(".//{*}MessageBody")  # noqa: S314 - the emulator's own words
    assert told == PAGE, "unescaped, no client could read the answer"
    assert ask("/") == (503, PAGE), "and users see it as it is"


def test_the_smaller_number_is_asked_first() -> None:
    create(2, "/*", 503, PAGE)
    create(1, "/readyz", 200, "ready")
    assert ask("/readyz") == (200, "ready")
    assert ask("/readyz/more")[0] == ask("/any/page")[0] == 503
    (page,) = [arn for arn, rule in alb._rules.items() if rule["Priority"] == "2"]
    alb._delete_rule({"RuleArn": page})
    assert ask("/any/page") == (200, "open"), "the listener's own action never went away"


def test_a_message_that_aws_refuses_is_refused() -> None:
    assert create(2, "/*", 503, "x" * 1024)[0] == 200
    status, answered = create(3, "/*", 503, "x" * 1025)
    assert (status, "1024 characters" in answered) == (400, True)
