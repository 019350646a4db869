"""The network: public subnets for the balancer, private ones for tasks, isolated ones for the database."""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from infra.endpoints import called, interface_endpoints, s3_policy
from infra.flow_logs import FlowLogs, FlowLogsArgs
from infra.settings import NetworkSettings

# Where in the thirty-two blocks of the network each tier's zone a is. A zone's block follows from its letter, so that
# zones can be added without moving another zone's addresses; a tier has room for eight letters. To exchange or drop one
# is a person's work where the database is in it: RDS gives up no subnet that is in use, not even for a standby.
PUBLIC, PRIVATE, ISOLATED = 0, 8, 16


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`region` is the one the zones belong to; flow logs are kept as long as the stack's other logs."""

    settings: NetworkSettings
    account_id: str
    region: str
    log_retention_days: int
    permissions_boundary_arn: str = ""


class Network(pulumi.ComponentResource):
    """A VPC over the stack's zones.

    Creates the VPC, an internet gateway, a public, a private and an isolated subnet for each zone, a route table for
    each private subnet and one each for all public and all isolated ones, a gateway endpoint for S3 (image layers come
    from S3), and by `natMode` one NAT gateway, one for each zone, or interface endpoints for what tasks call, with a
    security group that admits the VPC. Isolated subnets have no route out at all. Takes the rules out of the VPC's
    default security group, which is then good for nothing. With `flowLogs`, flow logs. Leaves out network ACLs
    (docs/decisions/0015), IPv6 and a log of DNS queries.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    isolated_subnet_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Network", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._child_opts = pulumi.ResourceOptions(parent=self)
        self.cidr = args.settings.cidr
        self._vpc = ec2.Vpc(
            f"{name}-vpc",
            cidr_block=self.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self._child_opts,
        )
        self.vpc_id = self._vpc.id
        # AWS puts whatever names no group into this one; as AWS makes it, its members may talk to each other and out.
        ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=self.vpc_id,
            ingress=[],
            egress=[],
            tags={"Name": f"{name}-default"},
            opts=self._child_opts,
        )
        public_table, isolated_table = self._table("public"), self._table("isolated")
        # Each zone's tasks leave by the NAT gateway of their own zone.
        private_tables = [self._table(f"private-{zone[-1]}") for zone in self._settings.zones]
        zones = len(private_tables)
        public = self._tier("public", PUBLIC, [public_table] * zones)
        private = self._tier("private", PRIVATE, private_tables)
        isolated = self._tier("isolated", ISOLATED, [isolated_table] * zones)
        internet = self._internet(public_table)
        self._nat(public, private_tables, internet)
        self._s3(private_tables)
        if self._settings.nat_mode == "none":
            self._interface_endpoints(private)
        if self._settings.flow_logs:
            self._flow_logs()
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.isolated_subnet_ids = [subnet.id for subnet in isolated]
        self.register_outputs({"vpc_id": self.vpc_id})

    def _table(self, label: str) -> ec2.RouteTable:
        name = f"{self._name}-{label}"
        return ec2.RouteTable(name, vpc_id=self.vpc_id, tags={"Name": name}, opts=self._child_opts)

    def _tier(self, tier: str, first_block: int, tables: Sequence[ec2.RouteTable]) -> list[ec2.Subnet]:
        blocks = list(ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=5))
        subnets = []
        for zone, table in zip(self._settings.zones, tables, strict=True):
            label = f"{self._name}-{tier}-{zone[-1]}"
            subnet = ec2.Subnet(
                label,
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=str(blocks[first_block + ord(zone[-1]) - ord("a")]),
                tags={"Name": label},
                opts=self._child_opts,
            )
            ec2.RouteTableAssociation(label, subnet_id=subnet.id, route_table_id=table.id, opts=self._child_opts)
            subnets.append(subnet)
        return subnets

    def _internet(self, table: ec2.RouteTable) -> ec2.InternetGateway:
        gateway = ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=self.vpc_id, tags={"Name": self._name}, opts=self._child_opts
        )
        ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child_opts,
        )
        return gateway

    def _nat(self, public: list[ec2.Subnet], tables: list[ec2.RouteTable], internet: ec2.InternetGateway) -> None:
        if self._settings.nat_mode == "none":
            return
        zones = self._settings.zones
        # A NAT gateway made before the VPC has its internet gateway fails for good (Gateway.NotAttached).
        attached = pulumi.ResourceOptions(parent=self, depends_on=[internet])
        gateways: list[ec2.NatGateway] = []
        for zone, subnet in zip(zones, public, strict=True):
            if gateways and self._settings.nat_mode == "single":
                gateways.append(gateways[0])
                continue
            label = f"{self._name}-nat-{zone[-1]}"
            address = ec2.Eip(label, domain="vpc", tags={"Name": label}, opts=attached)
            gateways.append(
                ec2.NatGateway(
                    label,
                    subnet_id=subnet.id,
                    allocation_id=address.id,
                    tags={"Name": label},
                    opts=attached,
                )
            )
        for zone, table, gateway in zip(zones, tables, gateways, strict=True):
            ec2.Route(
                f"{self._name}-private-{zone[-1]}-nat",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateway.id,
                opts=self._child_opts,
            )

    def _s3(self, tables: list[ec2.RouteTable]) -> None:
        account_id, region = self._args.account_id, self._args.region
        ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            policy=json.dumps(s3_policy(account_id, region)),
            tags={"Name": f"{self._name}-s3"},
            opts=self._child_opts,
        )

    def _interface_endpoints(self, private: list[ec2.Subnet]) -> None:
        group = ec2.SecurityGroup(
            f"{self._name}-endpoints",
            vpc_id=self.vpc_id,
            description="Interface endpoints, open to the network over HTTPS",
            ingress=[ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=443, to_port=443, cidr_blocks=[self.cidr])],
            tags={"Name": f"{self._name}-endpoints"},
            opts=self._child_opts,
        )
        for service, policy in interface_endpoints(called(), self._args.account_id).items():
            label = f"{self._name}-{service.replace('.', '-')}"
            ec2.VpcEndpoint(
                label,
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private],
                security_group_ids=[group.id],
                policy=json.dumps(policy),
                tags={"Name": label},
                opts=self._child_opts,
            )

    def _flow_logs(self) -> None:
        FlowLogs(
            f"{self._name}-flow-logs",
            FlowLogsArgs(
                vpc_id=self.vpc_id,
                account_id=self._args.account_id,
                region=self._args.region,
                retention_days=self._args.log_retention_days,
                permissions_boundary_arn=self._args.permissions_boundary_arn,
            ),
            self._child_opts,
        )
