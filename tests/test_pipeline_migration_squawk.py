"""squawk is asked of each statement by itself, and no failure of it is taken for the absence of findings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops.errors import CannotAct
from ops.pipeline.migration_squawk import Finding, read

CHECK = 'ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("x" > 1)'
DROPPED = 'ALTER TABLE "t" DROP COLUMN "x"'
# It dies of one word, as a program does that panics, and else is squawk.
_DIES = """#!/bin/sh
for each; do case $each in *.sql) grep -q PANIC "$each" && exit 101;; esac; done
exec {squawk} "$@"
"""


def kinds(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.kind, each.statement) for each in found]


def asked(*statements: str, atomic: bool = True) -> list[tuple[str, str]]:
    return kinds(list(read(statements, atomic=atomic)))


@pytest.fixture
def own_squawk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a program may be put that is asked instead of squawk."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path / "squawk"


def test_each_finding_has_its_statement() -> None:
    assert asked(DROPPED, f"-- a comment\n{CHECK};", 'CREATE TABLE "n" ("id" bigint)') == [
        ("column_gone", DROPPED),
        ("constraint", f"-- a comment\n{CHECK};"),
    ]


def test_no_statement_is_no_finding() -> None:
    assert asked() == []


def test_what_it_cannot_read_is_a_finding_once_and_hides_no_other() -> None:
    assert asked("SELEC ((", CHECK) == [("", "SELEC (("), ("constraint", CHECK)]


def test_a_comment_at_the_end_does_not_swallow_the_statement_s_end() -> None:
    assert asked(f"{CHECK} -- why") == [("constraint", f"{CHECK} -- why")]


def test_a_statement_that_brings_it_down_is_told_and_the_others_are_read(own_squawk: Path) -> None:
    squawk = Path(sys.prefix, "bin", "squawk")
    own_squawk.write_text(_DIES.format(squawk=squawk))
    own_squawk.chmod(0o755)
    assert asked("SELECT 'PANIC'", CHECK) == [("", "SELECT 'PANIC'"), ("constraint", CHECK)]


@pytest.mark.parametrize("program", ["exit 0", "echo nonsense", "echo '{}'", "echo '[]'; exit 2"])
def test_an_answer_that_is_none_is_not_taken_for_nothing_found(own_squawk: Path, program: str) -> None:
    own_squawk.write_text(f"#!/bin/sh\n{program}\n")
    own_squawk.chmod(0o755)
    assert asked(CHECK) == [("", CHECK)]


def test_where_it_cannot_be_started_nobody_goes_on(own_squawk: Path) -> None:
    assert not own_squawk.exists()
    with pytest.raises(CannotAct, match="cannot be asked"):
        asked(CHECK)
