"""Every line is written, once and whole, and no thread waits for another one's."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from select import PIPE_BUF
from unittest import mock

from django.test import SimpleTestCase

from deployment.line_handler import MOST_PIECES, MOST_WAITING, LineHandler


class SlowStream(io.StringIO):
    """Its first write ends when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.go_on = threading.Event(), threading.Event()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        self.writing.set()
        self.go_on.wait(5)
        return super().write(text)


class Handler(SimpleTestCase):
    def setUp(self) -> None:
        self.stream = SlowStream()
        self.handler = LineHandler(self.stream)

    def log(self, text: str, *values: object) -> None:
        self.handler.handle(logging.LogRecord("some", logging.INFO, "", 0, text, values, None))

    def begin(self) -> threading.Thread:
        writer = threading.Thread(target=self.log, args=("first",))
        writer.start()
        self.assertTrue(self.stream.writing.wait(5))
        return writer

    def test_a_line_is_written_at_once(self) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        with os.fdopen(read, "rb") as pipe, os.fdopen(write, "w") as stream:
            self.handler.stream = stream
            self.log("text %s", "here")
            self.assertEqual(pipe.read1(), b"text here\n", "a process that is killed now has lost no line")

    def test_no_thread_waits_while_another_writes_and_no_line_is_lost(self) -> None:
        writer = self.begin()
        others = [threading.Thread(target=self.log, args=(f"line {n}",)) for n in range(20)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join(2)
        self.assertFalse(any(thread.is_alive() for thread in others), "they go on with their requests")
        self.stream.go_on.set()
        writer.join(5)
        self.assertEqual(
            sorted(self.stream.getvalue().split("\n")), sorted(["", "first", *(f"line {n}" for n in range(20))])
        )

    def test_what_is_written_at_once_cannot_mix_with_another_processes_lines(self) -> None:
        writer = self.begin()
        for _ in range(20):
            self.log("x" * 1000)
        self.log("y" * 9000)
        self.stream.go_on.set()
        writer.join(5)
        self.handler.flush()
        self.assertEqual([len(piece) for piece in self.stream.pieces], [6, *[4 * 1001] * 5, 9001])
        self.assertLess(4 * 1001, PIPE_BUF)

    def test_a_thread_writes_little_for_others_and_nothing_of_the_rest_is_lost(self) -> None:
        self.stream.go_on.set()
        lines = [f"{n} {'x' * PIPE_BUF}" for n in range(3 * MOST_PIECES)]
        for line in lines[1:]:
            self.handler._lines.append(f"{line}\n")
        with mock.patch.object(self.handler, "_left") as left:
            left.wait.return_value = False
            self.log(lines[0])
            self.assertEqual(len(self.stream.pieces), MOST_PIECES, "its own client waits for an answer")
            left.set.assert_called_once_with()
        self.handler._writer = None
        self.log("one more")
        for _ in range(500):
            if not self.handler._lines and len(self.stream.pieces) == len(lines) + 1:
                break
            time.sleep(0.01)
        self.assertEqual(len(self.stream.pieces), len(lines) + 1, "nobody has to log again for what was left")

    def test_whoever_logs_faster_than_can_be_written_waits(self) -> None:
        writer = self.begin()
        self.handler._lines.extend(["x\n"] * MOST_WAITING)
        waiting = threading.Thread(target=self.log, args=("one too many",))
        waiting.start()
        waiting.join(0.3)
        self.assertTrue(waiting.is_alive(), "lines would take all memory")
        self.stream.go_on.set()
        waiting.join(5)
        writer.join(5)
        self.assertFalse(waiting.is_alive() or writer.is_alive())

    def test_nothing_is_left_when_python_ends(self) -> None:
        self.stream.go_on.set()
        self.handler._lines.extend(f"{n} {'x' * PIPE_BUF}\n" for n in range(3))
        self.handler.flush()
        self.assertEqual(len(self.stream.pieces), 3)

    def test_without_a_thread_for_the_rest_it_is_written_all_the_same(self) -> None:
        self.stream.go_on.set()
        self.handler._lines.extend(f"{n} {'x' * PIPE_BUF}\n" for n in range(3 * MOST_PIECES))
        with mock.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread at shutdown")):
            self.log("last")
        self.assertEqual(len(self.stream.pieces), 3 * MOST_PIECES + 1)

    def test_a_process_forked_meanwhile_logs_too(self) -> None:
        writer = self.begin()
        read, write = os.pipe()
        if not (child := os.fork()):
            self.handler.stream = os.fdopen(write, "w")
            self.log("of the child")
            os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        with os.fdopen(read) as pipe:
            self.assertEqual(pipe.read(), "of the child\n")
        self.stream.go_on.set()
        writer.join(5)

    def test_a_line_that_cannot_be_written_breaks_nothing(self) -> None:
        self.stream.go_on.set()
        with mock.patch.object(self.handler, "handleError") as told:
            self.log("%d", "no number")
            with mock.patch.object(self.stream, "write", side_effect=BrokenPipeError):
                self.log("lost")
        self.assertEqual(told.call_count, 2)
        self.log("next")
        self.assertEqual(self.stream.getvalue(), "next\n")

    def test_filters_decide(self) -> None:
        self.stream.go_on.set()
        self.handler.addFilter(lambda record: record.msg != "silent")
        self.log("silent")
        self.log("heard")
        self.assertEqual(self.stream.getvalue(), "heard\n")
