"""stacks/sdk_messages.py: what Pulumi's SDK says of its own work is not sent, and nothing else is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from stacks import sdk_messages
from tests.recorder import ROOT


class Engine:
    """Pulumi's engine, as far as it is told messages."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def Log(self, request: Any) -> None:  # noqa: N802 - the engine's own name
        self.said.append(request.message)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that listens."""
    listening = Engine()
    monkeypatch.setattr(pulumi.log, "get_engine", lambda: listening)
    monkeypatch.delenv(sdk_messages.WANTED, raising=False)
    return listening


def test_debug_messages_are_left_out_and_a_last_one_tells_how_to_have_them(engine: Engine) -> None:
    sdk_messages.leave_out()
    pulumi.log.debug("waiting for quiescence")
    assert engine.said == [sdk_messages.LEFT_OUT]
    assert "SDK_DEBUG_MESSAGES=1" in sdk_messages.LEFT_OUT


def test_whoever_asks_for_them_has_them(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sdk_messages.WANTED, "1")
    sdk_messages.leave_out()
    pulumi.log.debug("waiting for quiescence")
    assert engine.said == ["waiting for quiescence"]


def test_what_a_person_is_told_still_arrives(engine: Engine) -> None:
    sdk_messages.leave_out()
    pulumi.log.info("one")
    pulumi.log.warn("two")
    pulumi.log.error("three")
    assert engine.said[1:] == ["one", "two", "three"]


def test_a_message_about_a_resource_still_arrives(engine: Engine) -> None:
    async def say() -> None:
        urn: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        urn.set_result("urn:one")
        resource: Any = SimpleNamespace(urn=SimpleNamespace(future=lambda: urn))
        pulumi.log.debug("of a resource", resource)
        await asyncio.sleep(0.01)

    sdk_messages.leave_out()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(say())
    loop.close()
    assert engine.said[1:] == ["of a resource"]


def test_the_program_leaves_them_out_before_its_first_resource() -> None:
    source = (
        "import stacks.application, pulumi\n"
        "stacks.application.deploy = lambda: print(pulumi.log.debug.__module__)\n"
        "from stacks.start import start\nstart()"
    )
    command = [sys.executable, "-c", source]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == sdk_messages.__name__
