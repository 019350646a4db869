"""GitHub's workflows, read strictly."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.pipelines.model import STACKS, Event, Job, Pipeline, UnreadableError, command, holds, only, same

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKFLOWS = ("deploy.yml", "drift.yml", "pull-request.yml")
APPROVED = "prod"
"""The environment that has required reviewers, which GitHub's settings say and no file (docs/pipelines.md)."""
_EVENT_NAMES = {"pull request": "pull_request", "push": "push", "schedule": "schedule"}
_USES = re.compile(r"([a-z-]+/[a-z-]+)@([0-9a-f]{40})")
_PINNED = re.compile(r"^ +- uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_COMPARED = re.compile(r"([\w.]+) (==|!=) (?:'([\w/\[\]-]*)'|([\w.]+))")
_FORM = {
    "action": {"type": "choice", "options": ["none", "promote", "rollback"], "required": True},
    "stack": {"type": "choice", "options": list(STACKS), "required": True},
    "to": {"type": "string", "required": False},
}
# What each action is given; a value of None: any that the job's other parts are compared by.
_GIVEN: dict[str, dict[str, object]] = {
    "actions/checkout": {"persist-credentials": False, "fetch-depth": 0},
    "actions/setup-python": {"python-version": "3.11"},
    "actions/upload-artifact": {"name": "ci", "path": "ci/", "if-no-files-found": "error", "retention-days": 30},
    "actions/download-artifact": {"name": "ci", "path": "ci/"},
    "aws-actions/configure-aws-credentials": {
        "aws-region": "${{ vars.AWS_REGION }}",
        "role-to-assume": None,
        "role-duration-seconds": None,
    },
    "pulumi/actions": {"pulumi-version": None},
}
_ENVIRONMENT = {
    "POSTGRES_IMAGE": "${{ vars.POSTGRES_IMAGE }}",
    "QA_COMMAND": "${{ vars.QA_COMMAND }}",
    "PULUMI_BACKEND_URL": "${{ vars.PULUMI_BACKEND_URL }}",
    "GITHUB_TOKEN": "${{ github.token }}",
    "PROD_APPROVAL": "${{ vars.PROD_APPROVAL }}",
    "TO": "${{ inputs.to }}",
}
# What each command is given. Where somebody has to be asked, the job sees whether somebody is.
_ASKS = frozenset({"GITHUB_TOKEN", "PROD_APPROVAL"})
_GIVEN_TO: dict[str, frozenset[str]] = {
    "make ci-check": frozenset(),
    "make ci-rehearse": frozenset(),
    "make ci-image": frozenset({"QA_COMMAND", "POSTGRES_IMAGE"}),
    "make ci-preview": frozenset({"PULUMI_BACKEND_URL", "GITHUB_TOKEN"}),
    "make ci-drift": frozenset({"PULUMI_BACKEND_URL", "GITHUB_TOKEN"}),
    "make ci-deploy": frozenset({"PULUMI_BACKEND_URL"}),
    "make ci-verify": frozenset({"PULUMI_BACKEND_URL"}),
    "make ci-promote": frozenset({"PULUMI_BACKEND_URL"}) | _ASKS,
    "make ci-rollback": frozenset({"PULUMI_BACKEND_URL", "TO"}),
}


class Loader(yaml.SafeLoader):
    """YAML 1.2's truth values: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), list("tf"))


@cache
def read(text: str) -> Any:
    """What a workflow's text says; for nobody to change."""
    return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader


def pipeline(root: Path, event: Event) -> Pipeline:
    """Return what GitHub runs for an event, of all workflows."""
    return tuple(job for name in WORKFLOWS for job in _workflow(root / ".github/workflows" / name, event))


def actions(root: Path, job: str) -> dict[str, dict[str, Any]]:
    """The actions of a job with what each is given, whichever workflow it is in."""
    found: dict[str, dict[str, Any]] = {}
    for name in WORKFLOWS:
        jobs = read((root / ".github/workflows" / name).read_text())["jobs"]
        for step in jobs.get(job, {}).get("steps", ()):
            if "uses" in step:
                found[step["uses"].partition("@")[0]] = step.get("with") or {}
    return found


def _workflow(path: Path, event: Event) -> Pipeline:
    text, where = path.read_text(), path.name
    for line in text.splitlines():
        if "uses:" in line and not _PINNED.match(line):
            raise UnreadableError(
                f"{where}: `{line.strip()}`: an action is pinned by its commit, with the version beside it"
            )
    said = only(
        read(text),
        where,
        must={"name", "on", "permissions", "jobs"},
        may={"concurrency"},
    )
    same(said["permissions"], {}, f"{where}: permissions of the workflow")
    if "concurrency" in said:
        _whole_lock(where, said["concurrency"])
    runs = _triggered(where, said["on"], event)
    jobs = {name: _job(f"{where}, {name}", name, job, event) for name, job in said["jobs"].items()}
    running = {name: job for name, (holds, job) in jobs.items() if runs and holds}
    if skipped := {name for job in running.values() for name in job.needs} - running.keys():
        raise UnreadableError(f"{where}: for {event}, jobs wait for {sorted(skipped)}, which do not run then")
    return tuple(running.values())


def _whole_lock(where: str, found: object) -> None:
    """A workflow's own lock: nothing that deploys is ended by a newer run, nor waits for another stack's."""
    allowed = {
        "pull-request.yml": {
            "group": "pull-request-${{ github.event.pull_request.number }}",
            "cancel-in-progress": True,
        },
        "drift.yml": {"group": "drift", "cancel-in-progress": False},
    }
    same(found, allowed.get(where), f"{where}: concurrency of the workflow")


def _triggered(where: str, on: object, event: Event) -> bool:
    found = only(on, f"{where}: on", may={"pull_request", "push", "schedule", "workflow_dispatch"})
    same(found.get("pull_request"), None, f"{where}: on pull_request")
    if "push" in found:
        only(found["push"], f"{where}: on push", must={"branches"})
    if "schedule" in found:
        for one in found["schedule"]:
            only(one, f"{where}: schedule", must={"cron"})
    form = found.get("workflow_dispatch")
    if form:
        inputs = only(form, f"{where}: form", must={"inputs"})["inputs"]
        asked = {
            name: {key: value for key, value in one.items() if key != "description"} for name, one in inputs.items()
        }
        same(asked, _FORM, f"{where}: what is asked")
    if event.by_hand:
        return form is not None
    name = _EVENT_NAMES[event.kind]
    if name not in found:
        return False
    if name == "push":
        return event.branch in found[name]["branches"]
    # GitHub runs schedules on the default branch only.
    return name != "schedule" or event.branch == "main"


def _job(where: str, name: str, found: object, event: Event) -> tuple[bool, Job]:
    job = only(
        found,
        where,
        must={"name", "runs-on", "timeout-minutes", "permissions", "steps"},
        may={"if", "needs", "environment", "concurrency"},
    )
    same(job["name"], name, f"{where}: its name")
    same(job["runs-on"], "ubuntu-24.04", f"{where}: its runner")
    used, commands, given = _steps(where, job["steps"])
    role = used.get("aws-actions/configure-aws-credentials", {}).get("role-to-assume", "")
    if role and not re.fullmatch(r"\$\{\{ vars\.[A-Z_]+ \}\}", role):
        raise UnreadableError(f"{where}: its role is the team's variable, and not {role!r}")
    environment = job.get("environment", "")
    asks = environment == APPROVED and not name.startswith("rollback-")
    for line, names in given.items():
        wanted = _GIVEN_TO.get(" ".join(line.split()[:2]))
        if wanted is None:
            raise UnreadableError(f"{where}: what `{line}` is to be given is not known here")
        same(names, wanted | _ASKS if asks and "ci-deploy" in line else wanted, f"{where}: the variables of `{line}`")
    same("DEPLOY" in role, bool(environment), f"{where}: whether what may deploy is bound to an environment")
    if environment not in {"", *STACKS}:
        raise UnreadableError(f"{where}: an environment is named like a stack: {environment!r}")
    least = {"contents": "read", **({"id-token": "write"} if role else {}), **({"actions": "read"} if asks else {})}
    if name in {"preview", "drift"}:
        least["issues" if name == "drift" else "pull-requests"] = "write"
    same(job["permissions"], least, f"{where}: the least permissions")
    return "if" not in job or holds(where, job["if"], _COMPARED, _context(event)), Job(
        name=name,
        commands=commands,
        needs=frozenset(job.get("needs", ())),
        approval=environment == APPROVED,
        lock=_lock(where, job.get("concurrency")),
        role=re.sub(r"\$\{\{ vars\.|\W", "", role),
        takes="actions/download-artifact" in used,
        keeps="actions/upload-artifact" in used,
        minutes=job["timeout-minutes"],
    )


def _lock(where: str, found: object) -> str:
    if found is None:
        return ""
    lock = only(found, f"{where}: concurrency", must={"group", "cancel-in-progress", "queue"})
    same(lock["cancel-in-progress"], False, f"{where}: a deployment in flight is not ended")
    same(lock["queue"], "max", f"{where}: nor is one that waits thrown away, because another begins to wait")
    return str(lock["group"])


def _steps(
    where: str, steps: list[object]
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...], dict[str, frozenset[str]]]:
    used: dict[str, dict[str, Any]] = {}
    commands: list[str] = []
    given: dict[str, frozenset[str]] = {}
    for found in steps:
        step = only(found, f"{where}: a step", may={"uses", "with", "run", "env"})
        if "run" in step:
            only(step, f"{where}: a command's step", must={"run"}, may={"env"})
            commands.append(command(step["run"], where))
            for name, value in (step.get("env") or {}).items():
                same(value, _ENVIRONMENT.get(name), f"{where}: variable {name}")
            given[commands[-1]] = frozenset(step.get("env") or {})
        else:
            pinned = _USES.fullmatch(only(step, f"{where}: a step", must={"uses"}, may={"with"})["uses"])
            if not pinned or pinned[1] not in _GIVEN:
                raise UnreadableError(f"{where}: {step['uses']} is no action that is known here")
            used[pinned[1]] = _given(f"{where}, {pinned[1]}", pinned[1], step.get("with") or {})
    same("actions/checkout" in used, True, f"{where}: a checkout")
    return used, tuple(commands), given


def _given(where: str, action: str, found: Mapping[str, Any]) -> dict[str, Any]:
    known = _GIVEN[action]
    given = only(found, where, must=known.keys() - {"fetch-depth"}, may=known.keys())
    for name, value in given.items():
        if known[name] is not None:
            same(value, known[name], f"{where}: {name}")
    return given


def _context(event: Event) -> dict[str, str]:
    return {
        "github.event_name": "workflow_dispatch" if event.by_hand else _EVENT_NAMES[event.kind],
        "github.ref": "refs/pull/7/merge" if event.kind == "pull request" else f"refs/heads/{event.branch}",
        "github.repository": "team/shop",
        "github.event.pull_request.head.repo.full_name": "stranger/shop" if event.fork else "team/shop",
        "github.event.pull_request.user.login": "dependabot[bot]" if event.dependabot else "ana",
        "vars.PREVIEW_ROLE_ARN": "" if event.fork else "arn:aws:iam::123456789012:role/preview",
        "inputs.action": event.kind if event.by_hand else "",
        "inputs.stack": event.stack if event.by_hand else "",
    }
