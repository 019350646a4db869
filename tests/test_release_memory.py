"""infra/release_memory.py: the table in which operator commands remember releases."""

from __future__ import annotations

import pytest

from ops.stack import Stack
from tests.deployed import deployed

TABLE = "aws:dynamodb/table:Table"


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_operator_commands_find_the_table_by_its_name(name: str) -> None:
    table = deployed(name).only(TABLE).inputs
    assert table["name"] == Stack(project="pactum", name=name).releases_table
    assert (table["hashKey"], table["attributes"]) == ("stack", [{"name": "stack", "type": "S"}])


@pytest.mark.parametrize(("name", "protected"), [("staging", False), ("prod", True)])
def test_what_was_released_can_be_restored_and_production_keeps_it(name: str, protected: bool) -> None:
    table = deployed(name).only(TABLE).inputs
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"] is protected
