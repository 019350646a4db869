"""What an update may do with what watches a stack, and with who is told."""

from infra.access.documents import Document, Scope, allow, both, document, each
from infra.access.tags import not_anothers, staying_tagged


def observing_policy(scope: Scope) -> Document:
    """Alarms, dashboards, topics and their subscribers, rules on events, the watch's function, channels of a chat."""
    name = scope.name
    channels = [
        f"arn:aws:chatbot::{scope.account_id}:chat-configuration/{kind}/{name}-*"
        for kind in ("slack-channel", "microsoft-teams-channel")
    ]
    return document(
        allow(
            each("cloudwatch", "PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource")
            + each("cloudwatch", "PutDashboard", "DeleteDashboards"),
            [
                scope.arn("cloudwatch", f"alarm:{name}-*"),
                # Application Auto Scaling makes these for whoever puts a policy.
                scope.arn("cloudwatch", f"alarm:TargetTracking-service/{name}/*"),
                f"arn:aws:cloudwatch::{scope.account_id}:dashboard/{name}",
            ],
        ),
        # AWS takes this right for everything only (CloudWatch API, PutCompositeAlarm): names cannot say whose it is.
        allow("cloudwatch:PutCompositeAlarm", "*", both(staying_tagged(scope), not_anothers(scope))),
        allow(
            each(
                "sns", "CreateTopic", "DeleteTopic", "SetTopicAttributes", "Subscribe", "TagResource", "UntagResource"
            ),
            scope.arn("sns", f"{name}-*"),
        ),
        # A subscription's ARN begins with its topic's.
        allow(each("sns", "Unsubscribe", "SetSubscriptionAttributes"), scope.arn("sns", f"{name}-*")),
        allow(
            each("events", "PutRule", "DeleteRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource"),
            scope.arn("events", f"rule/{name}-*"),
        ),
        allow(
            each("lambda", "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction")
            + each("lambda", "AddPermission", "RemovePermission", "PutFunctionEventInvokeConfig")
            + each("lambda", "UpdateFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig")
            + each("lambda", "TagResource", "UntagResource"),
            scope.arn("lambda", f"function:{name}-*"),
        ),
        # To make one knows no resources; which topics and roles it has is decided about those.
        allow(each("chatbot", "CreateSlackChannelConfiguration", "CreateMicrosoftTeamsChannelConfiguration"), "*"),
        allow(
            each("chatbot", "UpdateSlackChannelConfiguration", "DeleteSlackChannelConfiguration")
            + each("chatbot", "UpdateMicrosoftTeamsChannelConfiguration", "DeleteMicrosoftTeamsChannelConfiguration")
            + each("chatbot", "TagResource", "UntagResource"),
            channels,
        ),
    )
