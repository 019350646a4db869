"""The configuration a program gets in a rehearsal is the one the Pulumi engine would give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import configuration
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT
from tests.shipped import stack_file

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
name: shop
config:
  aws:region: {value: us-east-1}
  shop:size: {type: integer, default: 3}
  open: {type: boolean, default: false}
  shop:zones: {type: array, items: {type: string}, default: [a, b]}
  shop:owner: {type: string}
  shop:names: {type: object, default: {}}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  shop:owner: ana\n  shop:size: 0\n")
    return tmp_path


def test_defaults_are_merged_under_the_stacks_own_values(program: Path) -> None:
    values = configuration.load(program, "dev").values
    assert values == {
        "aws:region": "us-east-1",
        "shop:size": "0",
        "shop:open": "false",
        "shop:zones": '["a", "b"]',
        "shop:owner": "ana",
        "shop:names": "{}",
    }, "under mocks nobody but the rehearsal applies Pulumi.yaml's defaults, and an explicit 0 is a value"


def test_overrides_stand_above_the_stack_file(program: Path) -> None:
    values = configuration.load(program, "dev", {"shop:owner": "bento"}).values
    assert values["shop:owner"] == "bento", "a rehearsal deploys a further release by overriding its digest"


def test_overrides_of_arrays_and_objects_are_written_in_json(program: Path) -> None:
    overrides = {"shop:zones": '["c"]', "shop:names": '{"A": "b"}', "shop:owner": "[x]"}
    values = configuration.load(program, "dev", overrides).values
    assert (values["shop:zones"], values["shop:names"]) == ('["c"]', '{"A": "b"}')
    assert values["shop:owner"] == "[x]", "a text is what it looks like"


def test_a_wrong_override_is_looked_for_on_the_command_line(program: Path) -> None:
    with pytest.raises(RehearsalError) as raised:
        configuration.load(program, "dev", {"shop:zones": "c", "shop:size": "many"})
    told = str(raised.value)
    assert told.startswith("2 problems in --set:")
    assert '--set shop:zones=c: must be of type array, in JSON, such as --set \'shop:zones=["a", "b"]\'' in told
    assert "--set shop:size=many: must be of type integer" in told
    assert "Pulumi.dev.yaml" not in told, "nothing is wrong with the file"
    (program / "Pulumi.dev.yaml").write_text("config:\n  shop:owner: ana\n  shop:open: maybe\n")
    with pytest.raises(RehearsalError, match=r"2 problems in Pulumi\.dev\.yaml and --set:"):
        configuration.load(program, "dev", {"shop:zones": "c"})


def test_what_may_hold_secrets_is_not_shown(program: Path) -> None:
    (program / "Pulumi.dev.yaml").write_text("config:\n  shop:owner: ana\n  shop:zones: {KEY: hunter2}\n")
    with pytest.raises(RehearsalError, match=r"shop:zones = \.\.\.: must be of type array") as raised:
        configuration.load(program, "dev")
    assert "hunter2" not in str(raised.value), "somebody took a list of names for a mapping to values"


def test_every_wrong_value_is_told_in_one_error(program: Path) -> None:
    (program / "Pulumi.dev.yaml").write_text("config:\n  shop:size: many\n  shop:open: maybe\n  shop:zones: a\n")
    with pytest.raises(RehearsalError) as raised:
        configuration.load(program, "dev")
    told = str(raised.value)
    assert told.startswith("4 problems in Pulumi.dev.yaml"), "who corrects a file wants all its mistakes at once"
    for part in (
        "shop:size = many: must be of type integer",
        "shop:open = maybe",
        "shop:zones = a: must be of type array",
        "shop:owner: is not set",
    ):
        assert part in told, f"the message must name key, value and rule: {part}"


def test_a_value_encrypted_for_a_real_stack_is_refused(program: Path) -> None:
    (program / "Pulumi.dev.yaml").write_text("config:\n  shop:owner: {secure: AAAB}\n")
    with pytest.raises(RehearsalError, match="shop:owner: is encrypted"):
        configuration.load(program, "dev")


def test_an_unknown_stack_is_answered_with_the_stacks_there_are(program: Path) -> None:
    with pytest.raises(RehearsalError, match="Choose one of: dev"):
        configuration.load(program, "production")


def test_the_projects_own_stacks_load() -> None:
    assert configuration.stacks(PROJECT_ROOT) == ["prod", "staging"], "both stacks are rehearsed"
    staging, prod = (
        configuration.load(PROJECT_ROOT, stack, config_file=stack_file(stack)).values for stack in ("staging", "prod")
    )
    assert staging.keys() == prod.keys(), "every key has a value in both stacks, from the file or by default"
    assert staging["pactum:databaseMultiAz"] == "false", "staging keeps the default"
    assert prod["pactum:databaseMultiAz"] == "true", "prod has dials of its own"
