"""What a stack stands on, whatever it releases: made in the order data flows."""

from dataclasses import dataclass

import pulumi

from infra.access_logs import access_logs
from infra.database import Database, DatabaseArgs
from infra.jobs import seeding
from infra.load_balancer import LoadBalancer, LoadBalancerArgs, listener_ports
from infra.network import Network, NetworkArgs
from infra.process import Placement
from infra.release_memory import ReleaseMemory, ReleaseMemoryArgs
from infra.secrets import Secrets, SecretsArgs
from infra.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.service import Cluster
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What processes need to run. `ready` is all of it: nothing is released before."""

    database: Database
    secrets: Secrets
    cluster: Cluster
    placement: Placement
    balancer: LoadBalancer
    ready: list[pulumi.Resource]


def make_ground(settings: Settings) -> Ground:
    """Make network, database, secrets, cluster and load balancer."""
    name, protection = settings.name, settings.deletion_protection
    log_retention_days = settings.observability.log_retention_days

    network = Network(
        name,
        NetworkArgs(
            settings=settings.network,
            account_id=settings.account_id,
            region=settings.region,
            log_retention_days=log_retention_days,
            permissions_boundary_arn=settings.permissions_boundary_arn,
        ),
    )
    groups = SecurityGroups(
        name,
        SecurityGroupsArgs(
            vpc_id=network.vpc_id,
            listener_ports=listener_ports(settings.edge),
            application_port=settings.application.port,
            outbound_ports=settings.network.outbound_ports,
        ),
    )
    database = Database(
        name,
        DatabaseArgs(
            project=settings.project,
            settings=settings.database,
            subnet_ids=network.isolated_subnet_ids,
            security_group_id=groups.database_id,
            deletion_protection=protection,
            log_retention_days=log_retention_days,
        ),
    )
    secrets = Secrets(name, SecretsArgs(settings=settings))
    memory = ReleaseMemory(name, ReleaseMemoryArgs(deletion_protection=protection))
    cluster = Cluster(name)
    requests_log = access_logs(settings)
    balancer = LoadBalancer(
        name,
        LoadBalancerArgs(
            settings=settings.edge,
            times=settings.times,
            vpc_id=network.vpc_id,
            subnet_ids=network.public_subnet_ids,
            security_group_id=groups.balancer_id,
            port=settings.application.port,
            health_path=settings.application.health_path,
            readiness_path=settings.application.readiness_path,
            log_retention_days=log_retention_days,
            deletion_protection=protection,
            access_logs=requests_log.bucket if requests_log else None,
            before=[network, requests_log] if requests_log else [network],
        ),
    )
    return Ground(
        database=database,
        secrets=secrets,
        cluster=cluster,
        placement=Placement(
            cluster_arn=cluster.arn, subnet_ids=network.private_subnet_ids, security_group_id=groups.tasks_id
        ),
        balancer=balancer,
        ready=[seeding(settings, secrets), network, groups, database, cluster, balancer, memory],
    )
