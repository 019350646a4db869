"""`python -m rehearsal drills`: play failure scenarios, and say what users saw of each."""

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rehearsal import unexpected
from rehearsal.drills.catalogue import DRILLS, chosen
from rehearsal.drills.drill import Drill, Outcome, play
from rehearsal.drills.stage import Stage
from rehearsal.errors import InterruptionError
from rehearsal.place import Place
from rehearsal.progress import Progress
from rehearsal.session import Rehearsal

STACK = "staging"
# Two tasks, so that one can be lost; and a release that never gets healthy is given up soon.
OVERRIDES = {"pactum:webMinimum": "2", "pactum:startSeconds": "4", "pactum:healthGraceSeconds": "15"}
# What the emulator reads: for how long a deployment's alarms are watched after its rollout, and how long after its
# minute a balancer's metric comes.
BAKE_VARIABLE = "REHEARSAL_BAKE_SECONDS"
METRIC_DELAY_VARIABLE = "REHEARSAL_METRIC_DELAY_SECONDS"


@dataclass(kw_only=True)
class Drills:
    """The drills of one call on one stack; `outcomes` are there as each ends, and the report is written then, too."""

    stack: str
    place: Place
    progress: Progress
    outcomes: list[Outcome] = field(default_factory=list)

    def play(self, drills: Sequence[Drill]) -> None:
        """Play the drills, on one rehearsal as far as they can share it.

        RehearsalError when a rehearsal itself fails; the drills that were played until then are in its report.
        """
        for (emulator, overrides), group in groupby(drills, key=lambda drill: (_emulator(drill), drill.overrides)):
            with _emulating(emulator):
                self._play_on_one(list(group), {**OVERRIDES, **overrides}, last=drills[-1])

    def _play_on_one(self, drills: list[Drill], overrides: dict[str, str], *, last: Drill) -> None:
        rehearsal = Rehearsal(stack=self.stack, place=self.place, progress=self.progress, overrides=overrides)
        try:
            with rehearsal:
                rehearsal.bootstrap()
                rehearsal.up()
                stage = Stage(updater=rehearsal)
                for drill in drills:
                    self.progress.say(f"\ndrill {drill.name}: {drill.proves}")
                    outcome = play(drill, stage)
                    self.outcomes.append(outcome)
                    self.progress.say(f"{_mark(outcome)} {drill.name}: {outcome.detail}")
                    rehearsal.report.drills = [each.entry() for each in self.outcomes]
                    rehearsal.report.write(self.place.report, self.progress.phases)
                rehearsal.report.ok = drills[-1] is last and all(outcome.ok for outcome in self.outcomes)
        except (KeyboardInterrupt, InterruptionError) as error:
            rehearsal.report.ok, rehearsal.report.error = False, str(error) or "Interrupted."
            raise
        except Exception as error:
            told = unexpected.told(error, self.place.scratch)
            rehearsal.report.ok, rehearsal.report.error = False, str(told)
            raise told from error
        finally:
            rehearsal.report.drills = [each.entry() for each in self.outcomes]
            rehearsal.report.write(self.place.report, self.progress.phases)

    def show(self) -> None:
        """The table at the end."""
        header = ("drill", "", "requests", "failed", "seconds", "detail")
        rows = [
            (it.name, _mark(it), str(it.requests), str(it.failed), f"{it.seconds:.0f}", it.detail.partition("\n")[0])
            for it in self.outcomes
        ]
        self.progress.table(header, rows)


def _mark(outcome: Outcome) -> str:
    return "ok" if outcome.ok else "FAILED"


def _emulator(drill: Drill) -> dict[str, int]:
    """What a drill asks of the emulator by variables; without any, it is as it is by itself."""
    asked = {BAKE_VARIABLE: drill.bake_seconds, METRIC_DELAY_VARIABLE: drill.metric_delay_seconds}
    return {name: seconds for name, seconds in asked.items() if seconds}


@contextlib.contextmanager
def _emulating(settings: Mapping[str, int]) -> Iterator[None]:
    """The emulator that is started meanwhile reads these variables."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update({name: str(value) for name, value in settings.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def main(arguments: list[str], progress: Progress) -> int:
    """Play failure scenarios, and tell what users saw."""
    options = _parser().parse_args(arguments)
    drills = chosen(options.names)
    if options.list:
        progress.table(("drill", "what it proves"), [(drill.name, drill.proves) for drill in DRILLS])
        return 0
    place = Place()
    with contextlib.suppress(OSError):
        place.report.unlink()
    run = Drills(stack=options.stack, place=place, progress=progress)
    try:
        run.play(drills)
    finally:
        if run.outcomes:
            run.show()
    failed = [outcome.name for outcome in run.outcomes if not outcome.ok]
    users = f"{sum(it.requests for it in run.outcomes)} requests in all"
    if failed:
        progress.say(f"\n{len(failed)} of {len(run.outcomes)} drills failed: {', '.join(failed)}. {users}.")
    else:
        progress.say(f"\n{len(run.outcomes)} drills, all ok. {users}.")
    progress.say(f"Report: {place.report}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal drills",
        description="Play failure scenarios on a rehearsal of a stack, each under load, and tell what users saw.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these drills (default: all)")
    parser.add_argument("--stack", default=STACK, help="the stack they are played on (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="list the drills, and what each proves")
    return parser
