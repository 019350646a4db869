"""Where alarms are sent: to somebody now, to somebody in the next days, and out of here as a sign of life."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import sns

from infra.access.documents import Condition, Document, allow, deny, document, for_anyone
from infra.observability.chat import Chat, ChatArgs
from infra.settings import Settings

PLAIN_HTTP: Condition = {"Bool": {"aws:SecureTransport": "false"}}


@dataclass(frozen=True, kw_only=True)
class NotificationsArgs:
    """The settings say who is told."""

    settings: Settings


class Notifications(pulumi.ComponentResource):
    """The topics of a stack, and who listens to them.

    Creates the topics `pages`, `tickets` and `heartbeat`, each with a policy by which alarms of this stack publish to
    it; an e-mail subscription to the first two where an address is configured (AWS asks the address to confirm it);
    and `Chat` where a channel is. The heartbeat has no subscriber here: what notices that it stopped must not stand in
    this account, and is subscribed by hand (docs/observability.md).
    """

    pages_arn: pulumi.Output[str]
    tickets_arn: pulumi.Output[str]
    heartbeat_arn: pulumi.Output[str]

    def __init__(self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Notifications", name, None, opts)
        self._name, self._settings, settings = name, args.settings, args.settings.observability
        # There was one topic before, and people have confirmed to it that they want its messages: it goes on as pages.
        self.pages_arn = self._topic("pages", before="alarms")
        self.tickets_arn = self._topic("tickets")
        self.heartbeat_arn = self._topic("heartbeat")
        self._email("pages", self.pages_arn, settings.alarm_email, before="email")
        self._email("tickets", self.tickets_arn, settings.ticket_email or settings.alarm_email)
        if settings.slack or settings.teams:
            Chat(
                name,
                ChatArgs(settings=args.settings, topic_arns=[self.pages_arn, self.tickets_arn]),
                pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs(
            {"pages_arn": self.pages_arn, "tickets_arn": self.tickets_arn, "heartbeat_arn": self.heartbeat_arn}
        )

    def _topic(self, label: str, *, before: str = "") -> pulumi.Output[str]:
        name, settings = f"{self._name}-{label}", self._settings
        # Not encrypted with the AWS managed key: CloudWatch alarms cannot publish to a topic that is.
        topic = sns.Topic(name, opts=self._options("aws:sns/topic:Topic", before))
        sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=topic.arn.apply(
                lambda arn: json.dumps(topic_policy(arn, settings.region, settings.account_id, self._name))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return topic.arn

    def _email(self, label: str, topic_arn: pulumi.Output[str], address: str, *, before: str = "") -> None:
        if address:
            sns.TopicSubscription(
                f"{self._name}-{label}-email",
                topic=topic_arn,
                protocol="email",
                endpoint=address,
                opts=self._options("aws:sns/topicSubscription:TopicSubscription", before),
            )

    def _options(self, type_: str, before: str) -> pulumi.ResourceOptions:
        """Options of a child; `before` is the end of the name it had as a child of the component Alarms."""
        stack = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}"
        earlier = [f"{stack}::pactum:index:Alarms${type_}::{self._name}-{before}"] if before else []
        return pulumi.ResourceOptions(parent=self, aliases=earlier)


def topic_policy(topic_arn: str, region: str, account_id: str, name: str) -> Document:
    """Alarms of the stack `name` publish to a topic, by TLS, and nothing else that AWS runs for whomever."""
    alarms: Condition = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}-*"},
    }
    principal = {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    return document(
        {**allow("sns:Publish", topic_arn, alarms), **principal},
        for_anyone(deny("sns:Publish", topic_arn, PLAIN_HTTP)),
    )
