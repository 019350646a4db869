"""What happens around gunicorn's fork: nothing is shared that must not be, and no SIGTERM is lost."""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase
from gunicorn.config import Config

from deployment.json_logs import logging_config
from deployment.server_hooks import ServerLog, share_what_is_loaded

GUNICORN = ("gunicorn", "--config", "python:deployment.gunicorn_config")
TOUCHES_THE_DATABASE = "from django.db import connection; connection.ensure_connection(); urlpatterns = []"
FORKED = """
import os, queue, signal, sys, types
from deployment.server_hooks import heed_sigterm_at_once
server = types.SimpleNamespace(SIG_QUEUE=queue.SimpleQueue())
signal.signal(signal.SIGTERM, lambda *_: server.SIG_QUEUE.put(signal.SIGTERM))
for name in sys.argv[1:]:
    os.kill(os.getpid(), getattr(signal, name))
heed_sigterm_at_once(server, None)
os.kill(os.getpid(), signal.SIGTERM)
"""


class Project:
    """Settings and addresses besides the app's own, in a directory of their own."""

    def __init__(self, case: SimpleTestCase, urls: str) -> None:
        directory = Path(case.enterContext(tempfile.TemporaryDirectory()))
        (directory / "other_settings.py").write_text("from pactum.settings import *\nROOT_URLCONF = 'other_urls'\n")
        (directory / "other_urls.py").write_text(urls)
        self._path = f"{os.environ.get('PYTHONPATH', '')}:{directory}"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": self._path,
            "DJANGO_SETTINGS_MODULE": "other_settings",
            "PORT": "8765",
        }
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


class Loading(SimpleTestCase):
    def test_a_release_whose_views_cannot_be_imported_does_not_start_and_says_why_in_one_line(self) -> None:
        result = Project(self, "import nowhere").run(*GUNICORN)
        self.assertEqual((result.returncode, result.stderr), (1, ""), "a healthy release answers its pages")
        line = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual((line["level"], line["message"]), ("CRITICAL", "The project cannot start."))
        self.assertIn("No module named 'nowhere'", line["exception"])

    def test_what_loading_has_asked_the_database_for_is_closed_before_the_fork(self) -> None:
        script = (
            "import threading; from deployment.wsgi import application; from django.db import connection as c;"
            " print(c.connection, c._connection_pools, threading.active_count())"
        )
        result = Project(self, TOUCHES_THE_DATABASE).run(sys.executable, "-c", script)
        self.assertEqual((result.stdout, result.stderr), ("None {} 1\n", ""))


class BeforeTheFork(SimpleTestCase):
    def setUp(self) -> None:
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.enable)

    def test_what_is_loaded_is_taken_from_the_collector_which_then_works(self) -> None:
        gc.disable()
        share_what_is_loaded(mock.Mock())
        self.assertTrue(gc.isenabled(), "a process that collects nothing grows for ever")
        self.assertGreater(gc.get_freeze_count(), 10_000)

    def test_threads_that_would_stay_behind_are_named(self) -> None:
        server = mock.Mock()
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait, name="refreshes prices")
        thread.start()
        share_what_is_loaded(server)
        stop.set()
        thread.join()
        self.assertIn("refreshes prices", server.log.warning.call_args.args[1])


class AfterTheFork(SimpleTestCase):
    def test_a_sigterm_ends_a_worker_that_has_no_handler_yet(self) -> None:
        for sent, code in (((), -signal.SIGTERM), (("SIGTERM",), 0)):
            with self.subTest(sent):
                result = subprocess.run([sys.executable, "-c", FORKED, *sent], timeout=20, check=False)
                self.assertEqual(result.returncode, code, "the stop would wait until the master kills it")


class Log(SimpleTestCase):
    def test_no_access_line_is_put_together(self) -> None:
        config = Config()
        config.set("logconfig_dict", logging_config("INFO", ""))
        log = ServerLog(config)
        with mock.patch.object(log, "atoms") as atoms:
            log.access(mock.Mock(), mock.Mock(), {}, mock.Mock())
        atoms.assert_not_called()
