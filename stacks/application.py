"""The application's stack, staging and prod alike: components wired in the order data flows."""

from pathlib import Path

import pulumi

from infra.application import ApplicationEnvironment
from infra.database import Database, DatabaseArgs
from infra.image import Image, ImageArgs
from infra.jobs import Migration, MigrationArgs, seeding
from infra.load_balancer import LoadBalancer, LoadBalancerArgs, listener_ports
from infra.network import Network, NetworkArgs
from infra.observability.alarms import Alarms, AlarmsArgs
from infra.operator_shell import OperatorShell, OperatorShellArgs
from infra.process import Placement
from infra.release_memory import ReleaseMemory, ReleaseMemoryArgs, guard
from infra.secrets import Secrets, SecretsArgs
from infra.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.service import Cluster, Service, ServiceArgs, verdict
from infra.settings import load
from stacks.outputs import StackOutputs


def deploy() -> None:
    """Make the stack that is selected, and export its outputs."""
    settings = load()
    name, web, application, protection = settings.name, settings.web, settings.application, settings.deletion_protection

    image = Image(
        name,
        ImageArgs(
            settings=settings.image,
            stack=settings.stack,
            context=Path(application.context),
            dockerfile=application.dockerfile,
        ),
    )
    network = Network(name, NetworkArgs(settings=settings.network, region=settings.region))
    groups = SecurityGroups(
        name,
        SecurityGroupsArgs(
            vpc_id=network.vpc_id,
            listener_ports=listener_ports(web),
            application_port=application.port,
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
            log_retention_days=settings.observability.log_retention_days,
        ),
    )
    secrets = Secrets(name, SecretsArgs(settings=settings))
    seeded = seeding(settings, secrets)
    environment = ApplicationEnvironment(
        settings=application, release=image.release, database=database, secrets=secrets
    )
    memory = ReleaseMemory(name, ReleaseMemoryArgs(deletion_protection=protection))
    cluster = Cluster(name)
    placement = Placement(
        cluster_arn=cluster.arn, subnet_ids=network.private_subnet_ids, security_group_id=groups.tasks_id
    )
    balancer = LoadBalancer(
        name,
        LoadBalancerArgs(
            settings=web,
            vpc_id=network.vpc_id,
            subnet_ids=network.public_subnet_ids,
            security_group_id=groups.balancer_id,
            port=application.port,
            health_path=application.health_path,
            deletion_protection=protection,
            before=[network],
        ),
    )
    # All that takes minutes comes before the guard: what it lets pass must give signs of life from then on.
    ready = [seeded, network, groups, database, cluster, balancer]
    guarded = guard(settings, image.release, depends_on=[memory, *ready])
    migration = Migration(
        name,
        MigrationArgs(
            settings=settings,
            image=image,
            environment=environment,
            placement=placement,
            guarded=guarded,
            before=ready,
        ),
    )
    alarms = Alarms(name, AlarmsArgs(settings=settings.observability, balancer=balancer))
    service = Service(
        name,
        ServiceArgs(
            settings=settings,
            image=image,
            environment=environment,
            placement=placement,
            balancer=balancer,
            alarm_names=alarms.rollback_alarm_names,
            before=[migration],
        ),
    )
    live = verdict(settings, service, image.release)
    OperatorShell(name, OperatorShellArgs(settings=settings, image=image, environment=environment, balancer=balancer))
    StackOutputs(
        url=balancer.url,
        release=pulumi.Output.all(image.release, live).apply(lambda both: str(both[0])),
        image=image.reference,
        cluster_name=cluster.name,
        service_name=service.name,
        task_definition_arn=service.task_definition_arn,
        balancer_dns_name=balancer.dns_name,
        alarm_topic_arn=alarms.topic_arn,
    ).export()
