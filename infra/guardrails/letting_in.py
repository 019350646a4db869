"""Rules about things that say themselves whom they let in: topics, logs, and channels of a chat."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.guardrails.access import ADMINISTRATORS
from infra.guardrails.resource import Facts, Resource, Unknown, as_list, texts
from infra.guardrails.rule import ResourceRule

DOCUMENT_OF = {
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
}
CHANNELS = frozenset(
    {
        "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
        "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
    }
)
# By these a service of AWS says on whose behalf it asks; it asks for strangers as well.
SOURCES = {
    "aws:sourceaccount": re.compile(r"\d{12}"),
    "aws:sourcearn": re.compile(r"arn:[^:*?]+:[^:*?]+:[^:]*:\d{12}:.*"),
}
OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
# Services make a stream before they say for whom, and nothing is in it yet.
WITHOUT_SOURCE = {"logs:CreateLogStream"}


def _open(policy: Resource, _: Facts) -> Iterator[str]:
    for statement in policy.statements(DOCUMENT_OF[policy.type]):
        if statement["Effect"] != "Allow":
            continue
        principal = statement.get("Principal")
        named = principal if isinstance(principal, Mapping) else {}
        services = texts(as_list(named.get("Service")))
        if not services or set(named) != {"Service"}:
            yield "it lets in others than services of AWS, which IAM does by roles"
        actions = set(texts(as_list(statement.get("Action"))))
        if not actions or any("*" in action for action in actions):
            yield "it does not name what they may do"
        elif not actions <= WITHOUT_SOURCE and not _for_us(statement.get("Condition", {})):
            yield f"it lets in {', '.join(services)} on behalf of anybody"
        if "*" in texts(as_list(statement.get("Resource"))) or "NotResource" in statement:
            yield "it lets them in everywhere"


def _for_us(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it asks for an account, or for what belongs to one; everything it may be must."""
    asked = [
        as_list(values)
        for operator in OPERATORS
        for key, values in condition.get(operator, {}).items()
        if key.lower() in SOURCES and all(_names(key.lower(), value) for value in as_list(values))
    ]
    return any(asked)


def _names(key: str, value: object) -> bool:
    return isinstance(value, Unknown) or (isinstance(value, str) and bool(SOURCES[key].fullmatch(value)))


def _unguarded(channel: Resource, _: Facts) -> Iterator[str]:
    guardrails = channel.value("guardrailPolicyArns")
    if isinstance(guardrails, Unknown):
        return
    if not guardrails:
        yield "its guardrail is AWS's default, AdministratorAccess"
    for arn in texts(as_list(guardrails)):
        if arn.endswith(ADMINISTRATORS):
            yield f"its guardrail is {arn.rpartition('/')[2]}"


RULES = (
    ResourceRule(
        id="G34",
        title="topics and logs for somebody",
        reason="Who may publish to a topic can wake people, or tell them that all is well; who writes a log forges it.",
        remedy="Name one service, what it may do and where, and ask for aws:SourceArn or aws:SourceAccount of ours.",
        checkov=("CKV_AWS_169",),
        types=frozenset(DOCUMENT_OF),
        check=_open,
    ),
    ResourceRule(
        id="G35",
        title="a chat is for looking",
        reason="Whoever is in the channel, or takes over an account of somebody who is, types commands there.",
        remedy="Set guardrail_policy_arns to a policy that reads, as infra/observability/chat.py does.",
        types=CHANNELS,
        check=_unguarded,
    ),
)
