"""docs/pipelines.md, "Your own project": the list of places is a list of places that are there."""

from __future__ import annotations

import re

import pytest

from tests.pipelines import jenkins
from tests.recorder import ROOT

SECTION = (ROOT / "docs/pipelines.md").read_text().partition("\n## Your own project\n")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `([^`]+)` \| (.+?) \| .+ \|$", SECTION, re.MULTILINE)


@pytest.mark.parametrize(("word", "files"), ROWS)
def test_what_is_to_be_changed_stands_in_each_file_that_is_named(word: str, files: str) -> None:
    for name in re.findall(r"`([^`]+)`", files):
        assert word in (ROOT / name).read_text(), f"nobody finds {word} in {name}"


@pytest.mark.parametrize("word", ["develop", "pactum-deploy", "pactum-approvers"])
def test_each_file_of_a_host_that_has_it_is_named(word: str) -> None:
    named = dict(ROWS)[word]
    hosts = [*(ROOT / ".github/workflows").iterdir(), ROOT / ".gitlab-ci.yml", ROOT / jenkins.FILE]
    readers = [*(ROOT / "tests/pipelines").glob("*.py"), ROOT / "tests/test_pipelines_conformance.py"]
    for path in [*hosts, *readers]:
        name = str(path.relative_to(ROOT))
        assert f"`{name}`" in named or not re.search(rf"""['"\[ ]{word}\b(?!-)""", _said(path.read_text())), name


def _said(text: str) -> str:
    """Without comments: there a name does nothing."""
    return re.sub(r"(?m)^\s*(?:#|//).*$", "", text)
