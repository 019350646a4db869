"""What a drill is, and what became of one."""

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal import unexpected
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import InterruptionError, RehearsalError

if TYPE_CHECKING:
    from rehearsal.drills.stage import Stage

# Plays the scenario; answers the figures worth telling, or raises DrillError.
Scenario = Callable[["Stage"], str]


class DrillError(RehearsalError):
    """What a drill expected did not come about."""


def expect(condition: object, otherwise: str) -> None:
    """DrillError with `otherwise` unless the condition holds."""
    if not condition:
        raise DrillError(otherwise)


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One scenario under its name.

    `deploys` tells whether anything is rolled out in it; `bake_seconds`, when set, asks for an emulator that bakes
    deployments so long, `metric_delay_seconds` for one whose balancers' metrics come so late, and `overrides` for a
    stack with this configuration.
    """

    name: str
    scenario: Scenario
    deploys: bool = True
    bake_seconds: int = 0
    metric_delay_seconds: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def proves(self) -> str:
        """The scenario's own words: the first line of its docstring."""
        return (inspect.getdoc(self.scenario) or "").partition("\n")[0]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a drill: an entry of report.json. `requests` and `failed` are what its users did and met."""

    name: str
    ok: bool
    requests: int
    failed: int
    seconds: float
    detail: str

    def entry(self) -> dict[str, Any]:
        return asdict(self)


def play(drill: Drill, stage: "Stage") -> Outcome:
    """Play one drill, and leave a stack that serves. What fails is its outcome; nothing is raised but the end of all.

    Raises EmulatorEndedError and InterruptionError: no further drill could be played.
    """
    began = time.monotonic()
    ready, detail = _attempt(lambda: stage.begin(calm=drill.deploys), stage)
    ok = False
    if ready:
        # Without what was waited for.
        began = time.monotonic()
        ok, detail = _attempt(lambda: drill.scenario(stage), stage)
    back, problem = _attempt(stage.recover, stage)
    if not back:
        detail = f"{detail}\nAfterwards the stack could not be brought back: {problem}"
    loads = stage.end()
    if ok and any(load.requests == 0 for load in loads):
        ok, detail = False, f"{detail}\nUsers asked nothing, so nothing is known of what they would have met."
    elif ok and not all(load.asked_both_ways for load in loads):
        told = "; ".join(load.connections for load in loads)
        ok, detail = False, f"{detail}\nUsers must ask on connections they keep and on fresh ones: {told}."
    return Outcome(
        name=drill.name,
        ok=ok and back,
        requests=sum(load.requests for load in loads),
        failed=sum(load.failed for load in loads),
        seconds=round(time.monotonic() - began, 1),
        detail=detail,
    )


def _attempt(action: Callable[[], str | None], stage: "Stage") -> tuple[bool, str]:
    try:
        return True, action() or ""
    except (EmulatorEndedError, InterruptionError):
        raise
    except Exception as error:  # noqa: BLE001 - a mistake in one drill must not keep the others from being played
        return False, str(unexpected.told(error, stage.updater.place.scratch))
