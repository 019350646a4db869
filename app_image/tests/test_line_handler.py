"""Every line is written, once and whole, and no thread waits for another one's."""

from __future__ import annotations

import io
import logging
import os
import threading
from select import PIPE_BUF
from unittest import mock

from django.test import SimpleTestCase

from deployment.line_handler import LineHandler


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
        self.assertEqual([len(piece) for piece in self.stream.pieces], [6, *[4 * 1001] * 5, 9001])
        self.assertLess(4 * 1001, PIPE_BUF)

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
