"""`python -m benchmarks [PART ...]`: measure both sides in one run, judge, and write down the result.

A run of all parts writes benchmarks/results.json and the README's table; a run of some parts only prints. The exit code
is 1 when a goal is missed, and every miss is named.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks import loading, outage, results, starting, stopping, table, wrk
from benchmarks.building import Workshop
from benchmarks.rows import PARTS, ROWS, line
from benchmarks.samples import Samples
from benchmarks.sides import Side, Sources, ours, usual, usual_kept
from benchmarks.stage import Stage, clear, clear_ended, fill, label_of_this_run, staged
from rehearsal import base_images, docker_engine
from rehearsal.errors import InterruptionError, RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress

EXIT_MISSED, EXIT_INTERRUPTED = 1, 130
FEWEST_RUNS = 5


@dataclass(kw_only=True)
class Benchmark:
    """One run of the benchmark."""

    progress: Progress
    runs: int
    stage: Stage
    workshop: Workshop
    ours: Side
    usual: Side
    samples: Samples = field(default_factory=Samples)

    def image(self, side: Side) -> str:
        return self.workshop.reference(self.usual if side.name != self.ours.name else side)

    def both(self, measure: Callable[[Side, int], None]) -> None:
        """Measure the sides in turn, the one that goes first changing from run to run."""
        for run in range(self.runs):
            for side in (self.ours, self.usual) if run % 2 else (self.usual, self.ours):
                self.progress.doing(f"run {run + 1} of {self.runs}, {side.name}")
                measure(side, run)

    def size(self) -> None:
        for side in (self.ours, self.usual):
            self.workshop.measure_size(side, self.samples)

    def build(self) -> None:
        self.both(lambda side, _: self.workshop.measure_cold_build(side, self.samples))

    def rebuild(self) -> None:
        self.both(lambda side, _: self.workshop.measure_rebuild(side, self.samples))

    def start(self) -> None:
        self.both(lambda side, _: starting.measure(self.stage, side, self.image(side), self.samples))
        starting.note_read_only(self.stage, self.usual, self.image(self.usual), self.samples)

    def load(self) -> None:
        kept = usual_kept(self.usual)

        def measure(side: Side, _: int) -> None:
            loading.measure(self.stage, side, self.image(side), self.samples)
            if side is self.usual:
                loading.measure_query_only(self.stage, kept, self.image(kept), self.samples)

        self.both(measure)

    def stop(self) -> None:
        def measure(side: Side, run: int) -> None:
            stopping.measure_in_flight(self.stage, side, self.image(side), self.samples)
            stopping.measure_slow_request(self.stage, side, self.image(side), self.samples)
            stopping.measure_early(self.stage, side, self.image(side), self.samples, run)

        self.both(measure)

    def outage(self) -> None:
        outage.measure_usual(self.stage, self.usual, self.image(self.usual), self.samples, self.runs)
        for _ in range(self.runs):
            outage.measure_ours(self.stage, self.ours, self.image(self.ours), self.samples)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; answers the exit code."""
    options = _options(arguments)
    progress = Progress()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _run(options.parts or list(PARTS), options.runs, progress)
    except (KeyboardInterrupt, InterruptionError):
        progress.say("Interrupted. Nothing was written.")
        return EXIT_INTERRUPTED
    except RehearsalError as error:
        print(f"\nbenchmarks: {error}", file=sys.stderr)
        return EXIT_MISSED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--runs", type=int, default=FEWEST_RUNS, help="measurements of a side (default: %(default)s)")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; choose of: {', '.join(PARTS)}")
    if options.runs < 1:
        parser.error(f"--runs is {options.runs}: set it to a whole number from 1 on")
    return options


def _interrupt(number: int, _: FrameType | None) -> None:
    raise InterruptionError(f"Ended by {signal.Signals(number).name}.")


def _run(parts: list[str], runs: int, progress: Progress) -> int:
    wrk.provide(progress.note)
    docker = docker_engine.ensure(progress.note)
    docker_engine.check_disk(docker, Place().root)
    clear_ended(docker)
    images = base_images.provide(docker, Place().scratch, progress.note)
    about = results.machine(docker, images.python)
    label = label_of_this_run()
    with tempfile.TemporaryDirectory(prefix="pactum-benchmark-") as directory:
        sources = Sources().frozen(Path(directory))
        workshop = Workshop(docker=docker, builder=sources.app / "build", python_image=images.python, label=label)
        sides = (ours(sources, about["cores"]), usual(sources))
        try:
            with progress.phase("images of both sides"):
                for side in sides:
                    workshop.prepare(side)
            samples = _measure(parts, runs, progress, workshop, sides, f"{images.prefix}/{base_images.POSTGRES}")
        finally:
            clear(docker, label)
    return conclude(parts, results.Results(machine=about, runs=runs, samples=samples), progress)


def _measure(
    parts: list[str], runs: int, progress: Progress, workshop: Workshop, sides: tuple[Side, Side], postgres: str
) -> Samples:
    with staged(workshop.docker, workshop.label, postgres) as stage:
        our_side, usual_side = sides
        with progress.phase("database with data"):
            fill(stage, our_side, workshop.reference(our_side))
        benchmark = Benchmark(
            progress=progress, runs=runs, stage=stage, workshop=workshop, ours=our_side, usual=usual_side
        )
        for part in parts:
            with progress.phase(part):
                getattr(benchmark, part)()
        return benchmark.samples


def conclude(parts: list[str], found: results.Results, progress: Progress) -> int:
    """Show what was found, write it down if it is whole, and answer the exit code."""
    lines = [line(row, found.samples) for row in ROWS if row.part in parts]
    progress.table(table.HEADER, [table.cells(each) for each in lines])
    for note in found.samples.notes.values():
        progress.say(note)
    if set(parts) == set(PARTS) and found.runs >= FEWEST_RUNS:
        results.write(found)
        table.write(found)
        progress.say(f"\nWritten: {results.FILE.relative_to(Place().root)} and the README's table.")
    else:
        progress.say(f"\nNothing was written: that takes all parts and at least {FEWEST_RUNS} runs.")
    missed = [each.missed for each in lines if each.missed]
    if missed:
        progress.say("Missed goals:\n" + "\n".join(f"  {each}" for each in missed))
        return EXIT_MISSED
    progress.say("All goals are met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
