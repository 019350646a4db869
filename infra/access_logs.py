"""The load balancer's log of every request, the ones that reached no task included."""

from typing import Any

from infra.private_bucket import PrivateBucket, PrivateBucketArgs
from infra.settings import Settings

# What the log's objects begin with; ELB adds `/AWSLogs/ACCOUNT/elasticloadbalancing/REGION/...`.
PREFIX = "balancer"


def access_logs(settings: Settings) -> PrivateBucket | None:
    """The bucket of `pactum:accessLogs`, there before the balancer: ELB tries to write to it when it is named to it.

    The logs hold users' addresses and what they asked for: they go when the stack's other logs go, a day later at most.
    """
    if not settings.storage.access_logs:
        return None
    return PrivateBucket(
        f"{settings.name}-access-logs",
        PrivateBucketArgs(
            deletion_protection=settings.deletion_protection,
            replaced_days=1,
            expire_days=settings.observability.log_retention_days,
            statements=lambda bucket_arn: [delivery_statement(bucket_arn, settings.account_id)],
        ),
    )


def delivery_statement(bucket_arn: str, account_id: str) -> dict[str, Any]:
    """Let ELB write the logs of balancers of this account, and nobody else's: it puts the owner's id into the name.

    No condition on `aws:SourceAccount`: AWS's own policy for this service has none, and ELB refuses a bucket it may not
    write to.
    """
    return {
        "Sid": "LoadBalancerLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{bucket_arn}/{PREFIX}/AWSLogs/{account_id}/*",
    }
