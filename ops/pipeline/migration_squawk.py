"""What squawk reads out of a migration's statements, one file for each: what it cannot read hides no other."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SECONDS = 60
_NOTHING_FOUND, _FOUND = 0, 1
_UNREADABLE = "syntax-error"
# What squawk says of statements, in the terms of migration_risks; what it says besides is about taste, or about what
# was measured: an index that went is found in the catalogue, whatever its statement looks like.
_KINDS: Mapping[str, str] = {
    "ban-drop-column": "column_gone",
    "ban-drop-table": "table_gone",
    "renaming-column": "column_renamed",
    "renaming-table": "table_renamed",
    "changing-column-type": "rewritten",
    "adding-not-nullable-field": "not_null",
    "adding-required-field": "column_required",
    "adding-field-with-default": "rewritten",
    "require-concurrent-index-creation": "index",
    "disallowed-unique-constraint": "unique",
    "constraint-missing-not-valid": "constraint",
    "adding-foreign-key-constraint": "constraint",
    "ban-truncate-cascade": "rows_gone",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding. `kind` is empty where squawk could not read the statement: then nobody knows what it would say."""

    kind: str
    statement: str
    message: str
    help: str


def read(statements: Sequence[str], *, atomic: bool) -> Iterator[Finding]:
    """Ask squawk of each statement.

    Raises:
        CannotAct: it cannot be started, or does not end.

    """
    unreadable: set[str] = set()
    for statement, found in _findings(statements, atomic=atomic):
        rule, message = str(found.get("rule_name")), str(found.get("message"))
        if rule == _UNREADABLE and statement not in unreadable:
            unreadable.add(statement)
            yield Finding(kind="", statement=statement, message=message, help="")
        elif rule in _KINDS:
            yield Finding(
                kind=_KINDS[rule],
                statement=statement,
                message=message,
                help=str(found.get("help") or "Read what squawk says of this rule."),
            )


def _findings(statements: Sequence[str], *, atomic: bool) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not statements:
        return
    found = _asked(statements, atomic=atomic)
    if found is not None:
        yield from ((statements[int(Path(str(each["file"])).stem)], each) for each in found)
        return
    # One statement brought it down: the others are still to be read.
    for statement in statements:
        alone = _asked([statement], atomic=atomic)
        if alone is None:
            alone = [{"rule_name": _UNREADABLE, "message": "squawk broke down over it"}]
        yield from ((statement, each) for each in alone)


def _asked(statements: Sequence[str], *, atomic: bool) -> list[dict[str, Any]] | None:
    """Return what it finds; None where it broke down, which is no finding and not the absence of one."""
    with tempfile.TemporaryDirectory(prefix="pactum-squawk-") as directory:
        files = [Path(directory) / f"{number}.sql" for number in range(len(statements))]
        for file, statement in zip(files, statements, strict=True):
            file.write_text(f"{statement}\n", encoding="utf-8")
        command = [str(Path(sys.executable).with_name("squawk")), "--pg-version", "17", "--reporter", "json"]
        in_transaction = ["--assume-in-transaction"] if atomic else []
        try:
            ran = subprocess.run(
                [*command, *in_transaction, *map(str, files)],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
                cwd=directory,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotAct(
                f"squawk, which reads migrations' SQL, cannot be asked: {error}. It is in requirements-dev.txt: "
                "`make` installs it into .venv.",
            ) from error
    if ran.returncode not in {_NOTHING_FOUND, _FOUND}:
        return None
    try:
        found = json.loads(ran.stdout)
    except ValueError:
        return None
    return found if isinstance(found, list) else None
