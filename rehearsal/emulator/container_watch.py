"""One thread per container: its log goes to CloudWatch line by line, and only then is its end made known."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, ecs

from rehearsal.emulator.patching import Extension, replace, require

logger = logging.getLogger("rehearsal.containers")

EXTENSION = Extension(
    name="container logs and exits",
    rule=(
        "Every line of a container reaches its log stream before the task is STOPPED, however short its life; "
        "the task then has exit codes, stopCode and stoppedReason"
    ),
    source="Send Amazon ECS logs to CloudWatch (awslogs); Viewing Amazon ECS stopped task errors",
)
LONGEST_LINE = 256 * 1024  # bytes of one CloudWatch event; longer lines are cut into several
LOST_EXIT_CODE = 137  # of a container that cannot be watched any more: as if it had been killed
OnExit = Callable[[dict[str, Any], int, int], None]  # task, index of the container, exit code


def lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Put a log stream's chunks, which end anywhere, together to lines."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", errors="replace")
        while len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE].decode("utf-8", errors="replace")
            rest = rest[LONGEST_LINE:]
    if rest:
        yield rest.rstrip(b"\r").decode("utf-8", errors="replace")


def forward(container: Any, config: dict[str, Any]) -> None:
    """Follow a container's log to its end."""
    stream = container.logs(stream=True, follow=True, stdout=True, stderr=True)
    for line in lines(iter(stream)):
        if line.strip():
            put(config, line)


def put(config: dict[str, Any], line: str) -> None:
    """Append one event to the stream."""
    cloudwatch_logs._put_log_events(
        {
            "logGroupName": config["group"],
            "logStreamName": config["stream"],
            "logEvents": [{"timestamp": int(time.time() * 1000), "message": line}],
        }
    )


def watch(container: Any, config: dict[str, Any] | None) -> int:
    """Forward the log, wait for the end and return the exit code. Blocks as long as the container lives."""
    try:
        if config and ecs._ensure_awslogs_stream(config):
            forward(container, config)
    except Exception as error:  # a broken log, in whatever way, must not hide the exit  # noqa: BLE001
        logger.warning("log of %s ended early: %r", container.name, error)
    result = container.client.api.wait(container.id, timeout=None)
    return int(result.get("StatusCode", 0))


def definition(task: dict[str, Any], index: int) -> dict[str, Any]:
    """The container definition behind the task's container of this index."""
    task_definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
    found: list[dict[str, Any]] = task_definition.get("containerDefinitions", [])
    return found[index] if index < len(found) else {}


def exited(task: dict[str, Any], index: int) -> threading.Event:
    """Set once the container of this index has ended and its log is complete."""
    events: dict[int, threading.Event] = task.setdefault("_exited", {})
    return events.setdefault(index, threading.Event())


def follow(task: dict[str, Any], container: Any, index: int, on_exit: OnExit) -> None:
    """Watch a container to its end and tell it, also when it is lost from sight: others wait for the task's end."""
    code = LOST_EXIT_CODE
    try:
        config = ecs._awslogs_config(definition(task, index), task["taskArn"].rsplit("/", 1)[-1], container.id)
        code = watch(container, config)
    except Exception:  # docker-py lets errors of requests and urllib3 through, besides its own
        logger.exception("lost sight of %s; its task is taken for ended", container.name)
    try:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            task["containers"][index] |= {"lastStatus": "STOPPED", "exitCode": code}
    finally:
        exited(task, index).set()
        on_exit(task, index, code)


def install(on_exit: OnExit) -> None:
    """Watch each container from its start, in place of MiniStack's polling."""

    def follow_in(account: str, region: str, task: dict[str, Any], container: Any, index: int) -> None:
        with request_scope(account, region):
            follow(task, container, index, on_exit)

    def attach(task: dict[str, Any], container: Any, index: int, metadata_token: str, ecs_network: Any) -> bool:
        if not attach_original(task, container, index, metadata_token, ecs_network):
            return False
        exited(task, index)
        arguments = (ecs.get_account_id(), ecs.get_region(), task, container, index)
        threading.Thread(target=follow_in, args=arguments, daemon=True, name=f"watch-{container.name}").start()
        return True

    require(ecs, "_awslogs_config", "(cdef, task_id, container_id)")
    require(ecs, "_ensure_awslogs_stream", "(config)")
    require(cloudwatch_logs, "_put_log_events", "(data)")
    attach_original = replace(
        ecs, "_attach_started_container", "(task, container, index, metadata_token, ecs_network)", attach
    )
    replace(ecs, "_start_awslogs_forwarder", "(container, cdef, task_id)", lambda *_: None)
    replace(ecs, "_maybe_mark_stopped", "(task, docker_client=None)", lambda *_, **__: None)
    replace(ecs, "_watch_task_lifecycle", "(task, docker_client, account_id, region)", lambda *_: None)
