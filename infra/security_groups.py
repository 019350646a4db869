"""Who may talk to whom: internet -> balancer -> tasks -> database, and tasks outwards on the ports of the stack."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, vpc

ANYWHERE = "0.0.0.0/0"
POSTGRESQL_PORT = 5432


@dataclass(frozen=True, kw_only=True)
class SecurityGroupsArgs:
    """`listener_ports` are what the balancer answers on, `application_port` is what tasks listen on.

    On `outbound_ports` tasks may reach anybody, besides 443.
    """

    vpc_id: pulumi.Input[str]
    listener_ports: tuple[int, ...]
    application_port: int
    outbound_ports: tuple[int, ...] = ()


class SecurityGroups(pulumi.ComponentResource):
    """Three security groups and the rules between them.

    Creates a group each for balancer, tasks and database; rules that let the internet reach the balancer's
    listeners, the balancer reach tasks, tasks reach the database, and tasks reach AWS over HTTPS (secrets, image,
    logs) and anybody on the outbound ports. The database's group has no way out. DNS needs no rule: security groups do
    not filter the VPC's resolver.
    """

    balancer_id: pulumi.Output[str]
    tasks_id: pulumi.Output[str]
    database_id: pulumi.Output[str]

    def __init__(self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:SecurityGroups", name, None, opts)
        self._name, self._vpc_id = name, args.vpc_id
        self._child_opts = pulumi.ResourceOptions(parent=self)
        self.balancer_id = self._group("balancer", "Load balancer: from the internet to the tasks")
        self.tasks_id = self._group("tasks", "Tasks: from the balancer to the database and AWS")
        self.database_id = self._group("database", "Database: from the tasks only")

        for port in args.listener_ports:
            vpc.SecurityGroupIngressRule(
                f"{name}-internet-to-balancer-{port}",
                security_group_id=self.balancer_id,
                cidr_ipv4=ANYWHERE,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                opts=self._child_opts,
            )
        self._path("balancer-to-tasks", self.balancer_id, self.tasks_id, args.application_port)
        self._path("tasks-to-database", self.tasks_id, self.database_id, POSTGRESQL_PORT)
        for label, port in (("aws", 443), *((f"port-{port}", port) for port in args.outbound_ports)):
            vpc.SecurityGroupEgressRule(
                f"{name}-tasks-to-{label}",
                security_group_id=self.tasks_id,
                cidr_ipv4=ANYWHERE,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                opts=self._child_opts,
            )
        self.register_outputs({"balancer_id": self.balancer_id, "tasks_id": self.tasks_id})

    def _group(self, role: str, description: str) -> pulumi.Output[str]:
        label = f"{self._name}-{role}"
        group = ec2.SecurityGroup(
            label, vpc_id=self._vpc_id, description=description, tags={"Name": label}, opts=self._child_opts
        )
        return group.id

    def _path(self, label: str, source: pulumi.Output[str], target: pulumi.Output[str], port: int) -> None:
        """Open one port from one group to another, on both sides."""
        vpc.SecurityGroupEgressRule(
            f"{self._name}-{label}-out",
            security_group_id=source,
            referenced_security_group_id=target,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child_opts,
        )
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{label}-in",
            security_group_id=target,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=self._child_opts,
        )
