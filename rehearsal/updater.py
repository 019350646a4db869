"""Runs the programs of one stack against an emulator that runs already; what they made is kept on disk.

So the process that started the emulator and another one, attached to it, can update the same stack in turn.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rehearsal import application, configuration, program
from rehearsal.configuration import Configuration
from rehearsal.docker_client import DockerClient
from rehearsal.engine import Engine, Finder
from rehearsal.errors import RehearsalError
from rehearsal.place import REGION, Place
from rehearsal.progress import Progress
from rehearsal.realisers.tables import realiser_of
from rehearsal.realisers.tools import Tools
from rehearsal.report import Report
from rehearsal.smoke import Live
from rehearsal.state import State, Tally

BOOTSTRAP = Path("stacks/bootstrap")
BOOTSTRAP_STACK = "account"
PREVIEW_SECONDS = 120
# What an update may take beyond the program's own deployment timeout, which its migration and its verdict each have.
UPDATE_MARGIN_SECONDS = 900
# A connection breaks a moment before the process is gone.
EMULATOR_END_SECONDS = 1.0


@dataclass(kw_only=True)
class Updater:
    """Updates of one stack. `overrides` are configuration values (full keys) above the stack file's in every update.

    `config_file` is the stack file, where that is not Pulumi.STACK.yaml.
    """

    stack: str
    place: Place = field(default_factory=Place)
    progress: Progress = field(default_factory=Progress)
    overrides: dict[str, str] = field(default_factory=dict)
    config_file: Path | None = None
    find: Finder = realiser_of
    live: Live | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    planned_outputs: Mapping[str, Any] = field(default_factory=dict)
    project: str = field(init=False)
    _account: dict[str, str] = field(default_factory=dict)
    _engine: Engine | None = None
    _tools: Tools | None = None

    def __post_init__(self) -> None:
        self.report = Report(stack=self.stack)
        # A wrong stack file is told before anything is installed or started.
        loaded = self._configuration(None)
        self.project, values = loaded.project, loaded.values
        self.application = application.read(self.place.root, values)
        # The emulator plays the stack's own account. A value of another form is the program's to refuse.
        account = re.search(r"\d{12}", values.get("aws:allowedAccountIds", ""))
        if account:
            self.place = replace(self.place, account_id=account[0])
        self._account = {key: values[key] for key in ("aws:region", "aws:allowedAccountIds") if key in values}

    @property
    def tools(self) -> Tools:
        """Clients of the emulator, docker and paths of this rehearsal."""
        if self._tools is None:
            raise RehearsalError("The rehearsal has not been started.")
        return self._tools

    @property
    def region(self) -> str:
        return self._account.get("aws:region", REGION)

    def equip(self, docker: DockerClient) -> None:
        """Make the tools: from now on updates are possible."""
        self._tools = Tools(
            place=self.place,
            docker=docker,
            directory=self.place.root,
            region=self.region,
            command_timeout_seconds=UPDATE_MARGIN_SECONDS,
            notify=self.progress.doing,
        )

    def bootstrap(self) -> Mapping[str, Any]:
        """Run the account's bootstrap program: the image repository."""
        with self.progress.phase("bootstrap (image repository)"):
            loaded = configuration.load(self.place.root / BOOTSTRAP, BOOTSTRAP_STACK, self._account)
            outputs, _ = self._run(loaded, preview=False)
            return outputs

    def preview(self, overrides: Mapping[str, str] | None = None) -> int:
        """Run the program as `pulumi preview` does, with unknown outputs; answers the number of resources."""
        with self.progress.phase("preview"):
            self._run(self._configuration(overrides), preview=True)
            return len(self._engine.seen) if self._engine else 0

    def plan(self, overrides: Mapping[str, str] | None = None) -> Tally:
        """What an update would do now, as a preview shows it: the tally that it would come to, and its outputs."""
        self.planned_outputs, tally = self._run(self._configuration(overrides), preview=True)
        return tally

    def up(self, overrides: Mapping[str, str] | None = None, *, phase: str = "up") -> Tally:
        """Run the program for real, or once more as an update. RehearsalError names the resource that failed."""
        loaded = self._configuration(overrides)
        with self.progress.phase(phase):
            outputs, tally = self._run(loaded, preview=False)
        # Whole or not at all: another process reads it, whenever this one is killed.
        new = self._outputs_file.with_suffix(".new")
        new.write_text(json.dumps(dict(outputs), indent=1), encoding="utf-8")
        new.replace(self._outputs_file)
        self.take_outputs()
        return tally

    def take_outputs(self) -> None:
        """Take what the last update that ended well has exported, whichever process ran it."""
        try:
            self.outputs = json.loads(self._outputs_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.outputs, self.live = {}, None
            return
        self.live = Live.from_outputs(self.stack, self.outputs, self.application)
        self.report.url, self.report.digest = self.place.front_url, self.live.release

    @property
    def _outputs_file(self) -> Path:
        return self.place.scratch / f"outputs-{self.stack}.json"

    def _configuration(self, overrides: Mapping[str, str] | None) -> Configuration:
        above = {**self.overrides, **(overrides or {})}
        return configuration.load(self.place.root, self.stack, above, config_file=self.config_file)

    def _run(self, loaded: Configuration, *, preview: bool) -> tuple[Mapping[str, Any], Tally]:
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        state = State.at(self.place.scratch / f"state-{loaded.project}-{loaded.stack}.json")
        tools = self.tools
        tools.directory = loaded.program
        timeout = float(loaded.values.get("pactum:deploymentTimeoutSeconds", "0"))
        tools.command_timeout_seconds = timeout + UPDATE_MARGIN_SECONDS
        tags = json.loads(loaded.values.get("aws:defaultTags", "{}")).get("tags", {})
        engine = Engine(tools=tools, state=state, preview=preview, find=self.find, default_tags=tags)
        self._engine = engine
        bound = PREVIEW_SECONDS if preview else 2 * timeout + UPDATE_MARGIN_SECONDS
        try:
            outputs = program.run(loaded, engine, timeout_seconds=bound, watch=self._watch)
        except RehearsalError:
            self._watch(wait_seconds=EMULATOR_END_SECONDS)
            raise
        finally:
            self._take_notes(loaded, engine)
        if preview:
            going = [gone for urn, gone in state.resources.items() if urn not in engine.seen]
            engine.tally.deleted.update(gone.type for gone in going)
            engine.tally.going += [f"{gone.type} {gone.name}" for gone in going]
        return outputs, engine.tally

    def _watch(self, *, wait_seconds: float = 0) -> None:
        """EmulatorEndedError when the emulator has ended, or ends within `wait_seconds`."""
        raise NotImplementedError

    def _take_notes(self, loaded: Configuration, engine: Engine) -> None:
        scratch = self.place.scratch
        values = json.dumps(dict(loaded.values))
        (scratch / f"config-{loaded.project}-{loaded.stack}.json").write_text(values, encoding="utf-8")
        self.report.operator_values |= self.tools.operator_values
        self.report.declared |= engine.declared
        self.report.not_rehearsed |= engine.not_rehearsed
        totals: dict[str, int] = {}
        for path in scratch.glob("state-*.json"):
            for type_, count in State.at(path).by_type().items():
                totals[type_] = totals.get(type_, 0) + count
        self.report.resources = dict(sorted(totals.items()))
