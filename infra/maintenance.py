"""The maintenance page: what the load balancer answers while nobody may use the application."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import lb

# AWS has room for 1024 characters, and lets a fixed answer set no header: a Retry-After would be right, and cannot be.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Back soon</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; color: #222; max-width: 34rem; margin: 18vh auto; padding: 0 1rem }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } }
</style>
<h1>Back soon</h1>
<p>We are working on this site. Nothing you saved is lost. Please try again in a few minutes.</p>
</html>
"""
# The smallest number is asked first; everything else comes after these two.
READINESS_PRIORITY, PAGE_PRIORITY = 1, 2


@dataclass(frozen=True, kw_only=True)
class MaintenanceArgs:
    """`listener_arn` is the listener that forwards users to the target group."""

    listener_arn: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    readiness_path: str


class Maintenance(pulumi.ComponentResource):
    """Two rules in front of a listener's own action, which stays as it is: tasks keep their target group.

    Creates a rule that lets the readiness path through, so that the verdict still asks the new release itself, and one
    that answers everything else with status 503 and a page. Both are deleted at the end of the update that ends it.
    """

    def __init__(self, name: str, args: MaintenanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Maintenance", name, None, opts)
        ready = lb.ListenerRule(
            f"{name}-readiness",
            listener_arn=args.listener_arn,
            priority=READINESS_PRIORITY,
            conditions=[_path(args.readiness_path)],
            actions=[lb.ListenerRuleActionArgs(type="forward", target_group_arn=args.target_group_arn)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        lb.ListenerRule(
            f"{name}-maintenance",
            listener_arn=args.listener_arn,
            priority=PAGE_PRIORITY,
            conditions=[_path("/*")],
            actions=[
                lb.ListenerRuleActionArgs(
                    type="fixed-response",
                    fixed_response=lb.ListenerRuleActionFixedResponseArgs(
                        status_code="503", content_type="text/html", message_body=PAGE
                    ),
                )
            ],
            # In the other order, a verdict under way would be shown the page.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ready]),
        )
        self.register_outputs({})


def _path(pattern: str) -> lb.ListenerRuleConditionArgs:
    return lb.ListenerRuleConditionArgs(path_pattern=lb.ListenerRuleConditionPathPatternArgs(values=[pattern]))
