"""Runs a Pulumi program, unchanged, with the rehearsal's engine; as often as wanted in one process."""

import asyncio
import contextlib
import gc
import logging
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.stack import run_pulumi_func

from rehearsal import children
from rehearsal.configuration import Configuration
from rehearsal.engine import Engine, Monitor, plain
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT

# Resources that may be made at the same time; most of them wait for the emulator.
WORKERS = 16
# After a failure or an interrupt: how long what is under way may take to end.
WIND_DOWN_SECONDS = 60
PROGRAM_PACKAGES = ("infra", "stacks")
# What stands for an output that a preview does not show, or does not know.
SECRET, UNKNOWN = "[secret]", "[unknown]"

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Run:
    """One run, in a thread of its own: Pulumi keeps its settings in context variables, and a new thread has none."""

    configuration: Configuration
    engine: Engine
    outputs: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None

    def __call__(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops: list[asyncio.AbstractEventLoop] = []
        executor = ThreadPoolExecutor(
            max_workers=WORKERS, thread_name_prefix="resource", initializer=_give_loop, initargs=(loops,)
        )
        loop.set_default_executor(executor)
        loop.set_exception_handler(lambda _, context: logger.debug("%s", context.get("message")))
        try:
            with contextlib.chdir(self.configuration.program), _fresh_modules():
                loop.run_until_complete(self._run())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            self.error = error
        finally:
            # The program turns it off, and ends otherwise; this process goes on.
            gc.enable()
            executor.shutdown(wait=True, cancel_futures=True)
            _abandon_tasks(loop)
            for each in (*loops, loop):
                each.close()
            asyncio.set_event_loop(None)

    async def _run(self) -> None:
        pulumi.runtime.set_all_config(dict(self.configuration.values), [])
        pulumi.runtime.set_mocks(
            self.engine,
            project=self.configuration.project,
            stack=self.configuration.stack,
            preview=self.engine.preview,
            monitor=Monitor(self.engine),
            organization="organization",
            logger=logger,
        )
        pulumi.runtime.settings.SETTINGS.outputs.clear()
        await run_pulumi_func(self._program)
        stack = pulumi.runtime.get_root_resource()
        exported = getattr(stack, "outputs", {})
        if self.engine.preview:
            self.outputs = {name: await _foreseen(value) for name, value in exported.items()}
        else:
            self.outputs = plain(await pulumi.Output.from_input(exported).future() or {})

    def _program(self) -> None:
        runpy.run_path(str(self.configuration.program / "__main__.py"), run_name="__main__")


async def _foreseen(value: Any) -> Any:  # noqa: ANN401 - any output
    """An output as a preview shows it: a secret is none of its business, and of some nobody knows what they will be."""
    output = pulumi.Output.from_input(value)
    if await output.is_secret():
        return SECRET
    return plain(await output.future()) if await output.is_known() else UNKNOWN


def _nothing() -> None:
    """Where nothing has to be watched."""


def run(
    configuration: Configuration, engine: Engine, *, timeout_seconds: float, watch: Callable[[], None] = _nothing
) -> Mapping[str, Any]:
    """Run a program to its end and return its stack outputs, of a preview as one shows them.

    `watch` is called a few times a second; what it raises ends the run.

    Raises the error of the first resource that failed, RehearsalError for what the program itself refuses and after
    `timeout_seconds`. KeyboardInterrupt and other errors of the waiting thread end what is under way first.
    """
    run_ = _Run(configuration=configuration, engine=engine)
    thread = threading.Thread(target=run_, name=f"program {configuration.stack}", daemon=True)
    children.allow()
    thread.start()
    try:
        _wait(thread, timeout_seconds, watch)
    except BaseException:
        engine.stopped = True
        children.end_all()
        thread.join(WIND_DOWN_SECONDS)
        raise
    finally:
        children.allow()
    if engine.failure:
        raise engine.failure
    if run_.error is not None:
        raise _told(run_.error) from run_.error
    if not engine.preview:
        engine.finish()
    return run_.outputs


def _give_loop(loops: list[asyncio.AbstractEventLoop]) -> None:
    """Pulumi's mocks need an event loop in every thread; one of ours, so that it is closed in the end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loops.append(loop)


def _wait(thread: threading.Thread, timeout_seconds: float, watch: Callable[[], None]) -> None:
    # In short turns, so that a signal's exception is raised here at once.
    waited = 0.0
    while thread.is_alive():
        thread.join(0.2)
        waited += 0.2
        watch()
        if waited > timeout_seconds:
            raise RehearsalError(f"The program did not end within {timeout_seconds:.0f} s; it was stopped.")


def _told(error: BaseException) -> RehearsalError:
    """What the program itself raised: its own message if the error is one of its own, else with the place."""
    if isinstance(error, pulumi.RunError) or type(error).__module__.partition(".")[0] in PROGRAM_PACKAGES:
        return RehearsalError(str(error))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    place = f" ({Path(frames[-1].filename).relative_to(PROJECT_ROOT)}, line {frames[-1].lineno})" if frames else ""
    return RehearsalError(f"The program failed: {type(error).__name__}: {error}{place}")


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return any(path.is_relative_to(PROJECT_ROOT / package) for package in PROGRAM_PACKAGES)


@contextlib.contextmanager
def _fresh_modules() -> Iterator[None]:
    """The program's modules are loaded anew, as in a process of its own; afterwards everything is as it was."""
    path, kept = list(sys.path), _take_modules()
    sys.path.insert(0, str(PROJECT_ROOT))
    try:
        yield
    finally:
        _take_modules()
        sys.modules.update(kept)
        sys.path[:] = path


def _take_modules() -> dict[str, Any]:
    names = [name for name in sys.modules if name.partition(".")[0] in PROGRAM_PACKAGES]
    return {name: sys.modules.pop(name) for name in names}


def _abandon_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """After a failure, what waits for resources that will never be is given up without a word."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    gather: Callable[..., Any] = asyncio.gather
    if tasks:
        with contextlib.suppress(RuntimeError):
            loop.run_until_complete(asyncio.wait_for(gather(*tasks, return_exceptions=True), 10))
