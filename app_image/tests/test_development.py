"""What DEVELOPMENT=true changes, and that production cannot have it."""

import json
import logging
import sys

from django.apps import apps
from django.conf import settings
from django.test import SimpleTestCase

from deployment.environment import EnvironmentInvalid, read_environment
from deployment.json_logs import LineFormatter
from deployment.readable_logs import TextFormatter
from tests.test_environment import COMPLETE, run

DEVELOPMENT = COMPLETE | {"DEVELOPMENT": "true", "HTTPS": "false", "RELEASE": ""}
# Django's own form of it: the time in base 36, and a digest.
TOKEN = "csb7ld-0123456789abcdef0123456789abcdef"


class Refusals(SimpleTestCase):
    def problems(self, **changes: str) -> str:
        with self.assertRaises(EnvironmentInvalid) as caught:
            read_environment(DEVELOPMENT | changes)
        return str(caught.exception)

    def test_it_is_off_unless_asked_for(self) -> None:
        self.assertFalse(read_environment(COMPLETE).development)
        self.assertTrue(read_environment(DEVELOPMENT).development)

    def test_it_is_refused_with_https_which_is_the_default(self) -> None:
        for https in ("true", ""):
            self.assertIn("DEVELOPMENT is 'true' while HTTPS is", self.problems(HTTPS=https))

    def test_it_is_refused_for_an_image_from_a_registry(self) -> None:
        self.assertIn("while RELEASE is a digest", self.problems(RELEASE="sha256:0123"))

    def test_any_other_word_is_refused(self) -> None:
        self.assertIn("DEVELOPMENT is 'yes'", self.problems(DEVELOPMENT="yes"))


class Settings(SimpleTestCase):
    SHOWN = (
        "from deployment import settings as s;"
        " print(s.DEBUG, s.STORAGES['staticfiles']['BACKEND'].rpartition('.')[2],"
        " s.LOGGING['formatters']['lines']['()'])"
    )

    def test_a_developer_gets_debug_pages_static_sources_and_text(self) -> None:
        shown = run(sys.executable, "-c", self.SHOWN, **DEVELOPMENT).stdout.strip()
        self.assertEqual(shown, "True StaticFilesStorage deployment.readable_logs.TextFormatter")

    def test_production_gets_none_of_it(self) -> None:
        shown = run(sys.executable, "-c", self.SHOWN, **COMPLETE).stdout.strip()
        self.assertEqual(shown, "False CompressedManifestStaticFilesStorage deployment.json_logs.LineFormatter")

    def test_the_image_has_no_development_app(self) -> None:
        self.assertFalse(settings.ENVIRONMENT.development)
        self.assertFalse(apps.is_installed("development"))
        missing = run(sys.executable, "-c", "import development")
        self.assertIn("No module named 'development'", missing.stderr)


class TextLines(SimpleTestCase):
    def record(self, message: str, **extra: object) -> logging.LogRecord:
        record = logging.LogRecord("some.logger", logging.INFO, "", 0, message, None, None)
        record.__dict__.update(extra)
        return record

    def test_a_request_is_one_line_with_its_milliseconds(self) -> None:
        line = TextFormatter().format(self.record("GET / 200", status=200, duration_ms=12.3))
        self.assertRegex(line, r"^\d\d:\d\d:\d\d INFO     GET / 200 12 ms$")

    def test_a_slow_statement_is_shown_with_its_text(self) -> None:
        line = TextFormatter().format(self.record("slow statement", duration_ms=1200.0, sql="SELECT %s"))
        self.assertTrue(line.endswith("slow statement 1200 ms: SELECT %s"), line)

    def test_another_line_names_its_logger(self) -> None:
        self.assertRegex(TextFormatter().format(self.record("ready")), r"INFO     some\.logger: ready$")

    def test_an_exception_is_there_in_full(self) -> None:
        record = self.record("failed")
        try:
            raise ValueError("reason")  # noqa: TRY301 - the traceback is what is tested
        except ValueError:
            record.exc_info = sys.exc_info()
        self.assertRegex(
            TextFormatter().format(record), r"(?s)failed\nTraceback .*test_development.*\nValueError: reason$"
        )


class Tokens(SimpleTestCase):
    def test_the_way_to_a_new_password_stays_out_of_every_log(self) -> None:
        record = logging.LogRecord("any", logging.INFO, "", 0, "GET /reset/MQ/%s/ 302", (TOKEN,), None)
        for formatter in (LineFormatter("r"), TextFormatter()):
            line = formatter.format(record)
            self.assertNotIn(TOKEN, line)
            self.assertIn("GET /reset/MQ/[token]/ 302", line)

    def test_other_words_stay(self) -> None:
        for text in ("2026-11-22", "1-67891233-abcdef012345678912345678", "sha256:0123456789abcdef0123456789abcdef"):
            record = logging.LogRecord("any", logging.INFO, "", 0, text, None, None)
            self.assertEqual(json.loads(LineFormatter("r").format(record))["message"], text)
