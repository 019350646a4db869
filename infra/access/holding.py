"""What an update may do with what holds data."""

from infra.access.documents import Document, Scope, Statement, allow, document, each
from infra.access.secret_keys import use_of_secret_keys
from infra.access.tags import masters_tag


def data_policy(scope: Scope) -> Document:
    """Database, secrets, release memory, buckets and logs, made and changed; of these, nothing that deletes."""
    name, secret = scope.name, scope.arn("secretsmanager", f"secret:{scope.project}/{scope.stack}/*")
    groups = [
        f"/{scope.project}/{scope.stack}/*",
        f"/aws/rds/instance/{name}-*",
        f"aws-waf-logs-{name}*",
        f"{name}-flow-logs-*",
    ]
    return document(
        allow(
            each("rds", "CreateDBInstance", "ModifyDBInstance", "CreateDBSubnetGroup", "ModifyDBSubnetGroup")
            + each("rds", "CreateDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup")
            + each("rds", "DeleteDBSubnetGroup", "DeleteDBParameterGroup", "RebootDBInstance")
            + each("rds", "AddTagsToResource", "RemoveTagsFromResource"),
            [scope.arn("rds", f"{kind}:{name}-*") for kind in ("db", "subgrp", "pg")],
        ),
        # RDS asks for the option group it chooses by itself as well, whichever major version it is of.
        allow(each("rds", "CreateDBInstance", "ModifyDBInstance"), scope.arn("rds", "og:default:postgres-*")),
        *_master_secret(scope),
        allow(["kms:DescribeKey"], scope.arn("kms", "key/*")),
        use_of_secret_keys(scope),
        allow(
            each("secretsmanager", "CreateSecret", "UpdateSecret", "PutSecretValue", "TagResource")
            + each("secretsmanager", "UpdateSecretVersionStage", "UntagResource", "RestoreSecret"),
            secret,
        ),
        # GetRandomPassword knows no resources.
        allow(["secretsmanager:GetRandomPassword"], "*"),
        allow(
            each("dynamodb", "CreateTable", "UpdateTable", "UpdateContinuousBackups", "TagResource", "UntagResource")
            + each("dynamodb", "GetItem", "PutItem"),
            scope.arn("dynamodb", f"table/{name}-*"),
        ),
        allow(
            each("s3", "CreateBucket", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketVersioning")
            + each("s3", "PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutBucketOwnershipControls")
            + each("s3", "PutBucketTagging", "PutBucketCORS", "TagResource", "UntagResource"),
            f"arn:aws:s3:::{name}-*",
            # Names of buckets are the world's. Of one that is about to be made, no account is known.
            {"StringEqualsIfExists": {"aws:ResourceAccount": scope.account_id}},
        ),
        allow(
            each("logs", "CreateLogGroup", "PutRetentionPolicy", "TagResource", "UntagResource", "PutMetricFilter")
            + each("logs", "DeleteMetricFilter", "FilterLogEvents", "GetLogEvents"),
            [scope.arn("logs", f"log-group:{group}") for group in groups],
        ),
        # Saved queries, and how WAF's log is delivered, know no resources.
        allow(
            each("logs", "PutQueryDefinition", "DeleteQueryDefinition", "CreateLogDelivery", "UpdateLogDelivery")
            + each("logs", "DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy"),
            "*",
        ),
    )


def _master_secret(scope: Scope) -> list[Statement]:
    """RDS makes the master's secret with the permissions of whoever makes the database, and reads it to nobody.

    It tags the secret with the database's ARN. As it is made it carries no tag yet, and what it is asked to carry may
    not be known either: then only its name can be held to.
    """
    secrets = scope.arn("secretsmanager", "secret:rds!db-*")
    asked = {**masters_tag(scope), **masters_tag(scope, "aws:RequestTag")}
    return [
        allow(["secretsmanager:CreateSecret"], secrets),
        allow(["secretsmanager:TagResource"], secrets, {"StringEqualsIfExists": asked}),
        allow(["secretsmanager:RotateSecret"], secrets, {"StringEquals": masters_tag(scope)}),
    ]
