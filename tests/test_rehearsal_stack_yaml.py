"""rehearsal/stack_yaml.py: a stack file means here what it means to the engine. Pulumi 3's own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import configuration
from rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
name: shop
config:
  shop:count: {type: integer, default: 5}
  shop:name: {type: string, default: ""}
  shop:zones: {type: array, items: {type: string}, default: []}
  shop:environment: {type: object, default: {}}
  shop:production: {type: boolean, default: false}
"""


def read(directory: Path, text: str) -> dict[str, str]:
    (directory / "Pulumi.yaml").write_text(PROJECT)
    (directory / "Pulumi.prod.yaml").write_text(f"config:\n{text}\n")
    values = configuration.load(directory, "prod").values
    return {key.partition(":")[2]: value for key, value in values.items()}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("  shop:environment: {A: yes, B: off, C: true}", "environment", '{"A": "yes", "B": "off", "C": true}'),
        ("  shop:zones: [on]", "zones", '["on"]'),
        ("  shop:name: no", "name", "no"),
        ("  shop:name:", "name", ""),
        ("  shop:count: 0x10", "count", "16"),
        ("  shop:production: True", "production", "true"),
    ],
)
def test_a_value_is_what_the_engine_makes_of_it(text: str, key: str, value: str, tmp_path: Path) -> None:
    assert read(tmp_path, text)[key] == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  shop:production: yes", "shop:production = yes: must be of type boolean"),
        ("  shop:zones: [null, a]", "must be of type array"),
        ("  shop:zones:", "shop:zones = : must be of type array"),
        ("  shop:count:", "shop:count = : must be of type integer"),
        ("  shop:count: 1\n  shop:count: 2", "found shop:count a second time; the engine takes neither"),
        ("  shop:environment: {A: 1, A: 2}", "found A a second time"),
        ("  shop:environment: {SINCE: 2026-01-01}", "found a date, which the engine would write out with a time"),
    ],
)
def test_what_the_engine_refuses_or_garbles_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(RehearsalError) as refused:
        read(tmp_path, text)
    assert words in str(refused.value)
