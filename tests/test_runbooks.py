"""docs/runbooks: one for each kind of alarm, and nothing in them that is not there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.observability.alarm import Severity
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.saved_queries import saved_queries
from infra.settings import Settings, load
from ops.__main__ import parser
from tests.recorder import ROOT, configure, record

if TYPE_CHECKING:
    from infra.observability.alarm import AlarmRule, CompositeRule

FILES = {path.stem: path for path in sorted((ROOT / "docs" / "runbooks").glob("*.md"))}
# Stacks differ in what they have: workers, jobs, a certificate.
STACKS: dict[str, dict[str, object]] = {
    "staging": {"workers": {"mail": {"command": ["python"]}}},
    "prod": {},
}
SECTIONS = ["Which", "Stop the damage", "Over when", "The knob"]
OPS = re.compile(r"(?:(?:\.venv/bin/)?python -m )?ops (?=[a-z])")
# Keys of an entry of `workers` and `jobs`.
ENTRY_KEYS = {"memoryMib", "overdueMinutes", "stopSeconds"}
# Written large in the text, in which they stand for a name in small letters.
PLACEHOLDERS = ("JOB", "NAME", "SERVICE")
KINDS = {Severity.PAGE: "Page", Severity.TICKET: "Ticket"}


@cache
def settings_of(stack: str) -> Settings:
    configure(stack, **STACKS[stack])
    loaded: list[Settings] = []
    recorder = record(lambda: loaded.append(load()), stack=stack)
    assert recorder.error is None
    return loaded[0]


@cache
def alarms() -> dict[str, list[AlarmRule | CompositeRule]]:
    """All alarms of all stacks, by runbook."""
    found: dict[str, list[AlarmRule | CompositeRule]] = {}
    for stack in STACKS:
        settings = settings_of(stack)
        every: list[AlarmRule | CompositeRule] = [*alarm_rules(settings), *composite_rules(settings)]
        for rule in every:
            found.setdefault(rule.told.runbook, []).append(rule)
    return found


def queries() -> set[str]:
    return {query.name for stack in STACKS for query in saved_queries(settings_of(stack))}


def text_of(runbook: str) -> str:
    return FILES[runbook].read_text(encoding="utf-8")


def spans(runbook: str) -> list[str]:
    """Code in the text, in one line each; a console's commands are further ones."""
    text = text_of(runbook)
    inline = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [*commands(runbook), *(" ".join(span.split()) for span in inline)]


def commands(runbook: str) -> list[str]:
    (console,) = re.findall(r"```console\n(.*?)```", text_of(runbook), re.DOTALL)
    return [line.removeprefix("$ ") for line in console.strip().splitlines()]


def words(command: str) -> list[str]:
    """What follows `python -m ops`, whole: in the text a command may be told without its stack."""
    given = [word.lower() if word in PLACEHOLDERS else word for word in shlex.split(OPS.sub("", command, count=1))]
    return given if "--stack" in given else [given[0], "--stack", "STACK", *given[1:]]


def of_ops(texts: list[str]) -> list[str]:
    return [text for text in texts if OPS.match(text)]


def test_every_kind_of_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    assert set(FILES) == set(alarms())


@pytest.mark.parametrize("runbook", FILES)
def test_a_runbook_begins_with_the_command_that_its_alarm_names(runbook: str) -> None:
    lines = text_of(runbook).splitlines()
    assert lines[0].startswith(f"# {runbook}: "), "who has the alarm's name finds its runbook by it"
    assert lines[2] == "```console", "first the command, then what it means"
    looks = {general(rule) for rule in alarms()[runbook]}
    assert commands(runbook)[0].removeprefix(".venv/bin/") in looks


def general(rule: AlarmRule | CompositeRule) -> str:
    """An alarm's first look, with words for what differs between stacks and between alarms of one kind."""
    look = rule.told.first_look
    about = rule.label.removeprefix(f"{rule.told.runbook}-")
    for stack in STACKS:
        look = look.replace(f"pactum-{stack}", "pactum-STACK").replace(f"--stack {stack}", "--stack STACK")
        look = look.replace(f"Values={stack}", "Values=STACK")
    return look.replace(f"--process {about}", "--process JOB")


@pytest.mark.parametrize("runbook", FILES)
def test_a_runbook_says_cause_remedy_end_and_knob_in_this_order(runbook: str) -> None:
    headings = re.findall(r"^## (.+)$", text_of(runbook), re.MULTILINE)
    assert len(headings) == len(SECTIONS)
    assert all(heading.startswith(section) for heading, section in zip(headings, SECTIONS, strict=True)), headings
    assert len(text_of(runbook).splitlines()) <= 60, "somebody reads it at night"


@pytest.mark.parametrize("runbook", FILES)
def test_a_runbook_says_who_is_told(runbook: str) -> None:
    told = {KINDS[rule.told.severity] for rule in alarms()[runbook] if rule.told.severity in KINDS}
    said = set(re.findall(r"\*\*(page|ticket)\b", text_of(runbook), re.IGNORECASE))
    assert {word.capitalize() for word in said} == told


@pytest.mark.parametrize("runbook", FILES)
def test_commands_of_a_runbook_are_in_ops(runbook: str) -> None:
    found = of_ops(spans(runbook))
    assert found or runbook == "certificate-expiry", "the first thing to look at is ours"
    for command in found:
        parser().parse_args(words(command))


@pytest.mark.parametrize("runbook", FILES)
def test_what_alarms_tell_people_to_run_is_in_ops(runbook: str) -> None:
    for rule in alarms()[runbook]:
        for command in of_ops([rule.told.first_look]):
            parser().parse_args(words(command))


@pytest.mark.parametrize("runbook", FILES)
def test_queries_that_are_named_are_saved(runbook: str) -> None:
    told = [rule.told.first_look for rule in alarms()[runbook]]
    named = {name for text in (*spans(runbook), *told) for name in re.findall(r"\blogs query ([a-z-]+)", text)}
    assert named <= queries()


def test_every_saved_query_that_tells_a_cause_is_in_a_runbook() -> None:
    named = {name for runbook in FILES for name in re.findall(r"logs query ([a-z-]+)", text_of(runbook))}
    # These two answer a question of somebody's, not an alarm.
    assert queries() - named == {"request", "admin-logins"}


@pytest.mark.parametrize("runbook", FILES)
def test_knobs_are_keys_of_the_stack_file(runbook: str) -> None:
    declared = {key.removeprefix("pactum:") for key in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]}
    named = set(re.findall(r"\bpactum:(\w+)", text_of(runbook)))
    # Tags of ours look the same.
    assert named <= declared | {"stack"}
    bare = {span for span in spans(runbook) if re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)+", span)}
    assert bare <= declared | ENTRY_KEYS
    knob = text_of(runbook).partition("## The knob")[2]
    assert "pactum:" in knob or knob.strip().startswith("None"), "what raises it, or that nothing does"


@pytest.mark.parametrize("runbook", FILES)
def test_what_a_runbook_points_to_is_there(runbook: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(runbook)):
        assert (FILES[runbook].parent / target).exists(), target
    for span in spans(runbook):
        if re.fullmatch(r"[\w/]+\.(py|yaml|md)", span):
            assert (ROOT / span).exists(), span
