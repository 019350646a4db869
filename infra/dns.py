"""The domain's record: where the world is sent that asks for the name."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import route53

from infra.load_balancer import LoadBalancer


@dataclass(frozen=True, kw_only=True)
class DomainRecordArgs:
    """`live` resolves after the verdict: a domain that users come by already must not lead to a stack without tasks."""

    domain_name: str
    hosted_zone_id: str
    balancer: LoadBalancer
    live: pulumi.Output[None]


class DomainRecord(pulumi.ComponentResource):
    """Creates the alias record (A) of the domain in its hosted zone. No AAAA: the balancer has no IPv6 addresses.

    It is made when the first release serves, and stays as it is from then on. A record of that name that stands there
    already is never overwritten: users may come by it, and the update fails.
    """

    def __init__(self, name: str, args: DomainRecordArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:DomainRecord", name, None, opts)
        balancer = args.balancer
        route53.Record(
            f"{name}-domain",
            zone_id=args.hosted_zone_id,
            name=args.domain_name,
            type="A",
            aliases=[
                route53.RecordAliasArgs(
                    name=pulumi.Output.all(balancer.dns_name, args.live).apply(lambda both: str(both[0])),
                    zone_id=balancer.zone_id,
                    # There is no second target: asking for its health could only take the name away.
                    evaluate_target_health=False,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
