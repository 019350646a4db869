"""`python -m ops migrate`: the database brought to the schema of a release, by a one-off task on its image.

The task makes sure of the app's database login and applies the migrations under an advisory lock; this command starts
it, shows its log, and answers with its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops import tasks
from ops.command import Command, Context, seconds
from ops.container_logs import task_id
from ops.errors import CannotAct
from ops.migration import Migration, MigrationTask

if TYPE_CHECKING:
    import argparse

PROCESS = "migrate"
TIMEOUT_SECONDS = 900


def _run(context: Context, options: argparse.Namespace) -> None:
    stack = context.stack
    definition = tasks.find_task_definition(context.aws.ecs, options.task_definition or stack.family(PROCESS))
    task = MigrationTask(
        cluster=stack.cluster,
        container=stack.container(PROCESS),
        definition=definition,
        network=_network(context, options),
    )
    name = f"{definition.get('family')}:{definition.get('revision')}"
    context.transcript.step(
        f"will run one task of {name}, release {task.release or 'unnamed'}, in cluster {task.cluster}, "
        f"subnets {', '.join(task.network.subnets)}; waits {options.timeout} s at most",
    )
    running = context.aws.ecs.list_tasks(cluster=task.cluster, family=stack.family(PROCESS))["taskArns"]
    if running:
        context.transcript.step(
            f"another migration task runs already ({', '.join(map(task_id, running))}): "
            "the advisory lock in the database lets one work at a time",
        )
    Migration(context, task, options.timeout).run()
    context.transcript.result(f"migrated: {task.release or name}")


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
    "A start that AWS denied before anything ran is tried a few times: a new policy takes IAM some seconds.",
    add_options=_options,
    run=_run,
)
