"""ECS's calls about services, with the scheduler in the place of MiniStack's reconciling, and one lock for all."""

from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from rehearsal.emulator.patching import replace, require
from rehearsal.emulator.rollback import as_listed
from rehearsal.emulator.service_scheduler import Scheduler

# What reads a service's deployments and then changes them. MiniStack does so in several threads without a lock, and a
# deployment that UpdateService adds meanwhile would be lost.
CHANGING = {
    "_create_service": "(data)",
    "_delete_service": "(data)",
    "_refresh_service_state": "(cluster_name, group)",
}


def make_deployment(original: Callable[..., Any]) -> Callable[..., Any]:
    """A deployment begins IN_PROGRESS; MiniStack's first one is complete from the start."""

    def make(task_definition: str, desired_count: int, status: str = "PRIMARY") -> dict[str, Any]:
        deployment: dict[str, Any] = original(task_definition, desired_count, status)
        reason = f"ECS deployment {deployment['id']} in progress."
        return deployment | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": reason}

    return make


def update_service(data: dict[str, Any], original: Callable[..., Any]) -> Any:
    """Update, without the event that MiniStack writes whatever it does."""
    answer = original(data)
    cluster, _, name = str(data.get("service", "")).rpartition("/")
    service = ecs._services.get(f"{ecs._resolve_cluster_name(data.get('cluster', 'default'))}/{name or cluster}")
    if service:
        service["events"] = [e for e in service["events"] if "draining connections on 1 tasks" not in e["message"]]
    return answer


def sanitize(original: Callable[..., Any]) -> Callable[..., Any]:
    """What a service looks like from outside, with its deployments as ECS lists them."""

    def view(record: Any) -> Any:
        if isinstance(record, dict) and "deployments" in record and "serviceArn" in record:
            record = {**record, "deployments": [as_listed(one) for one in record["deployments"]]}
        return original(record)

    return view


def install(scheduler: Scheduler) -> None:
    """Put the scheduler in the place of MiniStack's reconciling."""
    originals: dict[str, Callable[..., Any]] = {}

    def locked(name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with scheduler.lock:
                return originals[name](*arguments)

        return call

    def locked_update(data: dict[str, Any]) -> Any:
        with scheduler.lock:
            return update_service(data, originals["_update_service"])

    require(ecs, "_run_task", "(data)")
    require(ecs, "_primary_deployment", "(svc)")
    signature = "(task_definition, desired_count, status='PRIMARY')"
    replace(ecs, "_make_deployment", signature, make_deployment(require(ecs, "_make_deployment", signature)))
    for name, parameters in CHANGING.items():
        originals[name] = replace(ecs, name, parameters, locked(name))
    originals["_update_service"] = replace(ecs, "_update_service", "(data)", locked_update)
    replace(ecs, "_sanitize", "(obj)", sanitize(require(ecs, "_sanitize", "(obj)")))
    replace(ecs, "_reconcile_service_tasks", "(cluster_name, svc_key)", scheduler.wake)
    replace(ecs, "_complete_service_deployment", "(cluster_name, svc_key, expected_deployment_id=None)", scheduler.wake)
    replace(
        ecs,
        "_schedule_service_deployment_completion",
        "(cluster_name, svc_key, account_id, region, healthy_task=None)",
        scheduler.wake,
    )
    replace(
        ecs, "_record_service_task_failure", "(task, digest_resolution_failed=False)", scheduler.breaker.task_failed
    )
