"""What a preview asks AWS: how everything is made, and nothing of what is in it."""

from infra.access.documents import Document, allow, deny, deny_elsewhere, document, each

# What things hold, in contrast to how they are made.
CONTENTS = (
    "secretsmanager:GetSecretValue",
    "secretsmanager:BatchGetSecretValue",
    *each("ssm", "GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"),
    *each("dynamodb", "GetItem", "BatchGetItem", "Query", "Scan", "PartiQLSelect", "GetRecords"),
    *each("logs", "GetLogEvents", "FilterLogEvents", "GetLogRecord", "GetQueryResults", "StartQuery", "StartLiveTail"),
    "rds:DownloadDBLogFilePortion",
    "rds:DownloadCompleteDBLogFile",
    "ecs:ExecuteCommand",
    "sqs:ReceiveMessage",
    # User data, which is described and still holds whatever somebody wrote into it.
    *each("ec2", "DescribeInstanceAttribute", "DescribeLaunchTemplateVersions"),
)


def reading_policy(account_id: str, project: str) -> Document:
    """What the provider calls to compare a stack with its program, for each type of resource the program has.

    Describing and listing know no resources in most of these services, and show how things are made: what a task is
    started with, for example. Where they show contents too (user data in EC2), a preview is refused them below.
    """
    return document(
        allow(
            [
                *each("acm", "DescribeCertificate", "ListTagsForCertificate"),
                *each("application-autoscaling", "Describe*", "ListTagsForResource"),
                *each("chatbot", "DescribeSlackChannelConfigurations", "GetMicrosoftTeamsChannelConfiguration"),
                "chatbot:ListTagsForResource",
                *each("cloudwatch", "DescribeAlarms", "GetDashboard", "ListTagsForResource"),
                *each("dynamodb", "DescribeTable", "DescribeContinuousBackups", "DescribeTimeToLive"),
                "dynamodb:ListTagsOfResource",
                "ec2:Describe*",
                *each("ecr", "DescribeRepositories", "GetLifecyclePolicy", "ListTagsForResource"),
                *each("ecs", "Describe*", "List*"),
                "elasticloadbalancing:Describe*",
                *each("events", "DescribeRule", "ListTargetsByRule", "ListTagsForResource"),
                *each("logs", "DescribeLogGroups", "DescribeMetricFilters", "DescribeQueryDefinitions"),
                *each("logs", "DescribeResourcePolicies", "ListTagsForResource", "GetDataProtectionPolicy"),
                *each("rds", "Describe*", "ListTagsForResource"),
                *each("route53", "GetChange", "GetHostedZone", "ListResourceRecordSets", "ListTagsForResource"),
                *each("scheduler", "GetSchedule", "GetScheduleGroup", "ListSchedules", "ListTagsForResource"),
                *each("secretsmanager", "DescribeSecret", "GetResourcePolicy", "ListSecrets"),
                *each("sns", "GetTopicAttributes", "GetSubscriptionAttributes", "ListTagsForResource"),
                *each("sqs", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
                *each("sns", "GetDataProtectionPolicy", "ListSubscriptionsByTopic"),
                *each("wafv2", "GetWebACL", "GetWebACLForResource", "GetLoggingConfiguration", "ListTagsForResource"),
            ],
            "*",
        ),
        allow(
            each("s3", "ListBucket", "ListTagsForResource", "GetBucket*", "GetEncryptionConfiguration")
            + each("s3", "GetLifecycleConfiguration", "GetAccelerateConfiguration", "GetReplicationConfiguration"),
            f"arn:aws:s3:::{project}-*",
        ),
        # Of the project's own functions: others' may have been given secrets as plain text.
        allow(
            each("lambda", "GetFunction", "GetFunctionCodeSigningConfig", "GetFunctionEventInvokeConfig", "GetPolicy")
            + each("lambda", "ListTags", "ListVersionsByFunction"),
            f"arn:aws:lambda:*:{account_id}:function:{project}-*",
        ),
        allow(
            each("iam", "GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "ListRoleTags"),
            f"arn:aws:iam::{account_id}:role/{project}-*",
        ),
    )


def contents_policy(state_bucket_arn: str) -> Document:
    """Refuses a preview contents, whatever else is attached to its role; of objects, all but Pulumi's state."""
    return document(
        deny(CONTENTS, "*"), deny_elsewhere(each("s3", "GetObject", "GetObjectVersion"), f"{state_bucket_arn}/*")
    )
