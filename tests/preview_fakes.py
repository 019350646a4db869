"""What a preview calls, as programs: `pulumi` that tells what it is given, docker, and the migrations' trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.pipeline_fakes import OLD

if TYPE_CHECKING:
    from tests.pipeline_fakes import Project

# FAKE_EVENTS, FAKE_TEXT and FAKE_CODE are a preview's; _STACK at their end makes them one stack's only.
_PULUMI = """#!/usr/bin/env bash
echo "pulumi $*" >>"$FAKE_LOG"
if [ "$1" = stack ]; then echo "${FAKE_OUTPUTS:-{\\}}"; exit; fi
stack=$3; pwd >>"$FAKE_LOG"; cat change >>"$FAKE_LOG"
of() { local name="$1_$stack"; echo "${!name-${!1-}}"; }
while [ $# -gt 0 ]; do
  if [ "$1" = --event-log ] && [ -n "$(of FAKE_EVENTS)" ]; then of FAKE_EVENTS >"$2"; fi
  shift
done
[ "${PULUMI_DEBUG_COMMANDS:-}" = true ] || { echo "error: unknown flag: --event-log"; exit 255; }
of FAKE_TEXT
exit "$(of FAKE_CODE | grep . || echo 0)"
"""
_TRIAL = """
import json, os, pathlib, sys
log = pathlib.Path(os.environ["FAKE_LOG"])
log.write_text(log.read_text() + "rehearsal " + " ".join(sys.argv[1:]) + "\\n")
if os.environ.get("FAKE_TRIAL"):
    sys.exit(os.environ["FAKE_TRIAL"])
plan = os.environ.get("FAKE_PLAN") or '{"migration_plan": [], "looked": true}'
pathlib.Path(sys.argv[sys.argv.index("--output") + 1]).write_text(plan)
"""
URN = "urn:pulumi:staging::pactum::{type}::{name}"


def prepare(project: Project) -> None:
    """Put them into a project and on its PATH."""
    project.program("pulumi", _PULUMI)
    docker = project.program(
        "docker", '#!/bin/sh\n[ "$1" = login ] && cat >/dev/null\necho "docker $*" >>"$FAKE_LOG"\n'
    )
    project.write("app_image/build", f"#!/bin/sh\necho {docker}\n")
    (project.root / "app_image/build").chmod(0o755)
    project.write("rehearsal/__init__.py", "")
    project.write("rehearsal/__main__.py", _TRIAL)
    project.log.write_text("")
    project.environment["FAKE_OUTPUTS"] = json.dumps({"release": OLD})


def pull_request(project: Project, **changes: str) -> dict[str, str]:
    """Return the environment of GitHub's job for pull request 7 of the repository itself."""
    fork = changes.pop("FORK", "")
    head = {"ref": "`@all`$(touch x)", "sha": "d0" * 20, "repo": {"full_name": fork or "o/n"}}
    event = project.root.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": head}}))
    about = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "o/n"}
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "5", "GITHUB_TOKEN": "ghs_the-jobs-own-token"}
    summary = {"GITHUB_STEP_SUMMARY": str(project.root.parent / "summary.md")}
    return project.push(**{**about, **run, **summary, **changes})


def step(operation: str, type_: str, name: str, **more: Any) -> dict[str, Any]:
    """One change, as the engine tells it."""
    urn = URN.format(type=type_, name=name)
    return {"resourcePreEvent": {"metadata": {"op": operation, "urn": urn, "type": type_, **more}}}


def events(*told: dict[str, Any], rules: tuple[str, ...] = ("G01", "G02")) -> str:
    """Write a file of events."""
    looked = {"policyAnalyzeSummaryEvent": {"passed": list(rules)}}
    return "\n".join(json.dumps(each) for each in (looked, *told))
