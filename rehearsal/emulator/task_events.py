"""ECS tells EventBridge of each task's states: what watches jobs and crashes lives on it. MiniStack tells nothing."""

from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from rehearsal.emulator import aws_events
from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="events of tasks",
    rule=(
        "Each state that raises a task's version (PENDING, RUNNING, DEACTIVATING, DEPROVISIONING, STOPPED) is an event "
        "'ECS Task State Change' with the task as DescribeTasks shows it: stopCode, stoppedReason, exit codes, group; "
        "a task that is started without a group is of the group family:NAME"
    ),
    source="Amazon ECS task state change events; RunTask",
)
KIND = "ECS Task State Change"
STARTING = {
    "_mark_task_pending": "(task_arn, task)",
    # As `execute_command` leaves it.
    "_mark_task_running": "(task_arn: str, task: dict[str, typing.Any]) -> bool",
}
RUN_TASK = "(data: dict[str, typing.Any]) -> Any"  # the same
# DescribeTasks answers with these, and an event has them not.
NOT_TOLD = frozenset({"tags"})


def tell(task: dict[str, Any]) -> None:
    """Tell of the task's present state."""
    shown = {name: value for name, value in ecs._sanitize(task).items() if name not in NOT_TOLD}
    aws_events.tell("aws.ecs", KIND, task["taskArn"], shown | {"updatedAt": ecs._iso()})


def install() -> None:
    """Tell of tasks that start; `task_stop` tells of those that end."""

    def telling(original: Callable[..., bool]) -> Callable[..., bool]:
        def mark(task_arn: str, task: dict[str, Any]) -> bool:
            marked = original(task_arn, task)
            if marked:
                tell(task)
            return marked

        return mark

    def run_task(data: dict[str, Any]) -> Any:
        family = ecs._resolve_td_key(data.get("taskDefinition", "")).rpartition(":")[0]
        return run(data if data.get("group") else {**data, "group": f"family:{family}"})

    run = replace(ecs, "_run_task", RUN_TASK, run_task)
    for name, signature in STARTING.items():
        replace(ecs, name, signature, telling(require(ecs, name, signature)))
