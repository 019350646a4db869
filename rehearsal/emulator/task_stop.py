"""How a task ends: out of the balancer, drained, SIGTERM, SIGKILL, logs complete, STOPPED; in the background."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, DockerException, NotFound
from ministack.core.responses import request_scope
from ministack.services import alb, ecs, ecs_metadata

from rehearsal.emulator import container_watch, images, task_events
from rehearsal.emulator.container_settings import DEFAULT_STOP_TIMEOUT_SECONDS, STOP_TIMEOUT_LABEL
from rehearsal.emulator.patching import Extension, replace

logger = logging.getLogger("rehearsal.tasks")

EXTENSION = Extension(
    name="draining and stopping",
    rule=(
        "A stopped task leaves its target groups first (DEACTIVATING), waits their deregistration delay, then gets "
        "SIGTERM and after stopTimeout SIGKILL (STOPPING), and is STOPPED with its exit codes"
    ),
    source="Amazon ECS task lifecycle; Edit target group attributes: deregistration delay",
)
ESSENTIAL_EXITED = "Essential container in task exited"
LOG_FLUSH_SECONDS = 10.0


def target_groups(task: dict[str, Any]) -> list[str]:
    """The target groups of the service that runs this task."""
    group = str(task.get("group", ""))
    if not group.startswith("service:"):
        return []
    cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
    service = ecs._services.get(f"{cluster}/{group.split(':', 1)[1]}") or {}
    return [lb["targetGroupArn"] for lb in service.get("loadBalancers") or [] if lb.get("targetGroupArn")]


def deregistration_delay(target_group: str) -> float:
    """Seconds that a target of this group goes on serving after it left; AWS's default is 300."""
    attributes = {a["Key"]: a["Value"] for a in alb._tg_attrs.get(target_group) or []}
    return float(attributes.get("deregistration_delay.timeout_seconds", 300))


@dataclass(frozen=True)
class Stopper:
    """Stops tasks in the background until the emulator itself closes."""

    docker_client: Any
    closing: threading.Event
    on_gone: Callable[[str], None] = lambda _: None  # told the address of a task whose container has ended
    on_change: Callable[[dict[str, Any]], None] = lambda _: None  # told each task that has entered another state

    def request(
        self, task_arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None
    ) -> bool:
        """Begin to stop a task; False if it is stopping already."""
        with ecs.resource_lock("ecs-task", task_arn):
            if not ecs._task_is_active(task_arn, task):
                return False
            was_running = task.get("lastStatus") == "RUNNING"
            ecs._bump_task_version(task)
            task |= {
                "desiredStatus": "STOPPED",
                "lastStatus": "DEACTIVATING",
                "stoppedReason": reason,
                "stopCode": stop_code,
                "stoppingAt": ecs._iso(),
            }
        groups: list[str] = []
        try:
            self.on_change(task)
            groups = target_groups(task) if was_running and not _essential_exited(task) else []
            self._refresh(task)
            if stop_code in ("EssentialContainerExited", "TaskFailedToStart"):
                ecs._record_service_task_failure(task)
        finally:
            scope = (ecs.get_account_id(), ecs.get_region())
            threading.Thread(
                target=self._stop, args=(task, groups, scope), daemon=True, name=f"stop-{task_arn[-8:]}"
            ).start()
        return True

    def container_exited(self, task: dict[str, Any], index: int, _exit_code: int) -> None:
        """Stop the task when an essential container, or the last container, has ended."""
        essentials = task.get("_container_essentials") or []
        essential = index >= len(essentials) or essentials[index]
        if essential or all(c.get("exitCode") is not None for c in task.get("containers", [])):
            self.request(task["taskArn"], task, ESSENTIAL_EXITED, "EssentialContainerExited")
            # Only now that it is no target any more: whoever chose it before is waiting for it already.
            self.on_gone(str(ecs._task_ip(task) or ""))

    def _stop(self, task: dict[str, Any], groups: list[str], scope: tuple[str, str]) -> None:
        with request_scope(*scope):
            try:
                delay = max((deregistration_delay(group) for group in groups), default=0.0)
                if delay and self.closing.wait(delay):
                    return
                self._end(task)
            except Exception:  # whoever waits for STOPPED must not wait for ever; the sweep removes what is left
                logger.exception("task %s could not be stopped in order", task["taskArn"])
            self._finish(task)

    def _end(self, task: dict[str, Any]) -> None:
        self._enter(task, "STOPPING")
        ids = self._take_containers(task)
        workers = [threading.Thread(target=self._stop_container, args=(i,), daemon=True) for i in ids]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        deadline = time.monotonic() + LOG_FLUSH_SECONDS
        for event in list(task.get("_exited", {}).values()):
            event.wait(max(0.0, deadline - time.monotonic()))
        self._enter(task, "DEPROVISIONING")
        self._remove(task, ids)

    def _take_containers(self, task: dict[str, Any]) -> list[str]:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            ids, tokens = list(task.get("_docker_ids") or []), list(task.get("_metadata_tokens") or [])
            task["_metadata_tokens"] = []
        for token in tokens:
            ecs_metadata.unregister_token(token)
        return ids

    def _stop_container(self, container_id: str) -> None:
        with suppress(NotFound):
            container = self.docker_client.containers.get(container_id)
            timeout = int(container.labels.get(STOP_TIMEOUT_LABEL) or DEFAULT_STOP_TIMEOUT_SECONDS)
            try:
                container.stop(timeout=timeout)
            except DockerException as error:
                logger.warning("could not stop %s: %s", container.name, error)

    def _remove(self, task: dict[str, Any], ids: list[str]) -> None:
        for container_id in ids:
            with suppress(NotFound, APIError):
                self.docker_client.containers.get(container_id).remove(force=True, v=True)
        task_id = task["taskArn"].rsplit("/", 1)[-1]
        for volume in self.docker_client.volumes.list(filters={"name": f"-{task_id}-"}):
            with suppress(NotFound, APIError):
                volume.remove(force=True)
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            task["_docker_ids"] = []

    def _enter(self, task: dict[str, Any], status: str) -> None:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            task["lastStatus"] = status
            if status == "DEPROVISIONING":
                ecs._bump_task_version(task)
                task["executionStoppedAt"] = ecs._iso()
                self.on_change(task)

    def _finish(self, task: dict[str, Any]) -> None:
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            ecs._bump_task_version(task)
            task |= {"lastStatus": "STOPPED", "stoppedAt": ecs._iso()}
            for container in task.get("containers", []):
                container["lastStatus"] = "STOPPED"
                for agent in container.get("managedAgents") or []:
                    agent["lastStatus"] = "STOPPED"
        self.on_change(task)
        self._refresh(task)

    def _refresh(self, task: dict[str, Any]) -> None:
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        if cluster:
            ecs._recount_cluster(cluster)
            ecs._refresh_service_state(cluster, task.get("group", ""))

    def forget_unattached(self, _task: dict[str, Any], _docker_client: Any, extra_container: Any = None) -> None:
        """Remove a container started for a task that was stopped meanwhile; the rest is the stop's own work."""
        if extra_container is not None:
            with suppress(NotFound, APIError):
                extra_container.remove(force=True, v=True)


def own_words(reason: str) -> str:
    """The reason without what MiniStack puts in front of every error that it does not know."""
    starts = [reason.find(known) for known in (images.CANNOT_START, images.NO_LOG_GROUP, images.CANNOT_ASSUME)]
    return reason[max(0, *starts) :]


def _essential_exited(task: dict[str, Any]) -> bool:
    return any(container.get("exitCode") is not None for container in task.get("containers", []))


def install(docker_client: Any, closing: threading.Event, on_gone: Callable[[str], None]) -> Stopper:
    """Replace every way in which MiniStack ends a task, and watch containers so that an exit ends one too."""
    stopper = Stopper(docker_client, closing, on_gone, task_events.tell)

    def stop_task(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        task = ecs._resolve_task(data.get("task", ""), cluster)
        if not task:
            return ecs.error_response_json("InvalidParameterException", "The referenced task was not found.", 400)
        stopper.request(task["taskArn"], task, data.get("reason", "Task stopped by user"), "UserInitiated")
        return ecs.json_response({"task": ecs._sanitize(task)})

    def fail_start(task: dict[str, Any], _docker_client: Any, reason: str) -> None:
        stopper.request(task["taskArn"], task, own_words(reason), "TaskFailedToStart")

    container_watch.install(stopper.container_exited)
    replace(ecs, "_mark_task_stopped", "(task_arn, task, reason, stop_code, exit_code=None)", stopper.request)
    replace(ecs, "_cleanup_task_resources", "(task, docker_client, extra_container=None)", stopper.forget_unattached)
    replace(ecs, "_fail_task_start", "(task, docker_client, reason)", fail_start)
    replace(ecs, "_stop_task", "(data)", stop_task)
    return stopper
