"""A program out of Jenkins' reach: whoever ends a job interrupts the stage, and the stage alone interrupts the program.

To end a step, Jenkins sends SIGTERM to every process that has the step's cookie in its environment, and to all
descendants of each of those, whatever is in theirs (durable-task's `stop`, Jenkins' `ProcessTree.killAll`). With a
shell, make and the stage above it, Pulumi would be asked to end several times over. At the end of a `node` the same is
done once more by another cookie. So the program gets neither cookie, and no ancestor that has one: a keeper whose own
parent has ended starts it, waits for it, and tells how it ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COOKIES = ("JENKINS_SERVER_COOKIE", "JENKINS_NODE_COOKIE")
_LEFT_ALONE = "dontKillMe"
# By itself: the keeper runs where another commit's files may be, and needs none of them.
_KEEPER = [sys.executable, "-I", __file__]


def is_looked_for(environment: Mapping[str, str]) -> bool:
    """Whether there is somebody who would look for this process's descendants in order to end them."""
    return any(environment.get(name) for name in COOKIES)


class Detached:
    """One program that is no descendant of this process, to be used as `subprocess.Popen` is."""

    returncode: int | None = None

    def __init__(self, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        self._told = os.fdopen(reading, encoding="utf-8")
        try:
            subprocess.run(
                [*_KEEPER, str(writing), *command],
                cwd=directory,
                env={**environment, **dict.fromkeys(COOKIES, _LEFT_ALONE)},
                stdin=subprocess.DEVNULL,
                pass_fds=(writing,),
                # As of every program of a stage: what a terminal interrupts is the stage.
                process_group=0,
                check=True,
            )
        finally:
            os.close(writing)
        what, _, number = self._told.readline().partition(" ")
        if what == "failed":
            self._told.close()
            raise OSError(int(number), os.strerror(int(number)))
        self._pid = int(number or 0)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None and self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        if self.returncode is None:
            with self._told:
                # Without an answer the keeper itself was killed, and nobody knows.
                self.returncode = int(self._told.readline() or -signal.SIGKILL)
        return self.returncode

    def communicate(self) -> tuple[None, None]:
        """Wait for its end; its words have gone where ours go."""
        self.wait()
        return None, None


def _keep(told: int, command: Sequence[str]) -> None:
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, for what is ignored would be ignored by the program, too.
        signal.signal(number, lambda *_: None)
    with os.fdopen(told, "w", encoding="utf-8") as answer:
        try:
            program = subprocess.Popen(list(command))
        except OSError as error:
            answer.write(f"failed {error.errno}\n")
            return
        answer.write(f"begun {program.pid}\n")
        answer.flush()
        answer.write(f"{program.wait()}\n")


if __name__ == "__main__":
    _keep(int(sys.argv[1]), sys.argv[2:])
