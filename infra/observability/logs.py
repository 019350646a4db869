"""Where the application's logs are kept, and for how long."""

import pulumi
from pulumi_aws import cloudwatch

from infra.settings import Settings


def log_group(
    name: str, settings: Settings, process: str, opts: pulumi.ResourceOptions, *, outlives: bool = False
) -> cloudwatch.LogGroup:
    """Create the log group `/PROJECT/STACK/PROCESS`; operator commands find it by its name.

    `process` is the container whose log it is, such as web. With `outlives` the log is still there when the program
    has no such process any more.
    """
    kept = pulumi.ResourceOptions(retain_on_delete=outlives)
    return cloudwatch.LogGroup(
        name,
        name=f"/{settings.project}/{settings.stack}/{process}",
        retention_in_days=settings.observability.log_retention_days,
        opts=pulumi.ResourceOptions.merge(opts, kept),
    )
