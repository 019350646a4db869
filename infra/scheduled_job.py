"""Processes that run by the clock: the entries of `pactum:jobs`."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import scheduler, sqs

from infra.background import Background
from infra.process import Process
from infra.process_settings import JobSettings
from infra.scheduler_role import SchedulerRole, SchedulerRoleArgs
from infra.task_definition import STOP_TIMEOUT_SECONDS, task_definition

# How often, and for how long, a start that AWS refuses (no capacity, a throttled call) is tried again.
START_ATTEMPTS, START_SECONDS = 10, 3600
# What could not be started is told of for as long as SQS keeps it, or until somebody takes it out.
KEPT_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class ScheduledJobsArgs:
    """`live` resolves after the verdict: what jobs run is changed only then, long after the migration."""

    jobs: Sequence[JobSettings]
    background: Background
    live: pulumi.Output[None]


class ScheduledJobs(pulumi.ComponentResource):
    """All jobs of a stack, each started as an ECS task by EventBridge Scheduler.

    Creates a schedule group, an encrypted queue for starts that failed for good (the alarm jobs-not-started is raised
    as long as it holds any) and the scheduler's role, and for each job the process `...-NAME` (log group and roles),
    its task definition and a schedule. Schedules name the exact revision, and come after the verdict: while a release
    is judged, and after it was refused, jobs run the one before. Nothing keeps a job from running beside itself, or
    beside a migration.
    """

    group_name: pulumi.Output[str]
    queue_arn: pulumi.Output[str]
    queue_name: pulumi.Output[str]

    def __init__(self, name: str, args: ScheduledJobsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:ScheduledJobs", name, None, opts)
        self._name, self._args, child_opts = name, args, pulumi.ResourceOptions(parent=self)
        settings, placement = args.background.settings, args.background.placement
        group = scheduler.ScheduleGroup(name, name=name, opts=child_opts)
        queue = sqs.Queue(
            f"{name}-jobs-not-started",
            sqs_managed_sse_enabled=True,
            message_retention_seconds=KEPT_SECONDS,
            opts=child_opts,
        )
        processes = {
            job.name: args.background.process(job, child_opts, stop_seconds=STOP_TIMEOUT_SECONDS) for job in args.jobs
        }
        roles = [process.task.roles for process in processes.values()]
        role = SchedulerRole(
            name,
            SchedulerRoleArgs(
                settings=settings,
                group_arn=group.arn,
                cluster_arn=placement.cluster_arn,
                families=[f"{name}-{job.name}" for job in args.jobs],
                role_arns=[arn for each in roles for arn in (each.execution_role_arn, each.task_role_arn)],
                queue_arn=queue.arn,
            ),
            child_opts,
        )
        self.group_name, self.queue_arn, self.queue_name = group.name, queue.arn, queue.name
        for job in args.jobs:
            self._schedule(job, processes[job.name], role)
        self.register_outputs({"group_name": self.group_name, "queue_arn": self.queue_arn})

    def _schedule(self, job: JobSettings, process: Process, role: SchedulerRole) -> None:
        placement, family = self._args.background.placement, f"{self._name}-{job.name}"
        definition = task_definition(family, process.task, pulumi.ResourceOptions(parent=self))
        network = scheduler.ScheduleTargetEcsParametersNetworkConfigurationArgs(
            subnets=placement.subnet_ids, security_groups=[placement.security_group_id], assign_public_ip=False
        )
        scheduler.Schedule(
            family,
            name=family,
            group_name=self.group_name,
            schedule_expression=job.schedule,
            schedule_expression_timezone=job.time_zone,
            flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            state=self._args.live.apply(lambda _: "ENABLED"),
            target=scheduler.ScheduleTargetArgs(
                arn=placement.cluster_arn,
                role_arn=role.arn,
                ecs_parameters=scheduler.ScheduleTargetEcsParametersArgs(
                    task_definition_arn=definition.arn,
                    launch_type="FARGATE",
                    platform_version="LATEST",
                    network_configuration=network,
                    propagate_tags="TASK_DEFINITION",
                    enable_ecs_managed_tags=True,
                    tags={f"{self._args.background.settings.project}:job": family},
                ),
                retry_policy=scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_retry_attempts=START_ATTEMPTS, maximum_event_age_in_seconds=START_SECONDS
                ),
                dead_letter_config=scheduler.ScheduleTargetDeadLetterConfigArgs(arn=self.queue_arn),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[process, role]),
        )
