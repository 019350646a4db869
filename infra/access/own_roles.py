"""What an update may do with the roles of its own stack."""

from infra.access.boundary import boundary_name
from infra.access.documents import Condition, Document, Scope, allow, both, document, each
from infra.access.tags import not_anothers, staying_tagged, tagged, to_be_tagged

# AWS makes these roles for itself, once in an account.
LINKED_SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "management.chatbot.amazonaws.com",
    "rds.amazonaws.com",
)
# Who a stack's roles are made for.
PASSED_TO = (
    "chatbot.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "scheduler.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)


def roles_policy(scope: Scope) -> Document:
    """The stack's own roles: none without the boundary, none beyond the stack's name, and passed on to few services."""
    roles = scope.iam_arn(f"role/{scope.name}-*")
    bounded: Condition = {
        "StringEquals": {
            "iam:PermissionsBoundary": scope.iam_arn(f"policy/{boundary_name(scope.project, scope.stack)}")
        }
    }
    return document(
        allow(["iam:CreateRole"], roles, both(bounded, to_be_tagged(scope))),
        # The boundary can be set and never taken away: there is no DeleteRolePermissionsBoundary here.
        allow(
            each("iam", "PutRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary"),
            roles,
            both(bounded, tagged(scope)),
        ),
        # IAM knows no boundary in these. The tag keeps them from a role that somebody else named like the stack's.
        allow(
            each("iam", "DeleteRole", "UpdateRole", "UpdateAssumeRolePolicy", "TagRole", "UntagRole"),
            roles,
            both(tagged(scope), staying_tagged(scope)),
        ),
        allow(["iam:TagRole"], roles, both(to_be_tagged(scope), not_anothers(scope))),
        allow(["iam:ListInstanceProfilesForRole"], roles),
        # Tags decide nothing here: of a role that is passed, IAM does not know them reliably (IAM User Guide, "Grant a
        # user permissions to pass a role to an AWS service").
        allow(["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}),
        # What a function is made with runs as its role: no other of the stack's is one for code of an update's own.
        allow(
            ["iam:PassRole"],
            scope.iam_arn(f"role/{scope.name}-watch-*"),
            {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
        allow(
            ["iam:CreateServiceLinkedRole"],
            scope.iam_arn("role/aws-service-role/*"),
            {"StringEquals": {"iam:AWSServiceName": list(LINKED_SERVICES)}},
        ),
    )
