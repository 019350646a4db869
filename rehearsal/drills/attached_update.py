"""An update in a process of its own, which a drill can kill at a moment it names."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rehearsal import attached, children, processes
from rehearsal.drills.drill import DrillError, expect
from rehearsal.updater import Updater

# In the environment of the update and of everything it starts: a kill reaches them all by it.
MARK = "PACTUM_REHEARSAL_UPDATE"
END_SECONDS = 900
DYING_SECONDS = 10


@dataclass(kw_only=True)
class AttachedUpdate:
    """A started `python -m rehearsal update`; what it writes goes to `log`."""

    process: subprocess.Popen[str]
    log: Path
    mark: str

    @classmethod
    def start(cls, updater: Updater, digest: str, *, hold_before: str = "") -> Self:
        """Start it; with `hold_before` it waits before resources of that type until `go_on` is called."""
        place, mark = updater.place, secrets.token_hex(8)
        log = place.scratch / f"update-{mark}.log"
        command = [sys.executable, "-m", "rehearsal", "update", updater.stack, "--digest", digest]
        environment = {
            **os.environ,
            "REHEARSAL_GATEWAY_PORT": str(place.gateway_port),
            "REHEARSAL_FRONT_PORT": str(place.front_port),
            children.MARK: place.docker_label,
            MARK: mark,
        }
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [*command, *(["--hold-before", hold_before] if hold_before else [])],
                cwd=place.root,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                text=True,
                # A process group of its own: a kill must not reach the drill.
                start_new_session=True,
            )
        return cls(process=process, log=log, mark=mark)

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def is_held(self) -> bool:
        """Whether it waits at the moment that was named."""
        return f"{attached.HELD} " in self.output

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def go_on(self) -> None:
        """Let it go on from where it is held."""
        if self.process.stdin:
            self.process.stdin.write("\n")
            self.process.stdin.close()

    def wait(self) -> int:
        """Its exit code. DrillError when it does not end."""
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise DrillError(f"the update did not end within {END_SECONDS} s:\n{self.output}") from None

    def kill(self) -> None:
        """SIGKILL for it and for all it has started, as when its machine goes away.

        DrillError when it had ended by itself, or when something of it is left.
        """
        self.end()
        code, left = self.process.poll(), processes.with_environment(MARK, self.mark)
        expect(code == -signal.SIGKILL, f"the update was not killed: it ended with exit code {code}\n{self.output}")
        expect(not left, f"the update was killed, but processes that it had started go on: {left}")

    def end(self) -> None:
        """The same, however it ends; nothing happens once it has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not self.ended:
                os.killpg(self.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + DYING_SECONDS
        # Commands run in sessions of their own, and one may have been started a moment ago.
        while (left := processes.with_environment(MARK, self.mark)) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(DYING_SECONDS)
        if self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
