"""What the whole account may cost in a month before somebody is told."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import budgets

# Percent of the amount: what has been spent, and what AWS expects to have been spent at the end of the month.
SPENT_PERCENT, EXPECTED_PERCENT = 80, 100


@dataclass(frozen=True, kw_only=True)
class AccountBudgetArgs:
    """`email` is told. AWS reckons three times a day, so an alert is hours late, and stops nothing."""

    project: str
    usd: int
    email: str


class AccountBudget(pulumi.ComponentResource):
    """Creates a monthly budget of all the account's costs with two alerts by e-mail."""

    def __init__(self, name: str, args: AccountBudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:AccountBudget", name, None, opts)
        alerts = (("ACTUAL", SPENT_PERCENT), ("FORECASTED", EXPECTED_PERCENT))
        budgets.Budget(
            f"{name}-month",
            name=f"{args.project}-month",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{args.usd}.0",
            limit_unit="USD",
            notifications=[
                budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=[args.email],
                )
                for kind, percent in alerts
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
