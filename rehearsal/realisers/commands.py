"""Commands of the program: they really run, as the command provider runs them, with the emulator in place of AWS."""

import re
import shlex
import subprocess
from pathlib import Path

from rehearsal import children
from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

SHELL = ("/bin/sh", "-c")
# A command's message begins with what went wrong and ends with the container's last log lines: neither may be cut off.
SHOWN_LINES = 100
_SETTINGS = frozenset({"environment", "dir", "stdin", "interpreter"})
_INPUTS = frozenset({"create", "update", "delete", "triggers"}) | _SETTINGS
_LOGGING = "where the CLI shows output while it runs; the rehearsal shows it when a command fails"


def execute(tools: Tools, script: str, settings: Properties, additions: Properties | None = None) -> Properties:
    """Run a script to its end. RehearsalError with what it wrote when it fails or takes too long."""
    directory = tools.directory / Path(settings.get("dir") or ".")
    command = [*(settings.get("interpreter") or SHELL), script]
    tools.notify(_short(script))
    try:
        done = children.run(
            command,
            environment=tools.command_environment({**(settings.get("environment") or {}), **(additions or {})}),
            directory=directory,
            stdin=settings.get("stdin"),
            timeout_seconds=tools.command_timeout_seconds,
        )
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"`{_short(script)}` did not end within {tools.command_timeout_seconds:.0f} s") from None
    if done.returncode:
        said = last_lines(done.stderr or done.stdout, SHOWN_LINES) or "    (it wrote nothing)"
        raise RehearsalError(f"`{_short(script)}` ended with exit code {done.returncode}:\n{said}")
    return {"stdout": done.stdout.rstrip("\n"), "stderr": done.stderr.rstrip("\n")}


def _short(script: str) -> str:
    """`.venv/bin/python -m ops verify --stack ...` as a person would say it: `ops verify`; of a pipe, its head."""
    words = shlex.split(script)
    return " ".join(words[2:4]) if words[1:3] == ["-m", "ops"] else re.split("[|;\n]", script)[0].strip()[:80]


def _create(tools: Tools, _: str, inputs: Properties) -> Made:
    outputs = execute(tools, inputs["create"], inputs) if inputs.get("create") else {"stdout": "", "stderr": ""}
    return Made(id="command", outputs=outputs)


def _update(tools: Tools, before: Deployed, inputs: Properties) -> Made:
    """A changed trigger replaces the command: `create` runs. Another change runs `update`, or `create` without one."""
    if before.inputs.get("triggers") != inputs.get("triggers"):
        _delete(tools, before)
        return _create(tools, "", inputs)
    script = inputs.get("update") or inputs.get("create")
    return Made(id=before.id, outputs=execute(tools, script, inputs, _previous(before)) if script else {})


def _delete(tools: Tools, gone: Deployed) -> None:
    if gone.inputs.get("delete"):
        execute(tools, gone.inputs["delete"], gone.inputs, _previous(gone))


def _previous(before: Deployed) -> Properties:
    return {f"PULUMI_COMMAND_{name.upper()}": before.outputs.get(name, "") for name in ("stdout", "stderr")}


COMMANDS: dict[str, Realiser] = {
    "command:local:Command": Realiser(
        create=_create,
        update=_update,
        delete=_delete,
        properties=_INPUTS,
        updatable=_INPUTS,
        removable=_INPUTS,
        not_rehearsed={
            "logging": _LOGGING,
            "addPreviousOutputInEnv": "the rehearsal always adds it, as the default does",
        },
    ),
}
RUN = "command:local:run"


def run(tools: Tools, arguments: Properties) -> Properties:
    """The invoke `command:local:run`: a command that runs at every update."""
    unknown = sorted(arguments.keys() - _SETTINGS - {"command", "logging"})
    if unknown:
        raise RehearsalError(f"the rehearsal does not know the argument {', '.join(unknown)} of {RUN}")
    return {**arguments, **execute(tools, arguments["command"], arguments)}
