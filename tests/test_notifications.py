"""infra/observability/notifications.py and chat.py: who is told, by what way, and who may tell them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.runtime.mocks import MockMonitor

from infra.observability.notifications import Notifications, NotificationsArgs, topic_policy
from infra.settings import load
from tests.recorder import ACCOUNT, DIGEST, IN_SLACK, IN_TEAMS, REGION, Recorder, configure, record

TOPIC, POLICY, SUBSCRIPTION = (
    "aws:sns/topic:Topic",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
)
SLACK = "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration"
TEAMS = "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ON_CALL, TEAM = "on-call@example.com", "team@example.com"


def arn(label: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:pactum-staging-{label}"


def notifications(**changes: object) -> Recorder:
    configure("staging", imageDigest=DIGEST, **changes)

    def make() -> None:
        settings = load()
        Notifications(settings.name, NotificationsArgs(settings=settings))

    recorder = record(make)
    assert recorder.error is None, recorder.error
    return recorder


def subscribed(recorder: Recorder) -> set[tuple[str, str, str]]:
    made = [each.inputs for each in recorder.of_type(SUBSCRIPTION)]
    return {(each["topic"].rpartition("-")[2], each["protocol"], each["endpoint"]) for each in made}


def test_there_is_a_topic_for_each_urgency_and_one_for_the_sign_of_life() -> None:
    recorder = notifications()
    labels = ("pages", "tickets", "heartbeat")
    assert {each.name for each in recorder.of_type(TOPIC)} == {f"pactum-staging-{label}" for label in labels}
    assert all("kmsMasterKeyId" not in each.inputs for each in recorder.of_type(TOPIC)), (
        "CloudWatch alarms cannot publish to a topic under AWS's own key"
    )
    assert {each.inputs["arn"] for each in recorder.of_type(POLICY)} == {arn(label) for label in labels}


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({}, set()),
        ({"alarmEmail": ON_CALL}, {("pages", "email", ON_CALL), ("tickets", "email", ON_CALL)}),
        ({"alarmEmail": ON_CALL, "ticketEmail": TEAM}, {("pages", "email", ON_CALL), ("tickets", "email", TEAM)}),
        ({"ticketEmail": TEAM}, {("tickets", "email", TEAM)}),
    ],
)
def test_tickets_go_where_pages_go_unless_they_have_an_address_of_their_own(
    addresses: dict[str, str], expected: set[tuple[str, str, str]]
) -> None:
    assert subscribed(notifications(**addresses)) == expected


def test_nobody_here_listens_to_the_heartbeat() -> None:
    recorder = notifications(alarmEmail=ON_CALL, **IN_SLACK, **IN_TEAMS)
    assert "heartbeat" not in {topic for topic, _, _ in subscribed(recorder)}
    for channel in (recorder.only(SLACK), recorder.only(TEAMS)):
        assert channel.inputs["snsTopicArns"] == [arn("pages"), arn("tickets")], "an hourly message would be noise"


def test_alarms_of_this_stack_publish_by_tls_and_nothing_else_of_awss() -> None:
    allowed, denied = topic_policy(arn("pages"), REGION, ACCOUNT, "pactum-staging")["Statement"]
    assert allowed == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn("pages"),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:pactum-staging-*"},
        },
    }, "an alarm of another account could wake people, or tell them that all is well"
    assert denied == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": arn("pages"),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    for made in notifications().of_type(POLICY):
        policy = topic_policy(made.inputs["arn"], REGION, ACCOUNT, "pactum-staging")
        assert json.loads(made.inputs["policy"]) == policy


def test_who_confirmed_the_one_topic_before_need_not_confirm_again(monkeypatch: pytest.MonkeyPatch) -> None:
    aliases: dict[str, list[str]] = {}
    register = MockMonitor.RegisterResource

    def registered(self: MockMonitor, request: Any) -> Any:
        if request.aliases:
            aliases[request.name] = [alias.urn for alias in request.aliases]
        return register(self, request)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(MockMonitor, "RegisterResource", registered)
    notifications(alarmEmail=ON_CALL)
    before = "urn:pulumi:staging::pactum::pactum:index:Alarms$aws:sns"
    assert aliases == {
        "pactum-staging-pages": [f"{before}/topic:Topic::pactum-staging-alarms"],
        "pactum-staging-pages-email": [f"{before}/topicSubscription:TopicSubscription::pactum-staging-email"],
    }, "an unconfirmed address is told nothing, and nobody notices"


def test_channels_are_told_when_a_stack_file_names_them() -> None:
    assert not notifications().of_type(ROLE), "nobody needs a role for a channel that is not there"
    both = notifications(**IN_SLACK, **IN_TEAMS)
    slack, teams = both.only(SLACK).inputs, both.only(TEAMS).inputs
    assert (slack["slackTeamId"], slack["slackChannelId"]) == tuple(IN_SLACK.values())
    assert (teams["tenantId"], teams["teamId"], teams["channelId"]) == tuple(IN_TEAMS.values())
    assert slack["configurationName"] != teams["configurationName"]
    assert [len(notifications(**one).of_type(type_)) for one in (IN_SLACK, IN_TEAMS) for type_ in (SLACK, TEAMS)] == [
        *(1, 0),
        *(0, 1),
    ]


def test_a_channel_looks_at_cloudwatch_and_does_nothing() -> None:
    recorder = notifications(**IN_SLACK, **IN_TEAMS)
    (statement,) = json.loads(recorder.only(ROLE_POLICY).inputs["policy"])["Statement"]
    assert all(
        action.startswith(("cloudwatch:Describe", "cloudwatch:Get", "cloudwatch:List"))
        for action in statement["Action"]
    )
    assert not any("*" in action for action in statement["Action"]), "exact, whatever CloudWatch learns to do"
    for channel in (recorder.only(SLACK), recorder.only(TEAMS)):
        assert channel.inputs["guardrailPolicyArns"] == ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"], (
            "AWS's default is AdministratorAccess"
        )
        assert channel.inputs["loggingLevel"] == "NONE", "its log would be in another region, and kept for ever"
        assert recorder.waits(channel, recorder.only(ROLE_POLICY)), "its first message shows the alarm"


def test_only_amazon_q_takes_the_channels_role_and_for_no_other_account() -> None:
    role = notifications(**IN_SLACK).only(ROLE).inputs
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "chatbot.amazonaws.com"}
    assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
    bounded = notifications(
        **IN_SLACK, permissionsBoundaryArn=f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-staging"
    ).only(ROLE)
    assert bounded.inputs["permissionsBoundary"].endswith("pactum-boundary-staging"), "a pipeline may make no other"
