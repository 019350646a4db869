"""One rehearsal from its first check to its last removal: used by the command line, by tests and by drills."""

import json
import platform
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rehearsal import (
    base_images,
    children,
    cleanup,
    configuration,
    docker_engine,
    emulator_process,
    program,
    secrets_search,
    smoke,
    virtualenv,
)
from rehearsal.configuration import Configuration
from rehearsal.docker_client import DockerClient
from rehearsal.emulator_process import Emulator, EmulatorEndedError
from rehearsal.engine import Engine
from rehearsal.errors import InterruptionError, RehearsalError
from rehearsal.place import REGION, Place
from rehearsal.progress import Progress
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
ARM_MACHINES = frozenset({"aarch64", "arm64"})


@dataclass(kw_only=True)
class Rehearsal:
    """A stack deployed to this machine: entering prepares it and starts the emulator, leaving removes everything.

    `overrides` are configuration values (full keys) that stand above the stack file's in every update.
    """

    stack: str
    place: Place = field(default_factory=Place)
    progress: Progress = field(default_factory=Progress)
    overrides: dict[str, str] = field(default_factory=dict)
    live: Live | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)
    _account: dict[str, str] = field(default_factory=dict)
    _engine: Engine | None = None
    _tools: Tools | None = None
    _emulator: Emulator | None = None
    _exit: ExitStack = field(default_factory=ExitStack)
    _closed: bool = False

    def __post_init__(self) -> None:
        self.report = Report(stack=self.stack)
        # A wrong stack file is told before anything is installed or started.
        values = configuration.load(self.place.root, self.stack, self.overrides).values
        # The emulator plays the stack's own account. A value of another form is the program's to refuse.
        account = re.search(r"\d{12}", values.get("aws:allowedAccountIds", ""))
        if account:
            self.place = replace(self.place, account_id=account[0])
        self._account = {key: values[key] for key in ("aws:region", "aws:allowedAccountIds") if key in values}

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException as error:
            self._close_after(error)
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._close_after(error)

    def _close_after(self, error: BaseException) -> None:
        """Close; what went wrong first is told first, with the emulator's end as its cause if it has ended."""
        interrupted = isinstance(error, (KeyboardInterrupt, InterruptionError))
        cause = error
        if not interrupted and not isinstance(error, EmulatorEndedError):
            try:
                self._watch(wait_seconds=EMULATOR_END_SECONDS)
            except EmulatorEndedError as ended:
                cause = ended
        try:
            self.close()
        except RehearsalError as left:
            if interrupted:
                raise
            # Where an earlier run's leftovers are what stopped us, they are told once.
            if isinstance(cause, RehearsalError) and str(left) != str(cause):
                raise RehearsalError(f"{cause}\n{left}") from error
            self.progress.note(str(left))
        if cause is not error:
            raise cause from error

    @property
    def tools(self) -> Tools:
        """Clients of the emulator, docker and paths of this rehearsal."""
        if self._tools is None:
            raise RehearsalError("The rehearsal has not been started.")
        return self._tools

    def _prepare(self) -> None:
        self._exit.enter_context(cleanup.only_one(self.place))
        with self.progress.phase("Docker engine"):
            docker = docker_engine.ensure(self.progress.note)
            docker_engine.check_disk(docker, self.place.root)
        self._exit.callback(self._remove, docker)
        self._remove(docker, announce=True)
        children.belong_to(self.place.docker_label)
        emulator_process.check_ports(self.place)
        with self.progress.phase("base images"):
            images = base_images.provide(docker, self.place.scratch, self.progress.note)
        if images.are_stand_ins:
            self.overrides.setdefault("pactum:pythonImage", images.python)
        if platform.machine() in ARM_MACHINES:
            self.overrides.setdefault("pactum:cpuArchitecture", "ARM64")
        with self.progress.phase("emulator"):
            interpreter = virtualenv.provide(self.place, self.progress.note)
            self._emulator = emulator_process.start(self.place, interpreter, images, docker.executable)
            self._exit.callback(self._emulator.stop)
        self.report.extensions = list(self._emulator.extensions)
        self.report.overrides = self.overrides
        self.place.transcript.unlink(missing_ok=True)
        self._tools = Tools(
            place=self.place,
            docker=docker,
            directory=self.place.root,
            region=self._account.get("aws:region", REGION),
            command_timeout_seconds=UPDATE_MARGIN_SECONDS,
            notify=self.progress.doing,
        )

    def _remove(self, docker: DockerClient, *, announce: bool = False) -> None:
        removed = cleanup.remove_all(self.place, docker)
        if removed and announce:
            self.progress.note(f"removed what an earlier run left: {', '.join(removed)}")

    def close(self) -> None:
        """End the emulator and remove everything this rehearsal made. Does nothing the second time."""
        if self._closed:
            return
        with cleanup.undisturbed():
            self._closed = True
            with self.progress.phase("cleaning up"):
                self._exit.close()

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

    def up(self, overrides: Mapping[str, str] | None = None, *, phase: str = "up") -> Tally:
        """Run the program for real, or once more as an update. RehearsalError names the resource that failed."""
        loaded = self._configuration(overrides)
        with self.progress.phase(phase):
            outputs, tally = self._run(loaded, preview=False)
        self.outputs = dict(outputs)
        self.live = Live.from_outputs(self.stack, self.outputs)
        self.report.url, self.report.digest = self.place.front_url, self.live.release
        return tally

    def smoke(self) -> dict[str, str]:
        """Try what must work, and look for secrets where none may be. RehearsalError when a check fails."""
        if self.live is None:
            raise RehearsalError("There is nothing to try: no update has ended well.")
        with self.progress.phase("smoke tests"):
            checks = smoke.checks(self.tools, self.live)
            checks["secrets_stay_secret"] = self._search_secrets
            self.report.smoke = smoke.run(checks, self.progress.doing)
            failed = {name: found for name, found in self.report.smoke.items() if found != "ok"}
            if failed:
                listing = "\n".join(f"    {name}: {found}" for name, found in failed.items())
                log = smoke.last_errors(smoke.application_log(self.tools, self.live))
                shown = "".join(f"\n    {line}" for line in log)
                raise RehearsalError(
                    f"{len(failed)} of {len(checks)} smoke checks failed:\n{listing}\n  the application's log:{shown}",
                    remedy=f"The whole log is {self.place.scratch / 'application.log'}.",
                )
        return self.report.smoke

    def search_secrets(self) -> None:
        """Look once more for secrets, now that further updates have written state, logs and images."""
        with self.progress.phase("search for secrets"):
            self._search_secrets()

    def _search_secrets(self) -> None:
        self.report.write(self.place.report, self.progress.phases)
        written = [path for path in self.place.scratch.glob("*") if path.suffix in {".json", ".log"}]
        stack_files = list(self.place.root.glob("Pulumi*.yaml"))
        # Every image of this rehearsal, those of later releases too: they are built outside the program.
        listing = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]
        found = self.tools.docker.run(*listing, "--filter", f"reference={self.place.registry}/*").split()
        references = sorted({reference for reference in found if not reference.endswith(":<none>")})
        secrets_search.search(self.tools, references, [*written, *stack_files, self.place.report])

    def _configuration(self, overrides: Mapping[str, str] | None) -> Configuration:
        return configuration.load(self.place.root, self.stack, {**self.overrides, **(overrides or {})})

    def _run(self, loaded: Configuration, *, preview: bool) -> tuple[Mapping[str, Any], Tally]:
        state = self._states.setdefault(loaded.project, State())
        tools = self.tools
        tools.directory = loaded.program
        timeout = float(loaded.values.get("pactum:deploymentTimeoutSeconds", "0"))
        tools.command_timeout_seconds = timeout + UPDATE_MARGIN_SECONDS
        tags = json.loads(loaded.values.get("aws:defaultTags", "{}")).get("tags", {})
        engine = Engine(tools=tools, state=state, preview=preview, default_tags=tags)
        self._engine = engine
        bound = PREVIEW_SECONDS if preview else 2 * timeout + UPDATE_MARGIN_SECONDS
        try:
            outputs = program.run(loaded, engine, timeout_seconds=bound, watch=self._watch)
        except RehearsalError:
            self._watch(wait_seconds=EMULATOR_END_SECONDS)
            raise
        finally:
            self._take_notes(loaded, engine)
        return outputs, engine.tally

    def _watch(self, *, wait_seconds: float = 0) -> None:
        """EmulatorEndedError when the emulator has ended: it is the cause of whatever else fails then."""
        if self._emulator is not None:
            self._emulator.check(wait_seconds=wait_seconds)

    def _take_notes(self, loaded: Configuration, engine: Engine) -> None:
        kept = self.place.scratch / f"state-{loaded.project}.json"
        engine.state.export(kept)
        kept.with_name(f"config-{loaded.project}.json").write_text(json.dumps(dict(loaded.values)), encoding="utf-8")
        self.report.declared |= engine.declared
        self.report.not_rehearsed |= engine.not_rehearsed
        totals: dict[str, int] = {}
        for state in self._states.values():
            for type_, count in state.by_type().items():
                totals[type_] = totals.get(type_, 0) + count
        self.report.resources = dict(sorted(totals.items()))

    def wait(self) -> None:
        """Stay until Ctrl-C."""
        while True:
            self._watch()
            time.sleep(0.5)
