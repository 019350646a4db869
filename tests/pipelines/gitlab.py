"""GitLab's file, read strictly."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.pipelines.model import STACKS, Event, Job, Pipeline, UnreadableError, command, holds, only, same

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE = ".gitlab-ci.yml"
AUDIENCE = {"AWS_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
PROTECTED, OPEN = "pactum-deploy", "pactum"
"""Tags of runners: what a merge request brings never runs where something is deployed."""
REPORT = {"name": "report", "action": "access"}
"""The environment of jobs that tell people something: the token for that is a variable of its scope."""
_GLOBAL = {"workflow", "stages"}
# The first thing asked does nothing: who only looks at the form and starts it has changed nothing.
_FORM = {
    "action": {"options": ["none", "promote", "rollback"], "default": "none"},
    "stack": {"options": list(STACKS), "default": "staging"},
    "to": {"regex": "^((sha256:)?[0-9a-f]{7,64})?$", "default": ""},
}
# GitLab puts an input's text into the file before it reads it as YAML.
_INPUT = re.compile(r".?\$\[\[.*?\]\].?")
_QUOTED = re.compile(r'"\$\[\[ inputs\.(action|stack|to) \]\]"')
_COMPARED = re.compile(r"(\$\w+|\"\$\[\[ inputs\.[a-z]+ \]\]\") (==|!=) (?:\"([\w-]+)\"|(\$\w+))")
_SOURCES = {"pull request": "merge_request_event", "rollback": "web", "promote": "web", "none": "web"}
_RUNNERS = {"pull request": OPEN, "push": PROTECTED}


@cache
def _read(text: str) -> Any:
    """What the file says after its form; for nobody to change."""
    form, body = yaml.safe_load_all(text)
    inputs = only(only(form, "the form", must={"spec"})["spec"], "the form", must={"inputs"})["inputs"]
    asked = {name: {key: value for key, value in one.items() if key != "description"} for name, one in inputs.items()}
    same(asked, _FORM, "the form: what is asked")
    for found in _INPUT.findall(text):
        if not _QUOTED.fullmatch(found):
            raise UnreadableError(f"{FILE}: what a person chose stands between quotes, and not as {found}")
    return body


def pipeline(root: Path, event: Event) -> Pipeline:
    """Return what GitLab runs for an event."""
    read = _read((root / FILE).read_text())
    only(read, FILE, must=_GLOBAL, may=read.keys())
    workflow = only(read["workflow"], "workflow", must={"auto_cancel", "rules"})
    same(workflow["auto_cancel"], {"on_new_commit": "interruptible"}, "workflow: what a newer commit ends")
    known = {
        **{f"${name}": value for name, value in variables_of(event).items()},
        **{f'"$[[ inputs.{name} ]]"': value for name, value in inputs_of(event).items()},
    }
    jobs = {name: _job(name, job, read["stages"], known) for name, job in read.items() if name not in _GLOBAL}
    begun = _matching("workflow", workflow["rules"], known, {"if", "variables"})
    if not begun:
        return ()
    wanted = {"RUNNER": _RUNNERS[event.kind]} if event.kind in _RUNNERS else None
    same(begun[0].get("variables"), wanted, f"workflow: the machine of checks for {event}")
    running = {name: job for name, (holds, job) in jobs.items() if holds}
    if missing := {name for job in running.values() for name in job.needs} - running.keys():
        raise UnreadableError(f"{FILE}: for {event}, jobs wait for {sorted(missing)}, which do not run then")
    return tuple(running.values())


def _job(name: str, found: object, stages: list[str], known: Mapping[str, str]) -> tuple[bool, Job]:
    job = only(
        found,
        name,
        must={"stage", "rules", "needs", "tags", "interruptible", "timeout", "script"},
        may={"environment", "resource_group", "id_tokens", "variables", "artifacts"},
    )
    same(job["stage"] in stages, True, f"{name}: whether its stage is there")
    role, whole = _given(name, job)
    same(whole, name in {"preview", "drift"} or bool(role and "DEPLOY" in role), f"{name}: whether it has all history")
    needs = [only(need, f"{name}: needs", must={"job", "artifacts"}) for need in job["needs"]]
    rules = _rules(name, job["rules"])
    manual = {rule["when"] for rule in rules} == {"manual"}
    tells = name in {"preview", "drift"}
    same(job.get("environment") == REPORT, tells, f"{name}: whether it has the token that tells people something")
    stack = "" if tells else job.get("environment", {}).get("name", "")
    if "environment" in job and not tells:
        same(job["environment"], {"name": stack}, f"{name}: environment")
        same(stack in STACKS, True, f"{name}: whether its environment is named like a stack")
    same("DEPLOY" in role, bool(stack), f"{name}: whether what may deploy is bound to a protected environment")
    _runner(name, job, role)
    if "artifacts" in job:
        same(job["artifacts"], {"paths": ["ci/"], "expire_in": "30 days"}, f"{name}: artifacts")
    return bool(_matching(name, rules, known)), Job(
        name=name,
        commands=tuple(command(line, name) for line in job["script"]),
        needs=frozenset(need["job"] for need in needs),
        approval=manual,
        lock=job.get("resource_group", ""),
        role=role,
        takes=any(need["artifacts"] for need in needs),
        keeps="artifacts" in job,
        minutes=_minutes(name, job["timeout"]),
    )


def _runner(name: str, job: Mapping[str, Any], role: str) -> None:
    """What a merge request brings never runs on the protected runners, and what has another role only there.

    Checks are of both: which, the workflow says for each event.
    """
    trusted = bool(role) and name != "preview"
    same(job["tags"], ["$RUNNER" if name == "check" else PROTECTED if trusted else OPEN], f"{name}: its runners")
    if trusted:
        same(job["interruptible"], False, f"{name}: what changes AWS is not ended by a newer commit")


def _given(name: str, job: Mapping[str, Any]) -> tuple[str, bool]:
    """The role and whether there is all history."""
    variables = only(job.get("variables", {}), f"{name}: variables", may={"AWS_ROLE_ARN", "GIT_DEPTH", "TO"})
    to = "$[[ inputs.to ]]" if name.startswith("rollback-") else None
    same(variables.get("TO"), to, f"{name}: where to, as a person said")
    same(variables.get("GIT_DEPTH", "0"), "0", f"{name}: GIT_DEPTH")
    role = variables.get("AWS_ROLE_ARN", "")
    if role and not re.fullmatch(r"\$[A-Z_]+", role):
        raise UnreadableError(f"{name}: its role is the team's variable, and not {role!r}")
    same(job.get("id_tokens"), AUDIENCE if role else None, f"{name}: id_tokens")
    return role.removeprefix("$"), "GIT_DEPTH" in variables


def _minutes(name: str, timeout: object) -> int:
    found = re.fullmatch(r"(\d+) minutes", str(timeout))
    if not found:
        raise UnreadableError(f"{name}: its timeout is said in minutes, and not {timeout!r}")
    return int(found[1])


def _rules(where: str, found: list[object], may: Collection[str] = ("if", "when")) -> list[dict[str, Any]]:
    rules = [only(rule, f"{where}: a rule", must={"if"}, may=may) for rule in found]
    read = [{"when": "on_success", **rule} for rule in rules]
    if len(ways := {rule["when"] for rule in read}) != 1 or ways - {"on_success", "manual"}:
        raise UnreadableError(f"{where}: all its rules ask a person, or none does: {sorted(ways)}")
    return read


def _matching(
    where: str, rules: list[Any], known: Mapping[str, str], may: Collection[str] = ("if", "when")
) -> list[Any]:
    return [rule for rule in _rules(where, rules, may) if holds(where, rule["if"], _COMPARED, known)]


def inputs_of(event: Event) -> dict[str, str]:
    """Return what a person chose in the form of "New pipeline"; what it begins with, for every other event."""
    return {"action": event.kind if event.by_hand else "none", "stack": event.stack if event.by_hand else "staging"}


def variables_of(event: Event) -> dict[str, str]:
    """Return GitLab's variables for an event, as far as a rule may ask for them."""
    merging = event.kind == "pull request"
    return {
        "CI_PIPELINE_SOURCE": _SOURCES.get(event.kind, event.kind),
        # A merge request's pipeline has no CI_COMMIT_BRANCH.
        "CI_COMMIT_BRANCH": "" if merging else event.branch,
        "CI_MERGE_REQUEST_PROJECT_PATH": "team/shop" if merging else "",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": ("stranger/shop" if event.fork else "team/shop") if merging else "",
    }
