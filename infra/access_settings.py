"""What bounds the roles of a stack."""

import re

from infra.access.boundary import boundary_name
from infra.config_reader import ConfigReader

BOUNDARY = r"arn:aws:iam::(?P<account>[0-9]{12}):policy/[\w+=,.@/-]{1,512}"


def read_permissions_boundary(config: ConfigReader, account_id: str, project: str, stack: str) -> str:
    """Read the policy that bounds every role the stack makes; empty, none does."""
    arn = config.text(
        "permissionsBoundaryArn",
        pattern=BOUNDARY,
        example=f"arn:aws:iam::{account_id or '123456789012'}:policy/{boundary_name(project, stack)}",
    )
    match = re.fullmatch(BOUNDARY, arn)
    if match and account_id and match["account"] != account_id:
        config.refuse(
            "permissionsBoundaryArn",
            f"is a policy of another account than aws:allowedAccountIds ({account_id}); IAM refuses that.",
            "Take it from the output permissions_boundary_arns of stacks/bootstrap in this account.",
        )
        return ""
    name, prefix = arn.rpartition("/")[2], boundary_name(project, "")
    if name.startswith(prefix) and name != boundary_name(project, stack):
        config.refuse(
            "permissionsBoundaryArn",
            f"bounds the roles of {name.removeprefix(prefix)}, and this stack is {stack}: roles could do what is that"
            " stack's, and nothing of their own.",
            f"Write the policy {boundary_name(project, stack)}.",
        )
        return ""
    return arn
