"""GitLab's file, read strictly."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.pipelines.model import STACKS, Event, Job, Pipeline, UnreadableError, command, holds, only, same

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = ".gitlab-ci.yml"
AUDIENCE = {"AWS_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
PROTECTED, OPEN = "pactum-deploy", "pactum"
"""Tags of runners: what a merge request brings never runs where something is deployed."""
_GLOBAL = {"workflow", "variables", "stages"}
_FORM = {
    "ACTION": {"value": "rollback", "options": ["rollback", "promote"]},
    "STACK": {"value": "staging", "options": list(STACKS)},
    "TO": {"value": ""},
}
_COMPARED = re.compile(r"\$(\w+) (==|!=) (?:\"([\w-]+)\"|\$(\w+))")
_SOURCES = {"pull request": "merge_request_event", "rollback": "web", "promote": "web"}


@cache
def _read(text: str) -> Any:
    """What the file's text says; for nobody to change."""
    return yaml.safe_load(text)


def pipeline(root: Path, event: Event) -> Pipeline:
    """Return what GitLab runs for an event."""
    read = _read((root / FILE).read_text())
    only(read, FILE, must=_GLOBAL, may=read.keys())
    workflow = only(read["workflow"], "workflow", must={"auto_cancel", "rules"})
    same(workflow["auto_cancel"], {"on_new_commit": "interruptible"}, "workflow: what a newer commit ends")
    asked = {
        name: {key: value for key, value in one.items() if key != "description"}
        for name, one in read["variables"].items()
    }
    same(asked, _FORM, "variables: what is asked")
    variables = variables_of(event)
    jobs = {name: _job(name, job, read["stages"], variables) for name, job in read.items() if name not in _GLOBAL}
    if not _matching("workflow", workflow["rules"], variables):
        return ()
    running = {name: job for name, (holds, job) in jobs.items() if holds}
    if missing := {name for job in running.values() for name in job.needs} - running.keys():
        raise UnreadableError(f"{FILE}: for {event}, jobs wait for {sorted(missing)}, which do not run then")
    return tuple(running.values())


def _job(name: str, found: object, stages: list[str], variables: Mapping[str, str]) -> tuple[bool, Job]:
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
    stack = job.get("environment", {}).get("name", "")
    if "environment" in job:
        same(job["environment"], {"name": stack}, f"{name}: environment")
        same(stack in STACKS, True, f"{name}: whether its environment is named like a stack")
    same("DEPLOY" in role, bool(stack), f"{name}: whether what may deploy is bound to a protected environment")
    _runner(name, job, role)
    if "artifacts" in job:
        same(job["artifacts"], {"paths": ["ci/"], "expire_in": "30 days"}, f"{name}: artifacts")
    return bool(_matching(name, rules, variables)), Job(
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
    """What a merge request brings never runs on the protected runners, and what has another role only there."""
    trusted = bool(role) and name != "preview"
    same(job["tags"], [PROTECTED if trusted else OPEN], f"{name}: its runners")
    if trusted:
        same(job["interruptible"], False, f"{name}: what changes AWS is not ended by a newer commit")


def _given(name: str, job: Mapping[str, Any]) -> tuple[str, bool]:
    """The role and whether there is all history."""
    variables = only(job.get("variables", {}), f"{name}: variables", may={"AWS_ROLE_ARN", "GIT_DEPTH"})
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


def _rules(where: str, found: list[object]) -> list[dict[str, Any]]:
    rules = [only(rule, f"{where}: a rule", must={"if"}, may={"when"}) for rule in found]
    read = [{"when": "on_success", **rule} for rule in rules]
    if len(ways := {rule["when"] for rule in read}) != 1 or ways - {"on_success", "manual"}:
        raise UnreadableError(f"{where}: all its rules ask a person, or none does: {sorted(ways)}")
    return read


def _matching(where: str, rules: list[Any], variables: Mapping[str, str]) -> list[Any]:
    return [rule for rule in _rules(where, rules) if holds(where, rule["if"], _COMPARED, variables)]


def variables_of(event: Event) -> dict[str, str]:
    """Return GitLab's variables for an event, as far as a rule may ask for them."""
    merging = event.kind == "pull request"
    by_hand = event.kind in {"rollback", "promote"}
    return {
        "CI_PIPELINE_SOURCE": _SOURCES.get(event.kind, event.kind),
        # A merge request's pipeline has no CI_COMMIT_BRANCH.
        "CI_COMMIT_BRANCH": "" if merging else event.branch,
        "CI_MERGE_REQUEST_PROJECT_PATH": "team/shop" if merging else "",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": ("stranger/shop" if event.fork else "team/shop") if merging else "",
        "ACTION": event.kind if by_hand else "rollback",
        "STACK": event.stack if by_hand else "staging",
    }
