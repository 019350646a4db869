"""When a container answers first, whatever becomes of the requests before."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks import starting

if TYPE_CHECKING:
    import pytest


def container(*answers: Any) -> Any:
    """A container that gives these answers in turn: a status, an error, or the seconds for which it is silent."""
    left = list(answers)
    lock = threading.Lock()

    def ask(_path: str) -> Any:
        with lock:
            answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            time.sleep(answer)
            raise TimeoutError
        return SimpleNamespace(status=answer)

    return SimpleNamespace(ask=ask)


def seconds_to_answer(asked: Any) -> float:
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    first = starting._first_answer(asked)
    assert first is not None
    return first - began


def test_a_request_lost_before_the_network_was_there_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE_SECONDS", 0.05)
    assert seconds_to_answer(container(3.0, ConnectionRefusedError(), 200)) < 1, "the kernel repeats it after a second"


def test_only_a_good_answer_counts() -> None:
    assert seconds_to_answer(container(503, 400, ConnectionResetError(), 200)) < 1


def test_a_container_that_never_answers_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "START_SECONDS", 0.1)
    assert starting._first_answer(container(*[503] * 100)) is None
