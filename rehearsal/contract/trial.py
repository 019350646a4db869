"""One trial of one image: the containers that requirements look at, each started once."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.contract import container
from rehearsal.contract.container import Container, NotStartedError
from rehearsal.contract.contents import Contents
from rehearsal.contract.ground import EMPTY_DATABASE, OTHER_NAME
from rehearsal.contract.requirement import UntriedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.settings import ApplicationSettings
    from rehearsal.contract.ground import Ground
    from rehearsal.contract.terms import Given, Terms

MIGRATION_SECONDS = 120
OTHER_PORT = 18080
NOWHERE = "nowhere.invalid"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that has come to its end; `code` is None when it had to be given up."""

    code: int | None
    stdout: str
    stderr: str


@dataclass(kw_only=True)
class Trial:
    """An image, the terms it is held to, and what it stands on."""

    image: str
    terms: Terms
    given: Given
    ground: Ground
    thorough: bool = False
    marker: str = field(default_factory=lambda: f"asked-{secrets.token_hex(8)}")
    trace: str = field(default_factory=lambda: f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}")
    unhardened: NotStartedError | None = None
    """Why the web process does not start as a task does, where it does not. It is tried with all rights then."""
    _webs: dict[str, Container | NotStartedError] = field(default_factory=dict)
    _answering: set[str] = field(default_factory=set)
    _patience: float = field(default_factory=lambda: container.START_SECONDS)
    _migrations: list[Ended] = field(default_factory=list)
    _all: list[Container] = field(default_factory=list)

    @property
    def application(self) -> ApplicationSettings:
        return self.terms.application

    def __post_init__(self) -> None:
        self.contents = Contents(docker=self.ground.docker, image=self.image)

    @property
    def hardening(self) -> list[str]:
        declared = {path.rstrip("/") for path in self.contents.config.get("Volumes") or {}}
        return container.hardening(memory_mib=self.terms.memory_mib, declares_tmp="/tmp" in declared)  # noqa: S108

    def begin(self) -> None:
        """Start what needs no migration, so that it boots while the image's files are looked at."""
        for start in (self.alone, self.elsewhere):
            with contextlib.suppress(NotStartedError):
                start(wait=False)

    def alone(self, *, wait: bool = True) -> Container:
        """The web process without any database."""
        try:
            return self._web("alone", wait=wait, DATABASE_HOST=NOWHERE)
        except NotStartedError as error:
            if self.unhardened or not wait:
                raise
            # All the rest of the contract is still worth an answer.
            self.unhardened = error
            self._webs.clear()
            return self._web("alone", wait=wait, DATABASE_HOST=NOWHERE)

    def elsewhere(self, *, wait: bool = True) -> Container:
        """The web process on another port than usual, whose database shows a certificate for another name."""
        return self._web("elsewhere", wait=wait, DATABASE_HOST=OTHER_NAME, PORT=str(OTHER_PORT))

    def unmigrated(self) -> Container:
        """The web process whose database nobody has migrated; its login is good."""
        return self._web("unmigrated", DATABASE_NAME=EMPTY_DATABASE)

    def serving(self) -> Container:
        """The web process with all it needs."""
        return self._web("serving")

    def _web(self, name: str, *, wait: bool = True, **changes: str) -> Container:
        """NotStartedError, the same every time, when it does not start, or nobody answers where that is waited for."""
        if name not in self._webs:
            environment = self.given.to_web(**changes)
            try:
                self._webs[name] = self._start(environment, port=int(changes.get("PORT", self.application.port)))
            except NotStartedError as error:
                self._webs[name] = error
        made = self._webs[name]
        if isinstance(made, NotStartedError):
            raise made
        if wait and name not in self._answering:
            try:
                made.await_answer(self._patience)
            except NotStartedError as error:
                self._webs[name] = error
                raise
            self._answering.add(name)
            # The others start as fast, give or take what else the machine does.
            self._patience = min(self._patience, 10 + 3 * (time.monotonic() - made.started))
        return made

    def _start(self, environment: dict[str, str], *, port: int) -> Container:
        started = container.start(
            self.ground,
            self.image,
            environment,
            options=[] if self.unhardened else self.hardening,
            command=self.application.web_command,
            health_path=self.application.health_path,
            port=port,
        )
        self._all.append(started)
        return started

    def needing(self, web: Callable[[], Container]) -> Container:
        """A web process, for a requirement that is about something else. UntriedError where nobody answers."""
        try:
            return web()
        except NotStartedError as error:
            raise UntriedError("the web process does not answer, see above") from error

    def lacking(self, name: str) -> Ended:
        """The web process without one of its variables."""
        environment = self.given.to_web(**{name: None})
        started = self._start(environment, port=self.application.port)
        return self._ended(started, 10)

    def migration(self, number: int = 0, **changes: str) -> Ended:
        """The first or the second run of the migration, each done once; with changes, a run of its own."""
        if changes:
            return self._migrate(**changes)
        while len(self._migrations) <= number:
            self._migrations.append(self._migrate())
        return self._migrations[number]

    def _migrate(self, **changes: str) -> Ended:
        return self.as_migration(self.application.migrate_command, **changes)

    def as_migration(self, command: Sequence[str], **changes: str) -> Ended:
        """A command that is given what the migration is given."""
        try:
            started = container.start(
                self.ground,
                self.image,
                self.given.to_migration(**changes),
                options=self.hardening,
                command=command,
            )
        except NotStartedError as error:
            return Ended(code=None, stdout="", stderr=str(error))
        self._all.append(started)
        return self._ended(started, MIGRATION_SECONDS)

    def _ended(self, started: Container, seconds: float) -> Ended:
        code = started.end(seconds)
        stdout, stderr = started.output()
        return Ended(code=code, stdout=stdout, stderr=stderr)

    def spoken(self) -> Container:
        """A web process whose log can be looked at: the one that serves, else any. UntriedError where there is none."""
        for web in (self.serving, self.alone):
            with contextlib.suppress(NotStartedError):
                return web()
        if not self._all:
            raise UntriedError("no web process could be started, see above")
        return self._all[0]

    def logs(self) -> str:
        """All that any container has said."""
        return "\n".join(each.log() for each in self._all)


@dataclass(kw_only=True)
class Users:
    """Requests that go out at the same time and may wait for long."""

    container: Container
    answers: dict[int, int] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def ask(self, paths: list[str], headers: dict[str, str]) -> None:
        """Send one request for each path."""
        for path in paths:
            number = len(self._threads)
            thread = threading.Thread(target=self._ask, args=(number, path, headers), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _ask(self, number: int, path: str, headers: dict[str, str]) -> None:
        try:
            self.answers[number] = self.container.get(path, headers=headers, seconds=30).status
        except (OSError, http.client.HTTPException) as error:
            self.lost[number] = f"{path}: {type(error).__name__} {error}".strip()

    def waiting(self) -> list[int]:
        """Those without an answer so far."""
        return [number for number, thread in enumerate(self._threads) if thread.is_alive()]

    def leave(self, seconds: float) -> None:
        """Wait for all of them."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
