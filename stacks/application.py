"""The application's stack, staging and prod alike: components wired in the order data flows."""

from pathlib import Path

import pulumi

from infra.application import MIGRATE_COMMAND, PORT, ApplicationEnvironment, serving
from infra.database import Database, DatabaseArgs
from infra.image import Image, ImageArgs
from infra.jobs import Migration, MigrationArgs, seeding
from infra.load_balancer import LoadBalancer, LoadBalancerArgs, listener_ports
from infra.network import Network, NetworkArgs
from infra.observability.alarms import Alarms, AlarmsArgs
from infra.process import Process, ProcessArgs
from infra.secrets import Secrets, SecretsArgs
from infra.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.service import Cluster, Service, ServiceArgs, verdict
from infra.settings import load
from stacks.outputs import StackOutputs

CONTEXT = Path("app_image")


def deploy() -> None:
    """Make the stack that is selected, and export its outputs."""
    settings = load()
    name, web, protection = settings.name, settings.web, settings.deletion_protection

    image = Image(name, ImageArgs(settings=settings.image, stack=settings.stack, context=CONTEXT))
    network = Network(name, NetworkArgs(settings=settings.network, region=settings.region))
    groups = SecurityGroups(
        name,
        SecurityGroupsArgs(vpc_id=network.vpc_id, listener_ports=listener_ports(web), application_port=PORT),
    )
    database = Database(
        name,
        DatabaseArgs(
            settings=settings.database,
            subnet_ids=network.isolated_subnet_ids,
            security_group_id=groups.database_id,
            deletion_protection=protection,
            log_retention_days=settings.observability.log_retention_days,
        ),
    )
    secrets = Secrets(name, SecretsArgs(settings=settings))
    seeded = seeding(settings, secrets)
    environment = ApplicationEnvironment(release=image.release, database=database, secrets=secrets)

    cluster = Cluster(name)
    migrate = Process(
        f"{name}-migrate",
        ProcessArgs(
            settings=settings,
            image=image,
            process="migrate",
            cpu=256,
            memory_mib=512,
            command=MIGRATE_COMMAND,
            environment=environment.plain("localhost", https=False),
            secrets={**environment.secret(), **environment.master()},
            secret_arns=[*secrets.arns, database.master_secret_arn],
        ),
    )
    migration = Migration(
        name,
        MigrationArgs(
            settings=settings,
            task=migrate.task,
            subnet_ids=network.private_subnet_ids,
            security_group_id=groups.tasks_id,
            before=[seeded, network, groups, database, migrate, cluster],
        ),
    )
    balancer = LoadBalancer(
        name,
        LoadBalancerArgs(
            settings=web,
            vpc_id=network.vpc_id,
            subnet_ids=network.public_subnet_ids,
            security_group_id=groups.balancer_id,
            port=PORT,
            deletion_protection=protection,
            before=[network],
        ),
    )
    process = Process(
        f"{name}-web",
        ProcessArgs(
            settings=settings,
            image=image,
            process="web",
            cpu=web.cpu,
            memory_mib=web.memory_mib,
            port=PORT,
            environment={**environment.plain(balancer.allowed_hosts, https=balancer.https), **serving(web)},
            secrets=environment.secret(),
            secret_arns=secrets.arns,
        ),
    )
    service = Service(
        name,
        ServiceArgs(
            cluster_arn=cluster.arn,
            task=process.task,
            port=PORT,
            minimum=web.minimum,
            health_grace_seconds=web.health_grace_seconds,
            subnet_ids=network.private_subnet_ids,
            security_group_id=groups.tasks_id,
            target_group_arn=balancer.target_group_arn,
            before=[migration, balancer, process],
        ),
    )
    live = verdict(settings, service, image.release)
    alarms = Alarms(
        name,
        AlarmsArgs(
            settings=settings.observability,
            balancer_arn_suffix=balancer.arn_suffix,
            target_group_arn_suffix=balancer.target_group_arn_suffix,
        ),
    )
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
