"""How the benchmark judges: medians, ratios, goals, misses, and the table in the README."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import __main__ as program
from benchmarks import results, table
from benchmarks.errors import MeasurementError
from benchmarks.rows import PARTS, ROWS, Row, judged, limit, line, seconds, times_reference, times_usual
from benchmarks.samples import OURS, USUAL, USUAL_KEPT, Samples
from rehearsal.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.rows import Goal

MACHINE = {
    "date": "2026-11-22",
    "commit": "0123456789ab",
    "changed_since_commit": False,
    "cores": 2,
    "memory_gib": 24,
    "kernel": "6.18",
    "docker": "20.10.24",
    "base_image": "python:3.13-slim-trixie",
    "load": 0.1,
}


def row(goal: Goal | None, reference: float | None = None) -> Row:
    return Row(part="start", metric="m", title="a measure", show=seconds, goal=goal, reference=reference)


def measured(ours: list[float], usual: list[float]) -> Samples:
    return Samples(values={"m": {OURS: ours, USUAL: usual}})


def complete(value: float = 1.0) -> Samples:
    """Every metric of the table, all goals but the sizes' and ratios' met."""
    sides = (OURS, USUAL, USUAL_KEPT)
    return Samples(values={each.metric: {side: [value] * 5 for side in sides} for each in ROWS})


def test_the_median_counts_and_not_the_mean() -> None:
    samples = measured([1, 2, 3, 4, 1000], [10, 10, 10, 10, 10])
    assert samples.median("m", OURS) == statistics.median([1, 2, 3, 4, 1000]) == 3
    assert line(row(None), samples).ratio == "0.30x"


def test_what_was_not_measured_is_an_error_and_no_zero() -> None:
    with pytest.raises(MeasurementError, match="m was not measured for usual"):
        line(row(times_usual(0.5)), Samples(values={"m": {OURS: [1.0]}}))


@pytest.mark.parametrize(
    ("goal", "reference", "ours", "met"),
    [
        (times_usual(0.5), None, 5.0, True),
        (times_usual(0.5), None, 5.1, False),
        (times_usual(5, at_least=True), None, 50.0, True),
        (times_usual(5, at_least=True), None, 49.0, False),
        (times_reference(0.5), 100.0, 50.0, True),
        (times_reference(0.5), 100.0, 51.0, False),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal, reference: float | None, ours: float, met: bool) -> None:
    assert judged(row(goal, reference), measured([ours], [10.0])) is met


def test_a_reference_that_is_missing_is_no_goal_met() -> None:
    with pytest.raises(ValueError, match="a reference that it does not have"):
        judged(row(times_reference(0.5)), measured([1.0], [1.0]))


def test_the_ratio_is_to_what_the_goal_is_held_against() -> None:
    assert line(row(times_reference(0.5), reference=100.0), measured([20.0], [40.0])).ratio == "0.20x"
    assert line(row(times_usual(0.5), reference=100.0), measured([20.0], [40.0])).ratio == "0.50x"


def test_a_limit_holds_for_every_single_run_and_shows_the_worst() -> None:
    """One lost request in five runs is one too many; the median would hide it."""
    found = line(row(limit(0, "0 lost")), measured([0, 0, 0, 0, 1], [9]))
    assert (found.verdict, found.ours) == ("MISSED", "1.00 s")
    at_least = row(limit(1, "stays up", at_least=True))
    assert line(at_least, measured([1, 1, 1, 1, 0], [0])).verdict == "MISSED"


def test_a_miss_names_the_measure_both_figures_and_the_goal() -> None:
    found = line(row(times_usual(0.5)), measured([6.0], [10.0]))
    assert found.missed == "a measure: ours 6.00 s, usual 10 s, goal ≤ 0.5x"
    assert line(row(times_usual(0.5)), measured([4.0], [10.0])).missed == ""


def test_a_stretch_goal_that_is_missed_is_told_and_fails_nothing() -> None:
    found = line(row(limit(1, "≤ 1", is_stretch=True)), measured([2.0], [3.0]))
    assert (found.verdict, found.missed) == ("missed (stretch)", "")


def test_each_goal_of_the_issue_is_in_the_table() -> None:
    goals = {(each.metric, each.goal.bound) for each in ROWS if each.goal and not each.goal.is_stretch}
    assert goals == {
        ("size_added_bytes", 0.45),
        ("size_bytes", 0.5),
        ("cold_build_seconds", 0.5),
        ("rebuild_seconds", 0.2),
        ("rebuild_bytes", 64 * 1024),
        ("start_seconds", 0.45),
        ("query_rate", 5),
        ("query_p99_ms", 0.5),
        ("plain_rate", 1),
        ("plain_cpu_ms", 0.8),
        ("memory_mib", 0.8),
        ("lost_requests", 0),
        ("slow_request_failures", 0),
        ("early_stop_seconds", 2),
        ("outage_survived", 1),
    }


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    samples = measured([1.23456789, 2.0], [1e6])
    samples.notes["outage"] = "a [note"
    path = tmp_path / "results.json"
    results.write(results.Results(machine=MACHINE, runs=5, samples=samples), path)
    found = results.read(path)
    assert found.samples.values == {"m": {OURS: [1.23457, 2.0], USUAL: [1e6]}}
    assert (found.machine, found.runs, found.samples.notes) == (MACHINE, 5, samples.notes)


def test_the_table_stands_between_its_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{table.BEGIN}\nold\n{table.END}\n\nafter\n")
    found = results.Results(machine=MACHINE, runs=5, samples=complete())
    table.write(found, readme)
    assert readme.read_text() == f"before\n\n{table.BEGIN}\n\n{table.markdown(found)}\n{table.END}\n\nafter\n"
    assert table.written(readme) == table.markdown(found)


def test_the_table_says_where_and_when_it_was_measured() -> None:
    text = table.markdown(results.Results(machine=MACHINE, runs=5, samples=complete()))
    assert "Medians of 5 runs, 2026-11-22, commit 0123456789ab: 2 cores, 24 GiB" in text
    assert len([each for each in text.splitlines() if each.startswith("|")]) == len(ROWS) + 2


def test_a_readme_without_its_markers_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    for text in ("no table\n", f"{table.END}\n{table.BEGIN}\n", f"{table.BEGIN}\n{table.BEGIN}\n{table.END}\n"):
        readme.write_text(text)
        with pytest.raises(MeasurementError, match="two markers"):
            table.written(readme)


def test_the_readmes_table_is_what_the_results_give() -> None:
    """`make benchmark` writes both; a figure edited by hand, or a row changed without a run, is noticed here."""
    assert table.written() == table.markdown(results.read())


@pytest.fixture
def concluded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results and README are written in these tests."""
    monkeypatch.setattr(results, "write", lambda _: (tmp_path / "results").touch())
    monkeypatch.setattr(table, "write", lambda _: (tmp_path / "readme").touch())
    return tmp_path


def conclude(parts: list[str], samples: Samples, runs: int = 5, **machine: Any) -> int:
    found = results.Results(machine={**MACHINE, **machine}, runs=runs, samples=samples)
    return program.conclude(parts, found, Progress())


def test_a_missed_goal_is_named_and_fails_the_command(concluded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(list(PARTS), complete()) == program.EXIT_MISSED
    assert "cold build: ours 1.00 s, usual 1.00 s, goal ≤ 0.5x" in capsys.readouterr().out
    assert (concluded / "results").exists(), "a figure that is bad is a result as well"


def test_all_goals_met_is_success(concluded: Path) -> None:
    samples = complete()
    samples.values["size_bytes"][OURS] = [1.0]
    assert conclude(["size"], samples) == 0
    assert not list(concluded.iterdir()), "a part of a run is no result for the README"


def test_fewer_runs_than_five_are_not_written(concluded: Path) -> None:
    conclude(list(PARTS), complete(), runs=4)
    assert not list(concluded.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"), [(["nonsense"], "choose of: size"), (["--runs", "0"], "whole number from 1")]
)
def test_a_part_or_a_number_of_runs_that_cannot_be_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        program.main(arguments)
    assert words in capsys.readouterr().err
