"""Where the application's logs are kept, and for how long."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch


@dataclass(frozen=True, kw_only=True)
class LogGroupArgs:
    """`process` is the container whose log it is, such as web.

    With `outlives` the log is still there when the program has no such process any more.
    """

    project: str
    stack: str
    process: str
    retention_days: int
    outlives: bool = False


class LogGroup(pulumi.ComponentResource):
    """Creates the log group `/PROJECT/STACK/PROCESS`; operator commands find it by its name."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: LogGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:LogGroup", name, None, opts)
        group = cloudwatch.LogGroup(
            name,
            name=f"/{args.project}/{args.stack}/{args.process}",
            retention_in_days=args.retention_days,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=args.outlives),
        )
        self.name, self.arn = group.name, group.arn
        self.register_outputs({"name": self.name, "arn": self.arn})
