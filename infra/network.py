"""The network: public subnets for the balancer, private ones for tasks, isolated ones for the database."""

import ipaddress
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from infra.settings import NetworkSettings

# Where in the thirty-two blocks of the network each tier's zone a is. A zone's block follows from its letter, so that
# zones can be added and exchanged without moving another zone's addresses; a tier has room for eight letters.
PUBLIC, PRIVATE, ISOLATED = 0, 8, 16
# What a task without a way to the internet needs to start: its image, its secrets and a place for its logs.
ENDPOINT_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssmmessages")


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`region` is the one the zones belong to."""

    settings: NetworkSettings
    region: str


class Network(pulumi.ComponentResource):
    """A VPC over the stack's zones.

    Creates the VPC, an internet gateway, a public, a private and an isolated subnet for each zone with their route
    tables, a gateway endpoint for S3 (image layers come from S3), and by `natMode` one NAT gateway, one for each
    zone, or interface endpoints with a security group that admits the VPC. Isolated subnets have no route
    out at all. Leaves out flow logs and network ACLs.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    public_subnet_ids: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    isolated_subnet_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Network", name, None, opts)
        self._name, self._settings, self._region = name, args.settings, args.region
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
        public, public_tables = self._tier("public", PUBLIC)
        private, private_tables = self._tier("private", PRIVATE)
        isolated, _ = self._tier("isolated", ISOLATED)
        internet = self._internet(public_tables)
        self._nat(public, private_tables, internet)
        self._endpoints(private, private_tables)
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.isolated_subnet_ids = [subnet.id for subnet in isolated]
        self.register_outputs({"vpc_id": self.vpc_id})

    def _tier(self, tier: str, first_block: int) -> tuple[list[ec2.Subnet], list[ec2.RouteTable]]:
        blocks = list(ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=5))
        subnets, tables = [], []
        for zone in self._settings.zones:
            label = f"{self._name}-{tier}-{zone[-1]}"
            subnet = ec2.Subnet(
                label,
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=str(blocks[first_block + ord(zone[-1]) - ord("a")]),
                tags={"Name": label},
                opts=self._child_opts,
            )
            table = ec2.RouteTable(label, vpc_id=self.vpc_id, tags={"Name": label}, opts=self._child_opts)
            ec2.RouteTableAssociation(label, subnet_id=subnet.id, route_table_id=table.id, opts=self._child_opts)
            subnets.append(subnet)
            tables.append(table)
        return subnets, tables

    def _internet(self, tables: list[ec2.RouteTable]) -> ec2.InternetGateway:
        gateway = ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=self.vpc_id, tags={"Name": self._name}, opts=self._child_opts
        )
        for zone, table in zip(self._settings.zones, tables, strict=True):
            ec2.Route(
                f"{self._name}-public-{zone[-1]}-internet",
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

    def _endpoints(self, private: list[ec2.Subnet], tables: list[ec2.RouteTable]) -> None:
        ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{self._region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": f"{self._name}-s3"},
            opts=self._child_opts,
        )
        if self._settings.nat_mode != "none":
            return
        group = ec2.SecurityGroup(
            f"{self._name}-endpoints",
            vpc_id=self.vpc_id,
            description="Interface endpoints, open to the network over HTTPS",
            ingress=[ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=443, to_port=443, cidr_blocks=[self.cidr])],
            tags={"Name": f"{self._name}-endpoints"},
            opts=self._child_opts,
        )
        for service in ENDPOINT_SERVICES:
            label = f"{self._name}-{service.replace('.', '-')}"
            ec2.VpcEndpoint(
                label,
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{self._region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private],
                security_group_ids=[group.id],
                tags={"Name": label},
                opts=self._child_opts,
            )
