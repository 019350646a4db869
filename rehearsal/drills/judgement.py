"""What users must have seen, and what an update that failed must have said; each function raises DrillError if not."""

import re

from rehearsal.drills.drill import expect
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.load import Load

# From ECS's word that the deployment failed to the update's end.
VERDICT_SECONDS = 30
# Whoever waits for so long has noticed something. A busy machine alone takes a second.
STALL_SECONDS = 5.0
# A line of the verdict; the log lines and events below it, which are indented, speak of much that is not the cause.
_CAUSE = re.compile(r"^cause: (.+)$", re.MULTILINE)


def unnoticed(load: Load, *, stall_seconds: float = STALL_SECONDS) -> None:
    """Every request was answered well, and soon."""
    expect(load.failed == 0, load.verdict())
    expect(load.slowest_seconds <= stall_seconds, f"a request took longer than {stall_seconds:.0f} s: {load.verdict()}")


def only_served(load: Load, release: str, *, stall_seconds: float = STALL_SECONDS) -> None:
    """Users saw this release all along, and nothing else."""
    unnoticed(load, stall_seconds=stall_seconds)
    expect(load.releases, f"nobody saw which release serves: it should have been {release}")
    others = [seen for seen in load.releases if seen != release]
    expect(not others, f"users saw {', '.join(others)} besides {release}")


def all_on(load: Load, release: str, *, since: float, until: float = float("inf")) -> None:
    """Whoever asked between two moments of the monotonic clock was answered by this release."""
    seen = [item.release for item in load.seen_between(since, until)]
    expect(seen, f"nobody saw which release serves afterwards: it should have been {release}")
    others = [item for item in dict.fromkeys(seen) if item != release]
    expect(not others, f"{' and '.join(others)} still answered after all should have been on {release}")


def names_its_cause(message: str, *causes: str) -> None:
    """A verdict was red, and the sentence that is its cause says all of these."""
    tells(message)
    found = _CAUSE.search(message)
    expect(found, f"the message names no cause:\n{message}")
    _has(found[1] if found else "", causes, "the cause", message)


def tells(message: str, *words: str) -> None:
    """An update failed, and a person reads these words somewhere in its message."""
    expect(message, "a bad release was called live")
    expect("Traceback" not in message, f"the message has a traceback:\n{message}")
    _has(message, words, "the message", message)


def soon_after_ecs(watch: RolloutWatch, ended: float) -> float:
    """The update ended soon after ECS had given the deployment up; answers how many seconds later."""
    expect(watch.given_up_at is not None, "ECS never gave the deployment up")
    late = max(0.0, ended - (watch.given_up_at or 0))
    expect(late <= VERDICT_SECONDS, f"the update ended {late:.0f} s after ECS gave the deployment up")
    return late


def _has(text: str, words: tuple[str, ...], which: str, message: str) -> None:
    lacking = [word for word in words if word.lower() not in text.lower()]
    expect(not lacking, f"{which} does not name {' and '.join(lacking)}:\n{message}")
