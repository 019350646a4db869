"""What the ECS service scheduler does next in a rolling deployment: a pure decision over what is known of the tasks."""

from dataclasses import dataclass, field

SCALED_DOWN = "Scaling activity initiated by (deployment {deployment})"
PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """One task that is not being stopped yet."""

    arn: str
    deployment: str
    healthy: bool  # running, its containers healthy, its targets healthy
    doomed: str = ""  # why it must be stopped, if it must: a failed health check after the grace period
    created: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """The service and its deployments; `fallback` is the last one that completed, other than the primary."""

    desired: int
    primary: str
    state: str  # the primary's rolloutState
    fallback: str = ""
    minimum_percent: int = 100
    maximum_percent: int = 200

    @property
    def floor(self) -> int:
        """Healthy tasks that must stay (rounded up, as ECS does)."""
        return -(-self.desired * self.minimum_percent // PERCENT)

    @property
    def ceiling(self) -> int:
        """Running and starting tasks that there may be (rounded down, as ECS does)."""
        return max(1, self.desired * self.maximum_percent // PERCENT)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Tasks to stop (ARN and reason), tasks to start by deployment, and whether the primary is complete now."""

    stop: dict[str, str] = field(default_factory=dict)
    start: dict[str, int] = field(default_factory=dict)
    complete: bool = False


def decide(service: ServiceView, tasks: list[TaskView]) -> Decision:
    """Apply ECS's rules for rolling deployments once.

    Old tasks make way for healthy new ones only as far as minimumHealthyPercent leaves healthy tasks and
    maximumPercent leaves room; a failed deployment starts nothing; the deployment is complete when all desired tasks
    of the primary are healthy and no other task is left.
    """
    stop = {task.arn: task.doomed for task in tasks if task.doomed}
    rest = [task for task in tasks if not task.doomed]
    new = sorted((t for t in rest if t.deployment == service.primary), key=lambda t: (t.healthy, t.created))
    old = sorted((t for t in rest if t.deployment != service.primary), key=lambda t: (t.healthy, t.created))
    scaling = SCALED_DOWN.format(deployment=service.primary)
    if service.state == "FAILED":
        return Decision(stop=stop, start=_keep_up(service, old, new, room=service.ceiling - len(rest)))
    if service.desired == 0:
        return Decision(stop=stop | {t.arn: scaling for t in rest}, complete=_in_progress(service) and not tasks)
    excess = new[: max(0, len(new) - service.desired)]
    stop |= {task.arn: scaling for task in excess}
    new = new[len(excess) :]
    leaving = _leaving(service, old, new)
    stop |= {task.arn: scaling for task in leaving}
    staying = [task for task in old if task not in leaving]
    room = service.ceiling - len(new) - len(staying)
    starting = max(0, min(service.desired - len(new), room))
    start = {service.primary: starting} if starting else {}
    if _in_progress(service):
        start |= _keep_up(service, staying, new, room=room - starting)
    healthy = sum(task.healthy for task in new)
    return Decision(
        stop=stop, start=start, complete=_in_progress(service) and healthy >= service.desired and not old and not stop
    )


def _in_progress(service: ServiceView) -> bool:
    return service.state == "IN_PROGRESS"


def _leaving(service: ServiceView, old: list[TaskView], new: list[TaskView]) -> list[TaskView]:
    """Old tasks that healthy new ones have replaced, or whose place is needed; unhealthy ones first."""
    healthy_new = sum(task.healthy for task in new)
    replaced = len(old) - max(0, service.desired - healthy_new)
    missing = service.desired - len(new)
    in_the_way = missing - max(0, service.ceiling - len(new) - len(old))
    spare = healthy_new + sum(task.healthy for task in old) - service.floor
    leaving: list[TaskView] = []
    for task in old[: max(0, replaced, in_the_way)]:
        if task.healthy:
            if spare <= 0:
                break
            spare -= 1
        leaving.append(task)
    return leaving


def _keep_up(service: ServiceView, old: list[TaskView], new: list[TaskView], *, room: int) -> dict[str, int]:
    """Replacements for lost tasks of the last completed deployment, as long as the new one does not carry the load."""
    wanted = service.floor - sum(task.healthy for task in new) - len(old)
    starting = min(wanted, room)
    return {service.fallback: starting} if service.fallback and starting > 0 else {}
