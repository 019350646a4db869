"""The README's table, made of results.json and of nothing else."""

from pathlib import Path

from benchmarks.errors import MeasurementError
from benchmarks.results import Results
from benchmarks.rows import ROWS, Line, line
from rehearsal.place import PROJECT_ROOT

README = PROJECT_ROOT / "README.md"
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
HEADER = ("measure", "reference", "usual", "ours", "ratio", "verdict", "goal")


def cells(each: Line) -> tuple[str, ...]:
    return (each.title, each.reference, each.usual, each.ours, each.ratio, each.verdict, each.goal)


def markdown(results: Results) -> str:
    """The table with the machine and the date it was measured on."""
    about = results.machine
    lines = [line(row, results.samples) for row in ROWS]
    rows = [HEADER, tuple("---" for _ in HEADER), *map(cells, lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = "".join(f"\nBesides: {' '.join(note.split())}.\n" for _, note in sorted(results.samples.notes.items()))
    changed = " with changes" if about["changed_since_commit"] else ""
    return (
        f"{table}\n\n"
        f"Medians of {results.runs} runs, {about['date']}, commit {about['commit']}{changed}: {about['cores']} cores, "
        f"{about['memory_gib']} GiB, Linux {about['kernel']}, Docker {about['docker']}, on `{about['base_image']}`.\n"
        f"{notes}"
    )


def write(results: Results, path: Path = README) -> None:
    """Replace what stands between the markers."""
    before, after = _around(path.read_text(encoding="utf-8"))
    path.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}", encoding="utf-8")


def written(path: Path = README) -> str:
    """What stands between the markers."""
    text = path.read_text(encoding="utf-8")
    before, after = _around(text)
    return text[len(before) + len(BEGIN) : len(text) - len(after) - len(END)].removeprefix("\n\n").removesuffix("\n")


def _around(text: str) -> tuple[str, str]:
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise MeasurementError(
            "README.md does not have the two markers of the table, each once.", remedy=f"Write {BEGIN} and {END} there."
        )
    return text[: text.index(BEGIN)], text[text.index(END) + len(END) :]
