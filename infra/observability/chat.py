"""Channels of Slack and Microsoft Teams that are told of alarms, by Amazon Q Developer in chat applications."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import chatbot, iam

from infra.access.boundary import LOOKING
from infra.access.documents import Document, allow, document
from infra.settings import Settings

# The most that a command typed in a channel may do, whatever role it is run as; without one it would be everything.
GUARDRAIL = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"
# Its own log would be in us-east-1 and kept for ever. SNS counts what it could not deliver.
LOGGING = "NONE"


@dataclass(frozen=True, kw_only=True)
class ChatArgs:
    """`topic_arns` are the topics whose messages are written to the channels."""

    settings: Settings
    topic_arns: Sequence[pulumi.Output[str]]


class Chat(pulumi.ComponentResource):
    """The channels that a stack file names.

    Creates a role that can look at alarms and metrics, with which a channel shows what an alarm is about, and the
    configuration of each channel. The service was let into the workspace or team by hand before: AWS has no call for
    that (docs/observability.md). Leaves out commands in a channel: nobody restarts a service from a chat.
    """

    def __init__(self, name: str, args: ChatArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Chat", name, None, opts)
        child_opts, settings = pulumi.ResourceOptions(parent=self), args.settings
        slack, teams = settings.observability.slack, settings.observability.teams
        role = iam.Role(
            f"{name}-chat",
            assume_role_policy=json.dumps(trust_policy(settings.account_id)),
            permissions_boundary=settings.permissions_boundary_arn or None,
            opts=child_opts,
        )
        permission = iam.RolePolicy(f"{name}-chat", role=role.id, policy=json.dumps(looking_policy()), opts=child_opts)
        configured = pulumi.ResourceOptions(parent=self, depends_on=[permission])
        if slack:
            chatbot.SlackChannelConfiguration(
                f"{name}-slack",
                configuration_name=f"{name}-slack",
                slack_team_id=slack.workspace_id,
                slack_channel_id=slack.channel_id,
                iam_role_arn=role.arn,
                guardrail_policy_arns=[GUARDRAIL],
                sns_topic_arns=args.topic_arns,
                logging_level=LOGGING,
                opts=configured,
            )
        if teams:
            chatbot.TeamsChannelConfiguration(
                f"{name}-teams",
                configuration_name=f"{name}-teams",
                tenant_id=teams.tenant_id,
                team_id=teams.team_id,
                channel_id=teams.channel_id,
                iam_role_arn=role.arn,
                guardrail_policy_arns=[GUARDRAIL],
                sns_topic_arns=args.topic_arns,
                logging_level=LOGGING,
                opts=configured,
            )
        self.register_outputs({})


def trust_policy(account_id: str) -> Document:
    """Amazon Q's service alone. It need not say for which account it asks; if it does, for this one."""
    ours = {"StringEqualsIfExists": {"aws:SourceAccount": account_id}}
    principal = {"Service": "chatbot.amazonaws.com"}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": ours})


def looking_policy() -> Document:
    """What a message about an alarm shows: the alarm, its history and its metrics. Metrics know no resources."""
    return document(allow(LOOKING, "*"))
