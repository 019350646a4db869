"""The application's stack, staging and prod alike: an image, what it stands on, and how it is brought to users."""

from pathlib import Path

import pulumi

from infra.application import ApplicationEnvironment
from infra.autoscaling import Autoscaling, AutoscalingArgs
from infra.background import Background
from infra.dns import DomainRecord, DomainRecordArgs
from infra.guardrails.program import guard_program
from infra.image import Image, ImageArgs
from infra.jobs import Migration, MigrationArgs
from infra.operator_shell import OperatorShell, OperatorShellArgs
from infra.release_memory import guard
from infra.scheduled_job import ScheduledJobs, ScheduledJobsArgs
from infra.service import Service, ServiceArgs, verdict
from infra.settings import load
from infra.storage import media_bucket
from infra.worker import Worker, WorkerArgs
from stacks.ground import make_ground
from stacks.observation import observe, watch_releases
from stacks.outputs import StackOutputs


def deploy() -> None:
    """Make the stack that is selected, and export its outputs."""
    settings = load()
    guard_program(settings)
    name, application = settings.name, settings.application

    image = Image(
        name,
        ImageArgs(
            settings=settings.image,
            stack=settings.stack,
            context=Path(application.context),
            dockerfile=application.dockerfile,
        ),
    )
    ground = make_ground(settings)
    placement, balancer = ground.placement, ground.balancer
    environment = ApplicationEnvironment(
        settings=application,
        times=settings.times,
        slow_query_milliseconds=settings.observability.slow_query_milliseconds,
        release=image.release,
        database=ground.database,
        secrets=ground.secrets,
        media=media_bucket(settings),
    )

    # All that takes minutes comes before the guard: what it lets pass must give signs of life from then on.
    guarded = guard(settings, image.release, depends_on=ground.ready)
    migration = Migration(
        name,
        MigrationArgs(
            settings=settings,
            image=image,
            environment=environment,
            placement=placement,
            guarded=guarded,
            before=ground.ready,
        ),
    )
    rollback = watch_releases(settings, ground)
    service = Service(
        name,
        ServiceArgs(
            settings=settings,
            image=image,
            environment=environment,
            placement=placement,
            balancer=balancer,
            alarm_names=rollback.alarm_names,
            before=[migration],
        ),
    )
    autoscaling = Autoscaling(
        name,
        AutoscalingArgs(
            settings=settings.web, cluster_name=ground.cluster.name, service_name=service.name, balancer=balancer
        ),
    )
    background = Background(
        settings=settings, image=image, environment=environment, placement=placement, balancer=balancer
    )
    workers = [
        Worker(name, WorkerArgs(worker=worker, background=background, before=[migration]))
        for worker in settings.processes.workers
    ]
    live = verdict(settings, service, image.release, workers=workers, beside=[autoscaling])
    jobs = settings.processes.jobs
    scheduled = ScheduledJobs(name, ScheduledJobsArgs(jobs=jobs, background=background, live=live)) if jobs else None
    found_by: list[pulumi.Resource] = []
    if zone := settings.edge.hosted_zone_id:
        domain = DomainRecordArgs(
            domain_name=settings.edge.domain_name, hosted_zone_id=zone, balancer=balancer, live=live
        )
        found_by.append(DomainRecord(name, domain))
    notifications = observe(settings, ground, live=live, jobs=scheduled, rollback=rollback, found_by=found_by)
    OperatorShell(name, OperatorShellArgs(settings=settings, image=image, environment=environment, balancer=balancer))

    StackOutputs(
        url=balancer.url,
        release=pulumi.Output.all(image.release, live).apply(lambda both: str(both[0])),
        image=image.reference,
        cluster_name=ground.cluster.name,
        service_name=service.name,
        task_definition_arn=service.task_definition_arn,
        balancer_dns_name=balancer.dns_name,
        alarm_topic_arn=notifications.pages_arn,
    ).export()
