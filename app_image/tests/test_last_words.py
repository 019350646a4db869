"""What ends a job or a worker is one line of JSON, without values, and the exit code is still an error's."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from typing import Any
from unittest import mock

from django.apps import apps
from django.conf import settings
from django.test import SimpleTestCase

from deployment import last_words

THREAD = (
    "import threading\n"
    "def work(): raise ValueError('in a thread')\n"
    "thread = threading.Thread(target=work, name='sender'); thread.start(); thread.join()"
)


def manage(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a job of the application runs."""
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", program],
        env={**os.environ, "DATABASE_PASSWORD": "0123456789"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class LastWords(SimpleTestCase):
    def line(self, ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
        self.assertEqual(ended.stderr, "", "no alarm counts what is not JSON")
        (line,) = ended.stdout.splitlines()
        return dict(json.loads(line))

    def test_an_exception_that_ends_the_process_is_a_critical_line_without_secrets(self) -> None:
        ended = manage("import os\ndef job(): raise ValueError(os.environ['DATABASE_PASSWORD'])\njob()")
        line = self.line(ended)
        self.assertEqual((ended.returncode, line["level"], line["logger"]), (1, "CRITICAL", "deployment.last_words"))
        self.assertTrue(line["exception"].endswith("ValueError: [secret]"), line["exception"])
        self.assertIn("in job", line["exception"])

    def test_an_exception_that_ends_a_thread_is_an_error_with_the_threads_name(self) -> None:
        line = self.line(manage(THREAD))
        self.assertEqual((line["level"], line["message"]), ("ERROR", "An exception has ended the thread sender."))
        self.assertTrue(line["exception"].endswith("ValueError: in a thread"))

    def test_an_end_that_was_asked_for_is_no_exception(self) -> None:
        ended = manage(THREAD.replace("ValueError('in a thread')", "SystemExit") + "\nimport sys; sys.exit(3)")
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (3, "", ""))

    def test_an_interruption_is_told_of_as_python_does(self) -> None:
        ended = manage("raise KeyboardInterrupt")
        self.assertEqual(ended.stdout, "")
        self.assertIn("KeyboardInterrupt", ended.stderr)

    def test_whoever_sits_at_a_terminal_is_shown_the_exception_itself(self) -> None:
        master, terminal = pty.openpty()
        with os.fdopen(master, "rb", buffering=0) as shown, os.fdopen(terminal, "wb") as stderr:
            subprocess.run(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", "raise ValueError('here')"],
                env={**os.environ, "PYTHON_COLORS": "0"},
                stdout=subprocess.PIPE,
                stderr=stderr,
                timeout=60,
                check=False,
            )
            self.assertIn(b"ValueError: here", shown.read(4096))

    def test_a_developer_is_shown_it_too(self) -> None:
        developing = mock.Mock(wraps=settings.ENVIRONMENT, development=True)
        for development, hook in ((developing, sys.__excepthook__), (settings.ENVIRONMENT, last_words._of_process)):
            with (
                mock.patch.object(settings, "ENVIRONMENT", development),
                mock.patch.object(sys, "excepthook", sys.__excepthook__),
                mock.patch.object(threading, "excepthook"),
                mock.patch("deployment.apps.request_started"),
            ):
                apps.get_app_config("deployment").ready()
                self.assertIs(sys.excepthook, hook)
