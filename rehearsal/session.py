"""One rehearsal from its first check to its last removal: used by the command line, by tests and by drills."""

import platform
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rehearsal import (
    attached,
    base_images,
    children,
    cleanup,
    docker_engine,
    emulator_process,
    environment_file,
    secrets_search,
    smoke,
    virtualenv,
)
from rehearsal.docker_client import DockerClient
from rehearsal.emulator_process import Emulator, EmulatorEndedError
from rehearsal.errors import InterruptionError, RehearsalError
from rehearsal.updater import EMULATOR_END_SECONDS, Updater

ARM_MACHINES = frozenset({"aarch64", "arm64"})


@dataclass(kw_only=True)
class Rehearsal(Updater):
    """A stack deployed to this machine: entering prepares it and starts the emulator, leaving removes everything."""

    _emulator: Emulator | None = None
    _exit: ExitStack = field(default_factory=ExitStack)
    _closed: bool = False

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

    def _prepare(self) -> None:
        self._exit.enter_context(cleanup.only_one(self.place))
        with self.progress.phase("Docker engine"):
            docker = docker_engine.ensure(self.progress.note)
            docker_engine.check_disk(docker, self.place.root)
        self._exit.callback(self._remove, docker)
        self._remove(docker, announce=True)
        attached.forget(self.place)
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
        self.equip(docker)
        self._invite(docker)

    def _invite(self, docker: DockerClient) -> None:
        """Let other processes use what is up: operator commands from a shell, and further updates."""
        self._exit.callback(attached.withdraw, self.place)
        self._exit.callback(environment_file.remove, self.place)
        attached.announce(
            self.place, stack=self.stack, overrides=self.overrides, docker=docker, config_file=self.config_file
        )
        environment_file.write(self.place, self.region)

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
        stack_files = [*self.place.root.glob("Pulumi*.yaml"), *([self.config_file] if self.config_file else [])]
        # Every image of this rehearsal, those of later releases too: they are built outside the program.
        listing = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]
        found = self.tools.docker.run(*listing, "--filter", f"reference={self.place.registry}/*").split()
        references = sorted({reference for reference in found if not reference.endswith(":<none>")})
        secrets_search.search(self.tools, references, [*written, *stack_files, self.place.report])

    def _watch(self, *, wait_seconds: float = 0) -> None:
        """EmulatorEndedError when the emulator has ended: it is the cause of whatever else fails then."""
        if self._emulator is not None:
            self._emulator.check(wait_seconds=wait_seconds)

    def wait(self) -> None:
        """Stay until Ctrl-C."""
        while True:
            self._watch()
            time.sleep(0.5)
