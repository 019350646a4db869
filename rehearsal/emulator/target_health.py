"""What a balancer knows of its targets: real probes, thresholds, draining. MiniStack calls every target healthy."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ministack.services import alb

from rehearsal.emulator.patching import Extension, replace, require

logger = logging.getLogger("rehearsal.targets")

EXTENSION = Extension(
    name="target health",
    rule=(
        "Targets are probed as their group says (path, port, matcher, interval, timeout, thresholds), are `initial` "
        "until the first success, then need the thresholds, and are `draining` for the deregistration delay"
    ),
    source="Health checks for Application Load Balancer target groups",
)
INITIAL_PROBE_SECONDS = 1.0  # AWS probes a new target early too; only probes a full interval apart count as failures
REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
}
Key = tuple[str, str, int]  # target group ARN, address, port


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """The health check of one target group; times in seconds."""

    path: str
    port: int | None  # None: the port that gets the traffic
    codes: frozenset[int]
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass
class Target:
    """One registered target and what the probes said so far."""

    state: str = "initial"
    detail: str = ""
    successes: int = 0
    failures: int = 0
    next_probe: float = 0.0
    next_countable_failure: float = 0.0
    drained_at: float = field(default=float("inf"))

    def probed(self, check: HealthCheck, now: float, failure: str | None) -> None:
        """Take in one probe's outcome; `failure` is None for a success."""
        if self.state == "draining":
            return
        if failure is None:
            self.successes, self.failures = self.successes + 1, 0
            needed = 1 if self.state == "initial" else check.healthy_threshold
            if self.successes >= needed:
                self.state, self.detail = "healthy", ""
        else:
            self.successes, self.detail = 0, failure
            if now >= self.next_countable_failure:
                self.failures += 1
                self.next_countable_failure = now + check.interval
            if self.failures >= check.unhealthy_threshold:
                self.state = "unhealthy"
        self.next_probe = now + (
            min(INITIAL_PROBE_SECONDS, check.interval) if self.state == "initial" else check.interval
        )


def parse_codes(matcher: str) -> frozenset[int]:
    """`200`, `200,301` or `200-299` as the set of codes."""
    codes: set[int] = set()
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        codes.update(range(int(first), int(last or first) + 1))
    return frozenset(codes)


def health_check(group: dict[str, Any]) -> HealthCheck:
    """The check that a target group asks for."""
    port = str(group.get("HealthCheckPort") or "traffic-port")
    return HealthCheck(
        path=group.get("HealthCheckPath") or "/",
        port=int(port) if port.isdigit() else None,
        codes=parse_codes(str((group.get("Matcher") or {}).get("HttpCode") or "200")),
        interval=float(group.get("HealthCheckIntervalSeconds") or 30),
        timeout=float(group.get("HealthCheckTimeoutSeconds") or 5),
        healthy_threshold=int(group.get("HealthyThresholdCount") or 5),
        unhealthy_threshold=int(group.get("UnhealthyThresholdCount") or 2),
    )


class TargetRegistry:
    """The state of every target of every group. Safe for threads."""

    def __init__(self, delay: Callable[[str], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._delay = delay
        self._clock = clock
        self._lock = threading.Lock()
        self._targets: dict[Key, Target] = {}

    def registered(self, group: str, present: Iterable[tuple[str, int]]) -> None:
        """Learn who is registered in a group now: new targets start `initial`, missing ones drain."""
        now, delay = self._clock(), self._delay(group)
        keys = {(group, address, port) for address, port in present}
        with self._lock:
            for key in keys:
                if self._targets.get(key, Target(state="draining")).state == "draining":
                    self._targets[key] = Target(next_probe=now)
            for key, target in list(self._targets.items()):
                if key[0] == group and key not in keys and target.state != "draining":
                    target.state, target.drained_at = "draining", now + delay

    def state(self, group: str, address: str, port: int) -> str:
        """`initial`, `healthy`, `unhealthy` or `draining`."""
        with self._lock:
            target = self._targets.get((group, address, port))
            return target.state if target else "initial"

    def of(self, group: str) -> list[tuple[str, int, Target]]:
        """(address, port, target) of a group, draining ones included."""
        with self._lock:
            return [(key[1], key[2], target) for key, target in self._targets.items() if key[0] == group]

    def due(self) -> list[Key]:
        """Targets to probe now; each is handed out once until its outcome is known."""
        now = self._clock()
        with self._lock:
            for key in [k for k, t in self._targets.items() if t.drained_at <= now]:
                del self._targets[key]
            due = [k for k, t in self._targets.items() if t.state != "draining" and t.next_probe <= now]
            for key in due:
                self._targets[key].next_probe = float("inf")
            return due

    def outcome(self, key: Key, check: HealthCheck, failure: str | None) -> None:
        """Record a probe."""
        with self._lock:
            if key in self._targets:
                before = self._targets[key].state
                self._targets[key].probed(check, self._clock(), failure)
                after = self._targets[key].state
                if after != before:
                    logger.info("target %s:%s is %s %s", key[1], key[2], after, failure or "")


def group_by_arn(arn: str) -> dict[str, Any] | None:
    """A target group, whatever account and region the caller is in."""
    for (_account, _region, key), group in list(alb._tgs._data.items()):
        if key == arn:
            return group  # type: ignore[no-any-return]
    return None


def install(registry: TargetRegistry) -> None:
    """Tell the registry of every change of registrations, and describe targets by what it knows."""

    def ports(arn: str) -> list[tuple[str, int]]:
        default = int((group_by_arn(arn) or {}).get("Port") or 80)
        return [(t["Id"], int(t.get("Port") or default)) for t in alb._targets.get(arn) or []]

    def set_targets(tg_arn: str, targets: Any, previous_ids: Any = ()) -> Any:
        result = originals["set"](tg_arn, targets, previous_ids)
        registry.registered(tg_arn, ports(tg_arn))
        return result

    def changing(name: str) -> Callable[[dict[str, Any]], Any]:
        def handler(params: dict[str, Any]) -> Any:
            result = originals[name](params)
            arn = alb._p(params, "TargetGroupArn")
            registry.registered(arn, ports(arn))
            return result

        return handler

    def describe(params: dict[str, Any]) -> Any:
        arn = alb._p(params, "TargetGroupArn")
        group = group_by_arn(arn)
        if group is None:
            return originals["describe"](params)
        wanted = {t["Id"] for t in alb._parse_targets_param(params)}
        shown = [t for t in registry.of(arn) if not wanted or t[0] in wanted]
        rows = "".join(_describe(address, port, target, group) for address, port, target in shown)
        return alb._xml(200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{rows}</TargetHealthDescriptions>")

    originals: dict[str, Any] = {}
    require(alb, "_p", "(params, key, default='')")
    require(alb, "_xml", "(status, action, inner)")
    require(alb, "_parse_targets_param", "(params, prefix='Targets')")
    originals["set"] = replace(alb, "set_targets_for_group", "(tg_arn, targets, previous_ids=())", set_targets)
    originals["register"] = replace(alb, "_register_targets", "(params)", changing("register"))
    originals["deregister"] = replace(alb, "_deregister_targets", "(params)", changing("deregister"))
    originals["describe"] = replace(alb, "_describe_target_health", "(params)", describe)


def _describe(address: str, port: int, target: Target, group: dict[str, Any]) -> str:
    reason, description = REASONS.get(target.state, ("", ""))
    if target.state == "unhealthy":
        description = target.detail or description
        reason = "Target.ResponseCodeMismatch" if "codes" in description else reason
        reason = "Target.Timeout" if "timed out" in description else reason
    check_port = health_check(group).port or port
    why = f"<Reason>{reason}</Reason><Description>{description}</Description>" if reason else ""
    return (
        f"<member><Target><Id>{address}</Id><Port>{port}</Port></Target><HealthCheckPort>{check_port}</HealthCheckPort>"
        f"<TargetHealth><State>{target.state}</State>{why}</TargetHealth></member>"
    )
