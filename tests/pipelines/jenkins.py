"""The Jenkinsfile, read strictly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.pipelines.groovy import Call, Text, Value, Word, parse
from tests.pipelines.model import STACKS, Event, Job, Pipeline, UnreadableError, command, same

if TYPE_CHECKING:
    from pathlib import Path

FILE = "Jenkinsfile"
PROTECTED, OPEN = "pactum-deploy", "pactum"
"""Labels of agents: what a pull request brings never runs where something is deployed."""
_CHECKS = f"env.CHANGE_ID == null ? '{PROTECTED}' : '{OPEN}'"
"""Checks are of both: what was pushed to a branch that deploys is checked where no pull request ever ran."""
APPROVAL = "approve-prod"
_AROUND = """
agent none
options { timestamps()
 disableRestartFromStage()
 buildDiscarder(logRotator(numToKeepStr: '100')) }
triggers { cron(env.BRANCH_NAME == 'main' ? 'H 3 * * *' : '') }
"""
_ASKING = """timeout(time: 3, unit: 'DAYS') {
 input message: 'Change production?', ok: 'Yes', submitter: 'pactum-approvers'
}"""
_PARAMETERS = {"ACTION": ("push", "rollback", "promote"), "STACK": STACKS, "TO": ""}
_EVENTS = {"schedule": "schedule", "rollback": "manual", "promote": "manual"}


def pipeline(root: Path, event: Event) -> Pipeline:
    """Return what Jenkins runs for an event."""
    (whole,) = parse((root / FILE).read_text())
    parts = _blocks(whole, "pipeline", {"agent", "options", "parameters", "triggers", "stages"})
    for expected in parse(_AROUND):
        same(parts[expected.name], expected, f"{FILE}: {expected.name}")
    _parameters(parts["parameters"])
    return _stages(_body(parts["stages"]), event)


def _stages(stages: tuple[Call, ...], event: Event) -> Pipeline:
    """Stages one after the other: each waits for those that ran before it."""
    jobs: list[Job] = []
    before: frozenset[str] = frozenset()
    approved = False
    for found in stages:
        name = _name(found)
        inner = {call.name: call for call in _body(found)}
        if inner.keys() == {"parallel"}:
            side = [job for one in _body(inner["parallel"]) for job in _job(one, event, before, approved=False)]
        elif name == APPROVAL:
            approved = _asks(found, event)
            continue
        else:
            side = list(_job(found, event, before, approved=approved))
            approved = approved and not side
        jobs += side
        before = frozenset(job.name for job in side) or before
    if approved:
        raise UnreadableError(f"{FILE}: for {event}, somebody is asked, and then nothing is done")
    return tuple(jobs)


def _asks(found: Call, event: Event) -> bool:
    """A stage without an agent: while it waits, nothing is held."""
    parts = _blocks(found, "stage", {"when", "steps"})
    same(_body(parts["steps"]), parse(_ASKING), f"{FILE}: {APPROVAL}")
    return _when(parts["when"], event, set())


def _job(found: Call, event: Event, before: frozenset[str], *, approved: bool) -> Pipeline:
    name = _name(found)
    parts = _blocks(found, "stage", {"when", "agent", "steps"}, frozenset({"options", "environment"}))
    given = _environment(name, parts.get("environment"))
    role = given.pop("AWS_ROLE_ARN", "")
    same("AWS_WEB_IDENTITY_TOKEN_FILE" in given, bool(role), f"{FILE}, {name}: a token where there is a role")
    same("GITHUB_TOKEN" in given, name in {"preview", "drift"}, f"{FILE}, {name}: who may write to people")
    lock = _lock(name, parts.get("options"))
    trusted = bool(role) and name != "preview"
    label = _CHECKS if name == "check" else f"'{PROTECTED if trusted else OPEN}'"
    (agent,) = parse(f"agent {{ label {label} }}")
    same(parts["agent"], agent, f"{FILE}, {name}: its agents")
    # An agent, or a lock, would be taken to find that there is nothing to do.
    first = {"beforeAgent", "beforeOptions"} if lock else {"beforeAgent"}
    holds = _when(parts["when"], event, first)
    if holds and role:
        same(
            given.get("PIPELINE_EVENT", ""), _EVENTS.get(event.kind, ""), f"{FILE}, {name}: PIPELINE_EVENT for {event}"
        )
    commands, minutes, takes, keeps = _steps(name, _body(parts["steps"]))
    job = Job(
        name=name,
        commands=commands,
        needs=before,
        approval=approved,
        lock=lock,
        role=role,
        takes=takes,
        keeps=keeps,
        minutes=minutes,
    )
    return (job,) if holds else ()


def _steps(name: str, steps: tuple[Call, ...]) -> tuple[tuple[str, ...], int, bool, bool]:
    first, last = (
        parse("unstash 'ci'"),
        parse("stash name: 'ci', includes: 'ci/**'\narchiveArtifacts artifacts: 'ci/**'"),
    )
    takes, keeps = steps[:1] == first, steps[-2:] == last
    rest = steps[1 if takes else 0 : -2 if keeps else None]
    if len(rest) != 1 or rest[0].name != "timeout" or rest[0].values:
        raise UnreadableError(
            f"{FILE}, {name}: its commands stand in one timeout, and beside it only files come and go"
        )
    named = dict(rest[0].named)
    minutes = named.get("time")
    same(named, {"time": minutes, "unit": Text("MINUTES", filled=False)}, f"{FILE}, {name}: timeout")
    commands = []
    for call in _body(rest[0]):
        if call.name != "sh" or call.named or call.body or len(call.values) != 1:
            raise UnreadableError(f"{FILE}, {name}: `{call.name}` is not understood here")
        commands.append(command(_text(call.values[0]), f"{FILE}, {name}"))
    assert isinstance(minutes, int)
    return tuple(commands), minutes, takes, keeps


def _environment(name: str, found: Call | None) -> dict[str, str]:
    given: dict[str, str] = {}
    for call in _body(found) if found else ():
        variable, (value,) = call.name.removesuffix("="), call.values
        if variable == "AWS_ROLE_ARN" and isinstance(value, Text):
            role = re.fullmatch(r"\$\{env\.([A-Z_]+)\}", value.value)
            same(bool(role) and value.filled, True, f"{FILE}, {name}: whether its role is the team's variable")
            given[variable] = role[1] if role else ""
        elif variable == "PIPELINE_EVENT":
            given[variable] = _text(value)
        else:
            kept = {"AWS_WEB_IDENTITY_TOKEN_FILE": "aws-oidc", "GITHUB_TOKEN": "github-token"}.get(variable)
            same(value, parse(f"credentials('{kept}')")[0], f"{FILE}, {name}: variable {variable}")
            given[variable] = str(kept)
    return given


def _lock(name: str, found: Call | None) -> str:
    if found is None:
        return ""
    (call,) = _body(found)
    named = dict(call.named)
    same(call.name, "lock", f"{FILE}, {name}: its options")
    same(named.pop("inversePrecedence", None), Word("true"), f"{FILE}, {name}: the newest goes first")
    same(set(named), {"resource"}, f"{FILE}, {name}: its lock")
    return _text(named["resource"])


def _when(found: Call, event: Event, first: set[str]) -> bool:
    conditions = list(_body(found))
    said = {call.name for call in conditions if call.name.startswith("before")}
    same(said, first, f"{FILE}: when it is decided")
    (condition,) = [call for call in conditions if not call.name.startswith("before")]
    return _holds(condition, event)


def _holds(call: Call, event: Event) -> bool:
    if call.body is not None:
        inner = [_holds(one, event) for one in call.body]
        if call.name == "not" and len(inner) == 1:
            return not inner[0]
        if call.name in {"anyOf", "allOf"}:
            return any(inner) if call.name == "anyOf" else all(inner)
    change = event.kind == "pull request"
    # A build of a pull request has its parameters' defaults, and its own name for a branch.
    params = {
        "params.ACTION": event.kind if event.kind in {"rollback", "promote"} else "push",
        "params.STACK": event.stack,
    }
    known = {
        **{f"branch '{name}'": not change and event.branch == name for name in ("develop", "main")},
        "changeRequest()": change,
        "changeRequest fork: '.+', comparator: 'REGEXP'": change and event.fork,
        "changeRequest author: 'dependabot[bot]'": change and event.dependabot,
        "triggeredBy 'TimerTrigger'": event.kind == "schedule",
        **{
            f"equals expected: '{value}', actual: {name}": params[name] == value
            for name, values in (("params.ACTION", _PARAMETERS["ACTION"]), ("params.STACK", STACKS))
            for value in values
        },
    }
    for text, held in known.items():
        if parse(text) == (call,):
            return held
    raise UnreadableError(f"{FILE}: the condition {call} is not understood here")


def _parameters(found: Call) -> None:
    asked: dict[str, object] = {}
    for call in _body(found):
        named = dict(call.named)
        value = named["choices"] if call.name == "choice" else named["defaultValue"]
        asked[_text(named["name"])] = tuple(map(_text, value)) if isinstance(value, tuple) else _text(value)
        same(set(named), {"name", "description", "choices" if call.name == "choice" else "defaultValue"}, FILE)
    same(asked, _PARAMETERS, f"{FILE}: what is asked")


def _blocks(found: Call, name: str, must: set[str], may: frozenset[str] = frozenset()) -> dict[str, Call]:
    same(found.name, name, FILE)
    parts = {call.name: call for call in _body(found)}
    if parts.keys() - may != must or len(parts) != len(_body(found)):
        raise UnreadableError(
            f"{FILE}: `{name}` has {[call.name for call in _body(found)]}, and should have {sorted(must)}"
        )
    return parts


def _body(found: Call) -> tuple[Call, ...]:
    if found.body is None:
        raise UnreadableError(f"{FILE}: `{found.name}` has no block")
    return found.body


def _name(found: Call) -> str:
    same(found.name, "stage", FILE)
    (value,) = found.values
    return _text(value)


def _text(value: Value) -> str:
    if not isinstance(value, Text) or value.filled:
        raise UnreadableError(f"{FILE}: a plain text is expected, and not {value}")
    return value.value
