"""Whatever somebody writes after a key is taken or refused by the key's name: no traceback, no wrong guess."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pytest
import yaml

from infra.settings import SettingsError, load, load_bootstrap
from tests.recorder import ROOT, as_engine
from tests.shipped import defaults, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(eq=False)
class Program:
    """One of the two programs, with the stack file that is changed."""

    directory: Path
    stack: str
    load: Callable[[], object]

    @functools.cached_property
    def project(self) -> Mapping[str, dict[str, dict[str, str]]]:
        project: Mapping[str, dict[str, dict[str, str]]] = yaml.safe_load((self.directory / "Pulumi.yaml").read_text())
        return project

    def config(self) -> dict[str, str]:
        return as_engine(defaults(self.directory) | written(self.stack))

    def read(self, config: Mapping[str, str]) -> object:
        pulumi.runtime.set_all_config(dict(config))
        pulumi.runtime.set_mocks(None, project=str(self.project["name"]), stack=self.stack)  # type: ignore[arg-type]
        return self.load()


PROGRAMS = (Program(ROOT, "staging", load), Program(ROOT / "stacks" / "bootstrap", "account", load_bootstrap))
CONFIG = {program: program.config() for program in PROGRAMS}
DECLARED = {
    key: (program, entry)
    for program in PROGRAMS
    for key, entry in program.project["config"].items()
    if not key.startswith("aws:")
}
# Further than Python's parser of JSON goes.
NESTED = "[" * 100_000
# Texts as a program gets them. The engine lets few of them through; `pulumi.runtime` under mocks lets all.
NONSENSE = {
    "integer": [
        *(
            "",
            " ",
            " 7",
            "7 ",
            "7\n",
            "seven",
            "\u0667",
            "1_0",
            "1.0",
            "1e1",
            "0x10",
            "+7",
            "--7",
            "-1",
            "null",
            "true",
        ),
        *("[]", "{}", "[7]", '"7"', "NaN", "9" * 15, "9" * 5000, f"-{'9' * 5000}"),
    ],
    "boolean": ["", " ", "yes", "True", "TRUE", "true ", "1", "0", "null", "[]", "{}", '"true"', "on"],
    "string": [" ", "\n", "\t", " x", "x\n", "x\ny", "\x00\n", " null", "x" * 10_000 + "\n"],
    "array": [
        "{}",
        "7",
        "true",
        "null",
        '"a"',
        "[",
        "a, b",
        "[{}]",
        "[null]",
        '["\\n", 7]',
        '[["a"]]',
        "[7.5]",
        NESTED,
    ],
    "object": ["[]", "7", "true", "null", '"a"', "{", "a: b", '{"A": []}', '{"A": {"B": {}}}', '{"A": null}', NESTED],
}
# Each field of theirs may be wrong by itself.
TABLES = ("pactum:workers", "pactum:jobs", "pactum-bootstrap:deployments")
# Empty means that there is none; no number and no truth value does. The engine fills defaults in.
OPTIONAL = {key for key, (_, entry) in DECLARED.items() if entry.get("default") in ("", [], {})} | {
    "pactum:healthCommand",
    "pactum-bootstrap:deployments",
}
CASES = [
    pytest.param(key, text, id=f"{key}={text[:20]!r}")
    for key, (_, entry) in DECLARED.items()
    for text in NONSENSE[entry["type"]]
]


@pytest.mark.parametrize(("key", "text"), CASES)
def test_nonsense_is_one_problem_of_its_key(key: str, text: str) -> None:
    program, _ = DECLARED[key]
    with pytest.raises(SettingsError) as refused:
        program.read({**CONFIG[program], key: text})
    message = str(refused.value)
    told = re.findall(r"^  \d+\. ([\w:-]+)", message, re.MULTILINE)
    assert set(told) == {key}
    assert len(told) == 1 or key in TABLES, "one mistake, one problem"
    assert len(message) < 1500, "what is so long is not read"


def test_every_type_of_key_has_its_nonsense() -> None:
    assert {entry["type"] for _, entry in DECLARED.values()} == NONSENSE.keys()
    assert len(CASES) > 10 * len(DECLARED)


@pytest.mark.parametrize("key", DECLARED)
def test_a_key_that_is_missing_is_refused_unless_empty_means_none(key: str) -> None:
    """A program that is not told must not guess."""
    program, _ = DECLARED[key]
    config = {other: value for other, value in CONFIG[program].items() if other != key}
    if key in OPTIONAL:
        program.read(config)
        return
    with pytest.raises(SettingsError, match=rf"1 problem in the configuration of this stack:\n  1\. {key}\n"):
        program.read(config)
