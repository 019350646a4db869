"""docs/observability.md tells what is so."""

from __future__ import annotations

import re

import pytest
import yaml

from infra.observability.alarm import Severity
from infra.observability.objectives import PAIRS
from tests.alarm_scenarios.scenarios import SCENARIOS
from tests.observability_docs import PAGE, TOLD, blocks, written
from tests.recorder import ROOT

TEXT = PAGE.read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_program() -> None:
    assert written(TEXT, blocks()) == TEXT, "run `.venv/bin/python -m tests.observability_docs`, which writes them"


def test_every_scenario_is_told_with_its_time() -> None:
    told = TEXT.partition("<!-- scenarios -->")[2].partition("<!-- /scenarios -->")[0]
    names = [line.split("|")[1].strip() for line in told.strip().splitlines()[2:]]
    assert names == [scenario.name for scenario in SCENARIOS], "run `.venv/bin/python -m tests.observability_docs`"


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has no place for paces"):
        written("<!-- paces -->\n", {"paces": ""})
    assert written("a <!-- x -->\nold<!-- /x --> b", {"x": "new\n"}) == "a <!-- x -->\nnew\n<!-- /x --> b"


def test_the_arithmetic_in_words_is_that_of_the_pairs() -> None:
    fast = PAIRS[0]
    assert f"30 / {fast.rate:g} = {30 / fast.rate:.2f} days" in TEXT
    share = fast.rate * (100 - 99.9)
    minutes = fast.long_seconds / 60
    assert f"{minutes:.0f} minutes x {share:.2f} % = {minutes * 60 * share / 100:.0f} seconds" in TEXT
    assert f"at 10 % errors {minutes * share / 10:.1f} minutes" in TEXT


def test_keys_and_files_that_it_names_are_there() -> None:
    declared = {key.removeprefix("pactum:") for key in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]}
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
    bare = {span for span in spans if re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)+", span)}
    assert bare - declared <= set(), "a key of the stack file that does not exist"
    assert {"slackWorkspaceId", "teamsTenantId", "runbookUrl", "ticketEmail"} <= bare
    for target in re.findall(r"\]\(((?!https:)[^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
    for span in spans:
        if re.fullmatch(r"[\w/]+\.(py|yaml|md)|[\w/]+/", span):
            assert (ROOT / span).exists(), span


def test_numbers_of_the_database_are_told_in_gibibytes() -> None:
    rows = {line.split("](")[0].rpartition("[")[2]: line for line in TEXT.splitlines() if "](runbooks/" in line}
    assert "FreeStorageSpace, Minimum < 5 GiB in 3 of 3 times 5 minutes" in rows["database-storage"]
    assert TOLD.keys() == set(Severity)
