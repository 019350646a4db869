"""The way back to the last good release, by hand."""

import time

from rehearsal.drills.bad_releases import next_is_green
from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import all_on, tells, unnoticed
from rehearsal.drills.stage import Stage
from rehearsal.load import Load

ROLLBACK_SECONDS = 15
# Users go on for so long after the command: who is answered by the bad release then would have been later, too.
AFTERWARDS_SECONDS = 5.0
REASON = "a drill"


def rollback_by_hand(stage: Stage) -> str:
    """`ops rollback` has all traffic on the last good release within 15 s; the bad digest is refused, a new one not."""
    good = stage.live.release
    stage.deploy_good()
    bad = stage.live.release
    with stage.load() as load:
        began = time.monotonic()
        done = stage.operate("rollback", "--reason", REASON)
        ended = time.monotonic()
        time.sleep(AFTERWARDS_SECONDS)
    told = f"{done.stdout}{done.stderr}"
    expect(done.returncode == 0, f"`ops rollback` ended with exit code {done.returncode}:\n{told}")
    traffic = _moved(load, good, began=began, ended=ended)
    refused = stage.update(bad)
    tells(refused.error, f"release {bad} is denied", REASON)
    expect(stage.serves(good, within_seconds=5), "the refused update changed what serves")
    green = next_is_green(stage)
    return (
        f"100 % of traffic after {traffic:.1f} s, the command took {ended - began:.1f} s; "
        f"the bad digest was refused after {refused.seconds:.0f} s; a new one was live after {green:.0f} s"
    )


def _moved(load: Load, good: str, *, began: float, ended: float) -> float:
    """After how many seconds all traffic was on the good release, and stayed there."""
    unnoticed(load)
    last = load.last_answer_of_another(good, since=began)
    expect(last is not None, "the bad release did not answer after the command's start: was it live at all?")
    traffic = (last or began) - began
    expect(traffic <= ROLLBACK_SECONDS, f"the bad release still answered after {traffic:.1f} s")
    all_on(load, good, since=ended)
    return traffic
