"""The domain's record: where the world is sent that asks for the name."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import route53


@dataclass(frozen=True, kw_only=True)
class DomainRecordArgs:
    """`target_name` and `target_zone_id` are the load balancer's own. `before` must be there when users come."""

    domain_name: str
    hosted_zone_id: str
    target_name: pulumi.Output[str]
    target_zone_id: pulumi.Output[str]
    before: list[pulumi.Resource]


class DomainRecord(pulumi.ComponentResource):
    """Creates the alias record (A) of the domain in its hosted zone. No AAAA: the balancer has no IPv6 addresses.

    A record of that name that stands there already is never overwritten: users may come by it, and the update fails.
    """

    def __init__(self, name: str, args: DomainRecordArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:DomainRecord", name, None, opts)
        route53.Record(
            f"{name}-domain",
            zone_id=args.hosted_zone_id,
            name=args.domain_name,
            type="A",
            aliases=[
                route53.RecordAliasArgs(
                    name=args.target_name,
                    zone_id=args.target_zone_id,
                    # There is no second target: asking for its health could only take the name away.
                    evaluate_target_health=False,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
        )
        self.register_outputs({})
