"""Runs a pipeline as its host would: jobs in the order of their needs, side by side where they may, each in a clone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts_server import HostsServer, serving
from tests.pipelines.executed import gitlab_ci_local
from tests.pipelines.executed.ground import Ground
from tests.pipelines.executed.hosts import KINDS, Kind
from tests.pipelines.executed.jobs import Ran, Trigger
from tests.pipelines.executed.scratch import Scratch
from tests.pipelines.model import Job, Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehearsal.place import Place

JOB_SECONDS = 400
TOKEN = "token-of-the-host-0123456789"
Approver = Callable[[Job], bool]
Before = Callable[[Job, str, Path], None]
"""Called with the job, the command that comes next, and the job's checkout."""


def _yes(_: Job) -> bool:
    return True


def _nothing(_job: Job, _command: str, _clone: Path) -> None:
    """Nothing happens."""


@contextlib.contextmanager
def host(kind: str, place: Place, directory: Path) -> Iterator[Host]:
    """A host with a scratch repository, on a rehearsal of its own in which nothing was ever deployed."""
    for name in ("repository", "jobs"):
        (directory / name).mkdir()
    scratch = Scratch.make(directory / "repository")
    with Ground.up(place) as ground, serving() as people:
        yield Host(kind=KINDS[kind], ground=ground, scratch=scratch, directory=directory / "jobs", people=people)


@dataclass(kw_only=True)
class Host:
    """A host, on this machine. `groups` are its locks: one job of a group at a time."""

    kind: Kind
    ground: Ground
    scratch: Scratch
    directory: Path
    people: HostsServer
    """Where the host shows comments and issues."""
    groups: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _serial: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cloning: threading.Lock = field(default_factory=threading.Lock)

    def jobs(self, trigger: Trigger) -> Pipeline:
        """What the host would begin: its files are read from the commit that runs, as the host reads them."""
        return self.kind.pipeline(self.clone(trigger), trigger.event)

    def job(self, name: str, trigger: Trigger) -> Job:
        """The one of them that has this name."""
        return next(job for job in self.jobs(trigger) if job.name == name)

    def run(self, trigger: Trigger, *, approve: Approver = _yes, before: Before = _nothing) -> dict[str, Ran]:
        """Run it to its end; answers every job by name, in the order in which they began."""
        began, waiting, ended = time.monotonic(), list(self.jobs(trigger)), dict[str, Ran]()
        files, level = self.files(), 0
        with ThreadPoolExecutor() as workers:
            while waiting:
                ready = [job for job in waiting if all(name in ended for name in job.needs)]
                for job, future in [
                    (job, workers.submit(self._job, job, trigger, files, ended, approve, before, began))
                    for job in ready
                ]:
                    ended[job.name] = replace(future.result(), level=level)
                waiting, level = [job for job in waiting if job not in ready], level + 1
        return ended

    def _job(
        self,
        job: Job,
        trigger: Trigger,
        files: Path,
        ended: dict[str, Ran],
        approve: Approver,
        before: Before,
        began: float,
    ) -> Ran:
        if red := [name for name in job.needs if ended[name].code != 0]:
            return Ran(job=job.name, code=None, output=f"not begun: {', '.join(red)} did not end well")
        if job.approval and not approve(job):
            return Ran(job=job.name, code=None, output="not begun: the approval was refused")
        with self.groups[job.lock] if job.lock else threading.Lock():
            return self.execute(job, trigger, files, before=before, began=began)

    def execute(
        self,
        job: Job,
        trigger: Trigger,
        files: Path,
        *,
        before: Before = _nothing,
        began: float | None = None,
        shallow: bool = False,
    ) -> Ran:
        """Run one job's commands, whatever the host's locks and needs say."""
        start = time.monotonic()
        clone = self.clone(trigger, shallow=shallow)
        if job.takes and (files / "ci").is_dir():
            shutil.copytree(files / "ci", clone / "ci")
        whole = self.kind.whole_jobs and before is _nothing
        output, timed, code = (self._whole if whole else self._by_commands)(job, trigger, clone, before)
        if job.keeps and code == 0:
            shutil.copytree(clone / "ci", files / "ci", dirs_exist_ok=True)
        return Ran(
            job=job.name,
            code=code,
            output=output,
            began_seconds=start - (began if began is not None else start),
            seconds=time.monotonic() - start,
            commands=tuple(timed),
        )

    def _by_commands(
        self, job: Job, trigger: Trigger, clone: Path, before: Before
    ) -> tuple[str, list[tuple[str, float]], int]:
        output, timed, code = "", [], 0
        for command in job.commands:
            before(job, command, clone)
            at = time.monotonic()
            process = self.start(job, command, trigger, clone)
            said = _said(process)
            output, code = output + said, process.returncode
            timed.append((command, round(time.monotonic() - at, 1)))
            if code:
                break
        return output, timed, code

    def _whole(self, job: Job, trigger: Trigger, clone: Path, _: Before) -> tuple[str, list[tuple[str, float]], int]:
        """The job by the program that follows the host's own rules; which command took how long, it does not tell."""
        at = time.monotonic()
        variables = self.kind.variables(trigger, clone.parent)
        for command in job.commands:
            variables |= self._own(command, trigger)
        environment = self.ground.environment(job, clone.parent)
        path = f"{environment['PATH']}:{gitlab_ci_local.RSYNC}"
        asked = gitlab_ci_local.command(job, variables, trigger)
        process = _begin(asked, clone, {**environment, "PATH": path, "NO_COLOR": "1"})
        said = _said(process)
        seconds = round(time.monotonic() - at, 1)
        return said, [(command, seconds) for command in gitlab_ci_local.ran(job, said)], process.returncode

    def start(self, job: Job, command: str, trigger: Trigger, clone: Path) -> subprocess.Popen[str]:
        """Begin one command of a job, as the host does: a shell of its own, and the variables of event and job."""
        script = clone.parent / "step.sh"
        script.write_text(command)
        environment = {
            **self.ground.environment(job, clone.parent),
            **self.kind.variables(trigger, clone.parent),
            **self._own(command, trigger),
        }
        return _begin([*self.kind.interpreter, str(script)], clone, environment)

    def _own(self, command: str, trigger: Trigger) -> dict[str, str]:
        """What some commands are given besides, as the readers of the hosts' files have seen it there."""
        if command.startswith("make ci-rollback"):
            return {"TO": trigger.to}
        tells = command.startswith(("make ci-preview", "make ci-drift"))
        if tells or (self.kind.asks and command in {"make ci-deploy STACK=prod", "make ci-promote"}):
            return {self.kind.api: self.people.url, self.kind.token: TOKEN}
        return {}

    def files(self) -> Path:
        """An empty place for what jobs of one pipeline hand on."""
        return self._directory("files")

    def clone(self, trigger: Trigger, *, shallow: bool = False) -> Path:
        """A checkout of what runs, as each job has one of its own."""
        clone = self._directory("job") / "checkout"
        with self._cloning:
            self.scratch.clone(trigger.commit, clone, shallow=shallow)
        return clone

    def _directory(self, kind: str) -> Path:
        with self._lock:
            self._serial += 1
            made = self.directory / f"{kind}-{self._serial}"
        made.mkdir()
        return made


def _begin(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _said(process: subprocess.Popen[str]) -> str:
    """All that it says until its end, which comes in time or is brought about."""
    try:
        return process.communicate(timeout=JOB_SECONDS)[0]
    except subprocess.TimeoutExpired:
        cancel(process, signal.SIGKILL)
        raise


def cancel(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """What a host does to a job that somebody cancels: the signal goes to the job's shell and all it has started."""
    os.killpg(process.pid, number)
