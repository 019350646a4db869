"""The most that any role of a stack may ever do, whoever writes its policies."""

from infra.access.documents import Document, Scope, Statement, allow, document, each
from infra.access.secret_keys import use_of_secret_keys
from infra.access.tags import masters_tag
from infra.access.watching import WATCH_ITEM, one_item, publishing

# What is shown of an alarm: itself, its history, its metrics.
LOOKING = each("cloudwatch", "DescribeAlarms", "DescribeAlarmsForMetric", "DescribeAlarmHistory", "ListMetrics") + each(
    "cloudwatch", "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage"
)


def boundary_name(project: str, stack: str) -> str:
    """What bootstrap calls the policy; its ARN stands in `pactum:permissionsBoundaryArn` of the stack's file."""
    return f"{project}-boundary-{stack}"


def boundary_policy(scope: Scope, repository_name: str) -> Document:
    """The boundary of one stack's roles.

    The pipeline that deploys a stack writes its roles. This keeps it from writing one that can do more than a task, a
    schedule, a flow log or a chat's channel of that stack needs: nothing about users, roles, keys, networks, or another
    stack.
    """
    return document(
        # What follows knows no resources: ECR's login, channels of ECS Exec, and the list of log groups.
        allow(
            [
                "ecr:GetAuthorizationToken",
                *each("ssmmessages", "CreateControlChannel", "CreateDataChannel"),
                *each("ssmmessages", "OpenControlChannel", "OpenDataChannel"),
                "logs:DescribeLogGroups",
            ],
            "*",
        ),
        allow(
            each("ecr", "BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"),
            scope.arn("ecr", f"repository/{repository_name}"),
        ),
        allow(
            each("logs", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"),
            [
                scope.arn("logs", f"log-group:/{scope.project}/{scope.stack}/*"),
                scope.arn("logs", f"log-group:{scope.name}-flow-logs-*"),
            ],
        ),
        allow(
            ["secretsmanager:GetSecretValue"], scope.arn("secretsmanager", f"secret:{scope.project}/{scope.stack}/*")
        ),
        # RDS names its secrets after an id of its own, and tags them with the database they belong to.
        allow(
            ["secretsmanager:GetSecretValue"],
            scope.arn("secretsmanager", "secret:rds!db-*"),
            {"StringEquals": masters_tag(scope)},
        ),
        use_of_secret_keys(scope),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{scope.name}-media*/*"),
        allow(["s3:ListBucket"], f"arn:aws:s3:::{scope.name}-media*"),
        allow(["ecs:RunTask", "ecs:TagResource"], _tasks(scope)),
        allow(["sqs:SendMessage"], scope.arn("sqs", f"{scope.name}-*")),
        *_watching(scope),
        # Alarms and metrics are looked at by a chat's channel. Metrics know no resources: only their names are seen.
        allow(LOOKING, "*"),
        allow(
            ["iam:PassRole"],
            scope.iam_arn(f"role/{scope.name}-*"),
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    )


def _watching(scope: Scope) -> list[Statement]:
    """What the watch counts, and where it keeps and publishes that."""
    return [
        publishing(f"{scope.project}/{scope.stack}"),
        allow(["ecs:DescribeServices"], scope.arn("ecs", f"service/{scope.name}/*")),
        allow(["scheduler:GetSchedule"], scope.arn("scheduler", f"schedule/{scope.name}/*")),
        allow(
            ["secretsmanager:ListSecretVersionIds"],
            scope.arn("secretsmanager", f"secret:{scope.project}/{scope.stack}/*"),
        ),
        allow(
            each("dynamodb", "GetItem", "UpdateItem"),
            scope.arn("dynamodb", f"table/{scope.name}-releases"),
            one_item(WATCH_ITEM),
        ),
    ]


def _tasks(scope: Scope) -> list[str]:
    # A task is tagged as it is started, under the cluster's name.
    return [scope.arn("ecs", f"task-definition/{scope.name}-*"), scope.arn("ecs", f"task/{scope.name}/*")]
