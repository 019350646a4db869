"""`python -m ops migrate`: the database brought to the schema of a release, by a one-off task on its image.

The task makes sure of the app's database login and applies the migrations under an advisory lock; this command starts
it, shows its log, and answers with its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops import migration_memory, tasks
from ops.claim import alive
from ops.command import Command, Context, seconds
from ops.container_logs import task_id
from ops.errors import CannotAct
from ops.in_flight import Heartbeat
from ops.migration import Migration
from ops.migration_task import MigrationTask
from ops.release_memory import Memory

if TYPE_CHECKING:
    import argparse

PROCESS = "migrate"
TIMEOUT_SECONDS = 900


def _run(context: Context, options: argparse.Namespace) -> None:
    stack = context.stack
    definition = tasks.find_task_definition(context.aws.ecs, options.task_definition or stack.family(PROCESS))
    release = tasks.environment_of(definition, stack.container(PROCESS)).get("RELEASE", "")
    name = f"{definition.get('family')}:{definition.get('revision')}"
    context.answer.update(release=release, task_definition=definition["taskDefinitionArn"])
    heart = Heartbeat(context, release)
    with migration_memory.failing_the_update(context, release):
        task = MigrationTask(
            cluster=stack.cluster,
            container=stack.container(PROCESS),
            definition=definition,
            network=_network(context, options),
            back_to=options.back_to,
        )
        context.transcript.step(
            f"will run one task of {name}, release {release or 'unnamed'}, in cluster {task.cluster}, "
            f"subnets {', '.join(task.network.subnets)}; waits {options.timeout} s at most",
        )
        if task.overrides:
            _refuse_beside_another(context)
            context.transcript.step(f"undoes what came after {task.back_to}; refused if that cannot be undone")
        _mention_others(context, task)
        if context.dry_run:
            context.transcript.result(f"would migrate: {release or name}")
            return
        heart.beat()
        migration_memory.refuse_if_taken_over(heart)
        migration = Migration(context, task, options.timeout, heart.beat)
        with migration_memory.remembering(context, release, migration):
            migration.run()
        # What was migrated may serve only if this is still the update whose turn it is.
        migration_memory.refuse_if_taken_over(heart)
    context.transcript.result(f"migrated{f' back to {options.back_to}' if options.back_to else ''}: {release or name}")


def _refuse_beside_another(context: Context) -> None:
    """Take nothing away from the schema under a release that is being deployed and counts on it."""
    flight = Memory(context).read().in_flight
    if flight:
        raise alive(context, flight)


def _mention_others(context: Context, task: MigrationTask) -> None:
    running = context.aws.ecs.list_tasks(cluster=task.cluster, family=context.stack.family(PROCESS))["taskArns"]
    if running:
        context.transcript.step(
            f"another migration task runs already ({', '.join(map(task_id, running))}): "
            "the advisory lock in the database lets one work at a time",
        )


def _network(context: Context, options: argparse.Namespace) -> tasks.TaskNetwork:
    subnets, groups = _split(options.subnets), _split(options.security_groups)
    if subnets and groups:
        return tasks.TaskNetwork(subnets=subnets, security_groups=groups, public_ip=options.assign_public_ip)
    service = tasks.find_service(context.aws.ecs, context.stack)
    live = (service or {}).get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not live:
        raise CannotAct(
            f"no live service {context.stack.service} in cluster {context.stack.cluster} to take the network from. "
            "Check --stack, --project, the account and the region, or give --subnets and --security-groups.",
        )
    return tasks.TaskNetwork(
        subnets=subnets or tuple(live["subnets"]),
        security_groups=groups or tuple(live.get("securityGroups", [])),
        public_ip=options.assign_public_ip or live.get("assignPublicIp") == "ENABLED",
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in (text or "").split(",")) if part)


def _options(parser: argparse.ArgumentParser) -> None:
    live = "(default: the live service's)"
    parser.add_argument(
        "--task-definition", metavar="ARN", help="what to run (default: the newest of the stack's family)"
    )
    parser.add_argument("--subnets", metavar="ID,ID", help=f"subnets of the task {live}")
    parser.add_argument("--security-groups", metavar="ID,ID", help=f"security groups of the task {live}")
    parser.add_argument(
        "--assign-public-ip", action="store_true", help="for subnets whose way out is an internet gateway"
    )
    parser.add_argument(
        "--back-to",
        default="",
        metavar="APP.MIGRATION",
        help="undo what was migrated after this one, when the older code that a rollback returned to cannot do with "
        "it; refused where data would be lost",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long the task may take, all tries together; then it is stopped (default: %(default)s)",
    )


COMMAND = Command(
    name="migrate",
    summary="bring the database to the schema of a release, by a one-off task on its image",
    description="Run the stack's migration task, show its log, and answer with its exit code.\n"
    "Ctrl-C and the timeout stop the task: nothing goes on unwatched.\n"
    "A start that AWS denied before anything ran is tried a few times: a new policy takes IAM some seconds.\n"
    "What was applied, and whether it can be undone, is written down for `rollback`, from the task's own log.",
    add_options=_options,
    run=_run,
)
