"""The alarms of a stack as the program registers them: run under mocks, put as the rehearsal's realiser puts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from rehearsal.cloudwatch import alarm as cloudwatch
from rehearsal.cloudwatch import composite
from rehearsal.realisers.observing import OBSERVING
from stacks.application import deploy
from tests.recorder import DIGEST, configure, record

if TYPE_CHECKING:
    from collections.abc import Mapping

METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
# The ends of the topics' names, by whom they tell.
AUDIENCES = ("pages", "tickets", "heartbeat")


@dataclass
class FakeCloudWatch:
    """Takes what the rehearsal's realiser would send to CloudWatch."""

    put: list[dict[str, Any]] = field(default_factory=list)

    def client(self, _: str) -> FakeCloudWatch:
        return self

    def arn(self, *names: str) -> str:
        return ":".join(names)

    def put_metric_alarm(self, **request: Any) -> None:
        self.put.append(request)

    def put_composite_alarm(self, **request: Any) -> None:
        self.put.append(request)


@dataclass(frozen=True)
class Registered:
    """All alarms of a stack, as PutMetricAlarm and PutCompositeAlarm get them, by name without the stack's."""

    name: str
    metric_alarms: Mapping[str, dict[str, Any]]
    composite_alarms: Mapping[str, dict[str, Any]]

    @cached_property
    def alarms(self) -> dict[str, cloudwatch.Alarm]:
        return {label: cloudwatch.read(found) for label, found in self.metric_alarms.items()}

    @cached_property
    def composites(self) -> dict[str, composite.CompositeAlarm]:
        """Rules on alarms by their labels, which is what they are called in a replay."""
        rules = {label: found["AlarmRule"] for label, found in self.composite_alarms.items()}
        return {label: composite.read(rule.replace(f'"{self.name}-', '"')) for label, rule in rules.items()}

    def tells(self, label: str) -> str:
        """Which topic is told: pages, tickets or heartbeat; empty when none is."""
        found = self.metric_alarms.get(label) or self.composite_alarms[label]
        topics = found.get("AlarmActions") or []
        assert topics == (found.get("OKActions") or []), f"{label} tells of its end to others than of its beginning"
        return next((end for topic in topics for end in AUDIENCES if topic.endswith(f"-{end}")), "")

    @cached_property
    def telling(self) -> dict[str, str]:
        """Who is told, by label, of those alarms that tell anybody."""
        labels = [*self.metric_alarms, *self.composite_alarms]
        return {label: audience for label in labels if (audience := self.tells(label))}


@lru_cache(maxsize=4)
def registered(stack: str = "prod", **changes: object) -> Registered:
    """The alarms of a stack; `changes` are of its configuration, and of types that can be compared."""
    configure(stack, imageDigest=DIGEST, **changes)
    recorder = record(deploy, stack=stack)
    assert recorder.error is None, recorder.error
    name = f"pactum-{stack}"

    def put(type_: str) -> dict[str, dict[str, Any]]:
        found = {}
        for resource in recorder.of_type(type_):
            tools = FakeCloudWatch()
            OBSERVING[type_].create(tools, "", {"name": resource.name, **resource.inputs})  # type: ignore[arg-type]
            found[resource.name.removeprefix(f"{name}-")] = tools.put[0]
        return found

    return Registered(name=name, metric_alarms=put(METRIC_ALARM), composite_alarms=put(COMPOSITE_ALARM))
