"""A stack's scheduled jobs: EventBridge Scheduler starts each one's task by an exact revision of its family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct
from ops.tasks import TaskNetwork
from ops.tasks_of_release import family_of

if TYPE_CHECKING:
    from mypy_boto3_scheduler.type_defs import GetScheduleOutputTypeDef

    from ops.command import Context

ENABLED, DISABLED = "ENABLED", "DISABLED"
# UpdateSchedule replaces a schedule whole: what it is not given again is lost.
_KEPT = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job's schedule, as EventBridge Scheduler shows it."""

    name: str
    """The process, which its container and the end of its family are named after."""
    schedule: GetScheduleOutputTypeDef

    kind = "job"

    @property
    def task_definition(self) -> str:
        """What it starts; empty when it starts no ECS task."""
        return self.schedule["Target"].get("EcsParameters", {}).get("TaskDefinitionArn", "")

    @property
    def tasks(self) -> int:
        """How many tasks it starts when it is due; none when it is switched off."""
        return int(self.schedule["State"] == ENABLED)

    @property
    def when(self) -> str:
        """When it is due, as people write it."""
        zone = self.schedule.get("ScheduleExpressionTimezone") or "UTC"
        return f"{self.schedule['ScheduleExpression']} {zone}"

    @property
    def network(self) -> TaskNetwork:
        """Where its tasks are put.

        Raises:
            CannotAct: the schedule names no network.

        """
        configuration = self.schedule["Target"].get("EcsParameters", {}).get("NetworkConfiguration", {})
        network = configuration.get("awsvpcConfiguration")
        if not network:
            raise CannotAct(f"the schedule of job {self.name} has no network (awsvpc) for its tasks.")
        return TaskNetwork(
            subnets=tuple(network["Subnets"]),
            security_groups=tuple(network.get("SecurityGroups", [])),
            public_ip=network.get("AssignPublicIp") == "ENABLED",
        )

    def order(self, context: Context, *, task_definition: str, tasks: int | None) -> None:
        """Let it start this definition from now on, or nothing with no tasks; None leaves whether it starts any.

        Raises:
            ClientError, BotoCoreError: it was refused, or does not answer.

        """
        target: dict[str, Any] = {**self.schedule["Target"]}
        target["EcsParameters"] = {**target["EcsParameters"], "TaskDefinitionArn": task_definition}
        request: dict[str, Any] = {name: value for name, value in self.schedule.items() if name in _KEPT}
        state = self.schedule["State"] if tasks is None else ENABLED if tasks else DISABLED
        request |= {"State": state, "Target": target}
        context.aws.scheduler.update_schedule(**request)


def find_jobs(context: Context) -> list[Job]:
    """Return the stack's jobs by name, and say which schedules of its group are none.

    Raises:
        ClientError, BotoCoreError: EventBridge Scheduler refuses to tell, or does not answer.

    """
    scheduler, group = context.aws.scheduler, context.stack.schedule_group
    names: list[str] = []
    try:
        for page in scheduler.get_paginator("list_schedules").paginate(GroupName=group):
            names += [item.get("Name", "") for item in page["Schedules"]]
    except scheduler.exceptions.ResourceNotFoundException:
        # A stack without jobs has no group.
        return []
    found = [_find(context, name) for name in sorted(names)]
    return [job for job in found if job]


def _find(context: Context, schedule: str) -> Job | None:
    """Return the job of a schedule; None when that was deleted since it was listed, or is no job of the stack."""
    scheduler, group = context.aws.scheduler, context.stack.schedule_group
    try:
        found = scheduler.get_schedule(GroupName=group, Name=schedule)
    except scheduler.exceptions.ResourceNotFoundException:
        return None
    job = Job(name=schedule.removeprefix(context.stack.family("")), schedule=found)
    if family_of(job.task_definition) == schedule:
        return job
    context.transcript.step(
        f"schedule {schedule} in group {group} is left alone: it starts no task definition of family {schedule}, and "
        "so is no job of this stack"
    )
    return None


def find_job(context: Context, name: str) -> Job:
    """Return one job.

    Raises:
        CannotAct: there is none of that name.

    """
    jobs = find_jobs(context)
    for job in jobs:
        if job.name == name:
            return job
    there = f"There are {', '.join(job.name for job in jobs)}." if jobs else "It has none."
    raise CannotAct(f"{context.stack} has no job {name!r}. {there} Jobs are the entries of `jobs` in the stack file.")
