"""`python -m ops migrate`: the database brought to the schema of a release, by a one-off task on its image.

The task makes sure of the app's database login and applies the migrations under an advisory lock; this command starts
it, shows its log, and answers with its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops import migration_memory, tasks
from ops.command import Command, Context, seconds
from ops.container_logs import task_id
from ops.errors import CannotAct
from ops.in_flight import Heartbeat
from ops.migration import Migration
from ops.migration_task import PROCESS, MigrationTask, find_definition

if TYPE_CHECKING:
    import argparse

TIMEOUT_SECONDS = 900


def _run(context: Context, options: argparse.Namespace) -> None:
    stack = context.stack
    definition = find_definition(context, options.task_definition)
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
        )
        context.transcript.step(
            f"will run one task of {name}, release {release or 'unnamed'}, in cluster {task.cluster}, "
            f"subnets {', '.join(task.network.subnets)}; waits {options.timeout} s at most",
        )
        _mention_others(context, task)
        if context.dry_run:
            context.transcript.result(f"would migrate: {release or name}")
            return
        heart.beat()
        migration = Migration(context, task, options.timeout, heart.beat)
        with migration_memory.remembering(context, release, migration):
            migration.run()
        # What was migrated may serve only if nobody has decided otherwise meanwhile.
        migration_memory.refuse_if_forbidden(context, release, heart)
    context.transcript.result(f"migrated: {release or name}")


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
    if service is None:
        raise CannotAct(
            f"no live service {context.stack.service} in cluster {context.stack.cluster} to take the network from. "
            "Check --stack, --project, the account and the region, or give --subnets and --security-groups.",
        )
    live = tasks.network_of(service)
    return tasks.TaskNetwork(
        subnets=subnets or live.subnets,
        security_groups=groups or live.security_groups,
        public_ip=options.assign_public_ip or live.public_ip,
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in (text or "").split(",")) if part)


def _options(parser: argparse.ArgumentParser) -> None:
    live = "(default: the live service's)"
    parser.add_argument(
        "--task-definition", metavar="ARN", help="what to run (default: that of the release that serves)"
    )
    parser.add_argument("--subnets", metavar="ID,ID", help=f"subnets of the task {live}")
    parser.add_argument("--security-groups", metavar="ID,ID", help=f"security groups of the task {live}")
    parser.add_argument(
        "--assign-public-ip", action="store_true", help="for subnets whose way out is an internet gateway"
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
