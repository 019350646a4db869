"""The lines in the log: one object each, with what an operator searches by and nothing that is secret."""

import io
import json
import logging
import sys
from pathlib import PurePath
from unittest import mock

from django.http import HttpResponse
from django.template import loader
from django.test import Client, SimpleTestCase, TestCase

from deployment.json_logs import LineFormatter
from deployment.request_log import request_id_for

TOKEN = "c0ffee1-0123456789abcdef0123456789abcdef"
TRACE = "1-67891233-abcdef012345678912345678"


class Lines(TestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(LineFormatter("sha256:release"))
        root = logging.getLogger()
        self.enterContext(mock.patch.object(root, "handlers", [handler]))
        self.addCleanup(root.setLevel, root.level)
        root.setLevel(logging.INFO)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def test_a_request_is_one_line_with_every_field(self) -> None:
        response = self.client.get("/", headers={"X-Amzn-Trace-Id": f"Self=1-0-0;Root={TRACE}"})
        (line,) = self.lines()
        self.assertGreater(line.pop("duration_ms"), 0)
        self.assertRegex(line.pop("timestamp"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        expected = {"level": "INFO", "logger": "deployment.request", "message": "GET / 200", "request_id": TRACE}
        self.assertEqual(line, expected | {"method": "GET", "path": "/", "status": 200, "release": "sha256:release"})
        self.assertEqual(response["X-Request-ID"], TRACE, "a user can quote it, an operator can search for it")

    def test_query_string_and_body_stay_out(self) -> None:
        self.client.get("/?token=hunter2", headers={"Authorization": "Bearer hunter2"})
        self.client.post("/agreements/new/?token=hunter2", {"title": "hunter2"})
        self.client.get("/missing?token=hunter2")
        self.assertEqual(len(self.lines()), 3)
        self.assertNotIn("hunter2", self.stream.getvalue(), "logs are kept for months and read by many")

    def test_a_refused_host_has_an_id_and_a_line_and_is_no_error(self) -> None:
        response = self.client.get("/", headers={"Host": "evil.example"})
        (line,) = self.lines()
        self.assertEqual((line["status"], line["level"]), (400, "INFO"), "scanners must not raise the error alarm")
        self.assertEqual(response["X-Request-ID"], line["request_id"])

    def test_an_exception_is_one_string_in_one_line_with_the_request_id(self) -> None:
        client = Client(raise_request_exception=False)
        with mock.patch(
            "agreements.views.AgreementList.get_queryset", side_effect=RuntimeError("broken\nin two lines")
        ):
            response = client.get("/?token=hunter2")
        self.assertContains(response, "Something went wrong", status_code=500)
        error, access = self.lines()
        self.assertEqual((error["level"], error["logger"], access["status"]), ("ERROR", "django.request", 500))
        self.assertIn("RuntimeError: broken\nin two lines", error["exception"])
        self.assertEqual(error["request_id"], access["request_id"], "the traceback must be found from the id")
        self.assertNotIn("hunter2", self.stream.getvalue())

    def test_an_error_that_is_answered_and_not_raised_has_the_request_id_too(self) -> None:
        with mock.patch("agreements.views.AgreementList.get", return_value=HttpResponse(status=502)):
            self.client.get("/", headers={"X-Amzn-Trace-Id": f"Root={TRACE}"})
        error, access = self.lines()
        self.assertEqual((error["level"], error["message"]), ("ERROR", "Bad Gateway: /"))
        self.assertEqual((error["request_id"], access["request_id"]), (TRACE, TRACE), "Django logs it outside of us")

    def test_a_failed_request_and_its_exception_do_not_hold_each_other(self) -> None:
        with mock.patch("agreements.views.AgreementList.get", side_effect=RuntimeError):
            answer = Client(raise_request_exception=False).get("/")
        self.assertNotIn("failed_with", vars(answer.wsgi_request), "memory would grow until Python looks for circles")

    def test_a_page_for_errors_that_fails_itself_leaves_its_exception(self) -> None:
        real = loader.get_template

        def broken(name: str):  # noqa: ANN202 - the template engine's own
            if name == "404.html":
                raise RuntimeError("no template")
            return real(name)

        with mock.patch("django.views.defaults.loader.get_template", broken):
            Client(raise_request_exception=False).get("/missing/")
        error, access = self.lines()
        self.assertEqual((error["logger"], access["status"]), ("django.request", 500))
        self.assertIn("RuntimeError: no template", error["exception"], "Django itself drops it")
        self.assertEqual(error["request_id"], access["request_id"])

    def test_a_successful_health_check_is_silent_and_a_failing_one_is_not(self) -> None:
        self.client.get("/healthz")
        self.assertEqual(self.lines(), [], "balancers ask several times a minute from every zone")
        with mock.patch("deployment.health.Readiness.failure", return_value=mock.Mock(check="database", reason="down")):
            self.client.get("/readyz")
        self.assertEqual([line["status"] for line in self.lines()], [503])

    def test_a_line_after_a_request_no_longer_carries_its_id(self) -> None:
        self.client.get("/")
        logging.getLogger("later").warning("afterwards")
        self.assertNotIn("request_id", self.lines()[-1])


class RequestIds(SimpleTestCase):
    def test_the_balancers_trace_wins(self) -> None:
        self.assertEqual(request_id_for(f"Root={TRACE}", "callers-own-id"), TRACE)

    def test_a_callers_harmless_id_is_kept(self) -> None:
        self.assertEqual(request_id_for("", "0b2c-job.42_retry"), "0b2c-job.42_retry")

    def test_anything_else_gets_a_new_id(self) -> None:
        cases = [
            "",
            "short",
            "a" * 129,
            'x"},{"level":"ERROR"',
            "line\nbreak-and-more",
            "ünïcödé-id",
            "spaces in the id",
        ]
        for header in cases:
            with self.subTest(header):
                self.assertRegex(request_id_for("", header), r"^[0-9a-f]{32}$", "a header must not write into the log")

    def test_a_malformed_trace_is_ignored(self) -> None:
        for header in ("Root=1-2-3", f"Root={TRACE}x", "Sampled=1", f"NotRoot={TRACE}"):
            with self.subTest(header):
                self.assertEqual(request_id_for(header, "fallback-id"), "fallback-id")


class Formatter(SimpleTestCase):
    def test_extras_of_other_libraries_stay_out(self) -> None:
        record = logging.LogRecord("some", logging.INFO, "", 0, "text %s", ("here",), None)
        record.request = "GET /?token=hunter2"
        line = json.loads(LineFormatter("r").format(record))
        self.assertEqual(set(line), {"timestamp", "level", "logger", "message", "release"})
        self.assertEqual(line["message"], "text here")

    def test_a_dictionary_as_message_is_text(self) -> None:
        record = logging.LogRecord("some", logging.INFO, "", 0, {"level": "FORGED"}, None, None)
        line = json.loads(LineFormatter("r").format(record))
        self.assertEqual((line["level"], line["message"]), ("INFO", "{'level': 'FORGED'}"))

    def test_an_exception_without_request_is_kept(self) -> None:
        try:
            raise ValueError("reason")  # noqa: TRY301 - the traceback is what is tested
        except ValueError:
            record = logging.LogRecord("some", logging.ERROR, "", 0, "failed", None, sys.exc_info())
        self.assertIn("ValueError: reason", json.loads(LineFormatter("r").format(record))["exception"])

    def test_a_stack_is_kept_and_what_json_does_not_know_is_text(self) -> None:
        record = logging.LogRecord("some", logging.INFO, "", 0, "here", None, None, sinfo=f"Stack:\n /{TOKEN}/")
        record.migrations = PurePath("0001")
        line = json.loads(LineFormatter("r").format(record))
        self.assertEqual((line["stack"], line["migrations"]), ("Stack:\n /[token]/", "0001"))
