"""Canaries: values that users send, that rows hold and that secrets are, looked for in all that production logs."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory, SimpleTestCase, TestCase, override_settings
from django.urls import path

from agreements.models import Agreement, Party
from deployment.json_logs import LONGEST_LINE, LineFormatter, RequestFacts, current_request, logging_config
from deployment.kept_out import Secrets, message_of, secrets_in, without_details, without_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

# Every one of them has this in it, so that a part of one is found as well.
MARK = "canary"
SENT = {name: f"{MARK}-{name}-o'Neil" for name in ("query", "session", "bearer", "key", "referer", "file")}
# Python writes it with a backslash, in the words of an error.
SENT["field"] = f'{MARK}-field-"o\'Neil"'
SECRETS = {
    "SECRET_KEY": f"{MARK}-secret-key",
    "DATABASE_PASSWORD": f"{MARK}-password",
    "STRIPE_TOKEN": f"{MARK}-stripe",
}
ADDRESS = {"BROKER": f"amqp://app:{MARK}-in-an-address@broker:5672/"}
RESET = "c0ffee1-0123456789abcdef0123456789abcdef"
TRACE = "1-67891233-abcdef012345678912345678"
app = logging.getLogger("shop.views")


def asked(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.POST)}")


def local(request: HttpRequest) -> HttpResponse:
    password = request.POST["password"]
    raise RuntimeError(f"{len(password)} characters")


def said(request: HttpRequest) -> HttpResponse:
    try:
        int(request.POST["password"])
    except ValueError as error:
        raise KeyError(request.GET["token"]) from error
    return HttpResponse()


def noted(request: HttpRequest) -> HttpResponse:
    error = RuntimeError(request.headers["Authorization"].split()[1], request.META["HTTP_REFERER"])
    error.add_note(f"session {request.COOKIES['sessionid']}")
    raise ExceptionGroup("several", [error, ValueError(request.headers["X-Api-Key"])])


def logged(request: HttpRequest) -> HttpResponse:
    app.warning("cannot read %r", request.POST["password"])
    app.info("paid with %s", SECRETS["STRIPE_TOKEN"])
    return HttpResponse()


def uploaded(request: HttpRequest) -> HttpResponse:
    raise OSError(28, "No space left on device", request.FILES["upload"].name)


def posted(request: HttpRequest) -> HttpResponse:
    one, number = json.loads(request.body)["cards"]
    raise RuntimeError(f"{one['holder']} pays with {number} at {request.get_full_path()}")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation(f"tampered: {request.GET['token']}")


def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(f"javascript:{request.GET['token']}")


def secret(_: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"cannot sign with {SECRETS['SECRET_KEY']} nor connect to {ADDRESS['BROKER']}")


def reset(_: HttpRequest, token: str) -> HttpResponse:
    raise RuntimeError(f"cannot use {token}")


def stored(row: Callable[[], object]) -> Callable[[HttpRequest], HttpResponse]:
    """A view that stores what comes from nowhere in the request, tells of the error in each usual way, and fails."""

    def view(_: HttpRequest) -> HttpResponse:
        try:
            with transaction.atomic():
                row()
        except DatabaseError as error:
            app.exception("could not store it: %s", error)
            app.error("could not store it: " + str(error))  # as people write it
            app.error(error)
            raise
        return HttpResponse()

    return view


def twice() -> None:
    agreement = Agreement.objects.create(title="Lease", terms="None")
    for _ in range(2):
        Party.objects.create(agreement=agreement, name=f"{MARK} of a row")


def refused() -> None:
    Agreement.objects.create(title=f"{MARK} of a row", terms="None", status="unknown")


def no_number() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text::integer", [f'{MARK} "of" a row'])


def no_parameter() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::date", [f"{MARK} of a row"])


def missing(*_: object, **__: object) -> HttpResponse:
    return HttpResponse(status=404)


handler404 = missing
urlpatterns = [
    path("asked/", asked),
    path("local/", local),
    path("said/", said),
    path("noted/", noted),
    path("logged/", logged),
    path("uploaded/", uploaded),
    path("posted/", posted),
    path("suspicious/", suspicious),
    path("elsewhere/", elsewhere),
    path("secret/", secret),
    path("reset/MQ/<token>/", reset),
    path("twice/", stored(twice)),
    path("refused/", stored(refused)),
    path("no-number/", stored(no_number)),
    path("no-parameter/", stored(no_parameter)),
]


class Logged(SimpleTestCase):
    """What production writes: its own configuration, at its most talkative level."""

    def setUp(self) -> None:
        self.addCleanup(logging.config.dictConfig, settings.LOGGING)
        secrets = secrets_in(SECRETS | ADDRESS)
        logging.config.dictConfig(logging_config("DEBUG", "sha256:release", secrets=secrets))
        self.stream = io.StringIO()
        logging.getLogger().handlers[0].setStream(self.stream)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def forget(self) -> None:
        self.stream.seek(0)
        self.stream.truncate()


@override_settings(ROOT_URLCONF=__name__)
class Canaries(Logged, TestCase):
    def ask(self, address: str, *, host: str = "localhost", checked: bool = False) -> list[dict[str, Any]]:
        """Send a value in everything a request has room for; return the lines, none of which may show one."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=checked)
        client.cookies["sessionid"] = SENT["session"]
        client.post(
            f"{address}?token={SENT['query']}",
            {"password": SENT["field"], "upload": SimpleUploadedFile(SENT["file"], b"content")},
            headers={
                "Host": host,
                "Authorization": f"Bearer {SENT['bearer']}",
                "Referer": f"https://elsewhere.example/?token={SENT['referer']}",
                "X-Api-Key": SENT["key"],
                "X-Amzn-Trace-Id": f"Root={TRACE}",
            },
            secure=True,
        )
        self.assertNotIn(MARK, self.stream.getvalue(), "logs are kept for months and read by many")
        lines = self.lines()
        self.assertEqual({line.get("request_id") for line in lines}, {TRACE}, "its lines are found by the request's id")
        return lines

    def error(self, address: str) -> dict[str, Any]:
        """Return the line of the exception; the request's own is the last."""
        *_, error, access = self.ask(address)
        self.assertEqual((access["status"], error["logger"], error["level"]), (500, "django.request", "ERROR"))
        return error

    def test_an_answer_and_a_missing_page_show_none(self) -> None:
        for address, status in (("/asked/", 200), ("/missing/", 404)):
            with self.subTest(address):
                self.assertEqual(self.ask(address)[-1]["status"], status)

    def test_a_form_that_is_refused_for_its_referer_shows_neither_it_nor_its_fields(self) -> None:
        refusal, access = self.ask("/asked/", checked=True)
        self.assertEqual((refusal["logger"], access["status"]), ("django.security.csrf", 403))
        self.assertIn("Forbidden (", refusal["message"], "what it was refused for is still told")

    def test_a_refused_host_shows_none(self) -> None:
        self.assertEqual([line["status"] for line in self.ask("/asked/", host=f"{MARK}.example")], [400])

    def test_a_suspicious_request_shows_none_and_what_it_was(self) -> None:
        for address, message in (("/suspicious/", "tampered: "), ("/elsewhere/", "Unsafe redirect")):
            with self.subTest(address):
                warning = self.ask(address)[-2]
                self.assertIn(message, warning["message"])
                self.assertIn(message, warning["exception"])

    def test_an_exceptions_local_variables_are_not_shown_and_its_own_words_are(self) -> None:
        exception = self.error("/local/")["exception"]
        self.assertIn(f"RuntimeError: {len(SENT['field'])} characters", exception)
        self.assertIn("in local", exception, "where it was raised is what leads to the cause")

    def test_an_exceptions_words_lose_what_the_user_sent(self) -> None:
        exception = self.error("/said/")["exception"]
        self.assertIn("ValueError: invalid literal for int() with base 10: '[sent by the user]'", exception)
        self.assertIn("direct cause of the following exception", exception)
        self.assertIn("KeyError:", exception.partition("direct cause")[2])

    def test_notes_and_groups_lose_it_too(self) -> None:
        exception = self.error("/noted/")["exception"]
        for part in ("ExceptionGroup: several", "session [sent by the user]", "ValueError: [sent by the user]"):
            self.assertIn(part, exception)

    def test_lines_of_the_apps_own_lose_what_the_user_sent_and_secrets(self) -> None:
        warning, info, _ = self.ask("/logged/")
        self.assertEqual(warning["message"], "cannot read '[sent by the user]'")
        self.assertEqual(info["message"], "paid with [secret]")

    def test_the_name_of_an_uploaded_file_is_not_shown(self) -> None:
        self.assertIn("No space left on device", self.error("/uploaded/")["exception"])

    def test_texts_and_numbers_in_a_body_of_json_and_addresses_as_they_stand_are_not_shown(self) -> None:
        body = {"cards": [{"holder": SENT["field"], "valid": True}, 4929123412341234]}
        Client(raise_request_exception=False).post(
            f'/posted/?name="&token={MARK}+with+words', body, content_type="application/json"
        )
        error, _ = self.lines()
        self.assertIn(
            "[sent by the user] pays with [sent by the user] at /posted/?name=%22&token=[sent by the user]",
            error["exception"],
        )
        self.assertNotIn(MARK, self.stream.getvalue())

    def test_a_body_that_is_no_json_after_all_loses_no_line(self) -> None:
        for body in ("{", "[" * 100_000, "7"):
            with self.subTest(body[:2]):
                self.forget()
                Client(raise_request_exception=False).post("/posted/", body, content_type="application/json")
                error, _ = self.lines()
                self.assertIn("in posted", error["exception"])

    def test_words_of_protocols_stay(self) -> None:
        words = {"Connection": "close", "X-Forwarded-Proto": "https", "Sec-Fetch-Dest": "document"}
        request = RequestFactory().get("/", headers={**words, "Accept": "hunter2, close", "X-Mode": "closed"})
        text = "the document was closed, see https://docs; closed again, hunter2, close"
        self.assertEqual(
            without_sent(text, request),
            "the document was [sent by the user], see https://docs; [sent by the user] again, [sent by the user]",
            "a browser sends them with every page",
        )

    def test_what_is_read_after_a_line_is_known_at_the_next(self) -> None:
        request = RequestFactory().post("/", {"field": SENT["field"]})
        texts = [without_sent(SENT["field"], request)]
        self.assertEqual(len(request.POST), 1)
        texts.append(without_sent(SENT["field"], request))
        self.assertEqual(texts, [SENT["field"], "[sent by the user]"])

    def test_a_big_form_does_not_make_each_line_slow(self) -> None:
        request = RequestFactory().post("/", {f"f{n}": f"{n} é word " * 160 for n in range(900)})
        self.assertEqual(len(request.POST), 900)
        without_sent("text", request)
        with mock.patch("deployment.kept_out.quote") as forms:
            without_sent("nothing of it is in this text", request)
        forms.assert_not_called()

    def test_a_big_form_that_is_logged_as_a_whole_is_not_looked_through(self) -> None:
        request = RequestFactory().post("/", {f"f{n}": f"{n} {MARK} " * 160 for n in range(900)})
        text = str(request.POST)
        began = time.process_time()
        self.assertEqual(
            without_sent(text, request), f"[{len(text)} characters, too many to take out of them what the user sent]"
        )
        self.assertLess(time.process_time() - began, 1)
        one = RequestFactory().post("/", {"field": f"{MARK} " * 100_000})
        self.assertEqual(without_sent(f"it is {one.POST}", one)[:40], "it is <QueryDict: {'field': ['[sent by t")

    def test_secrets_are_not_shown_nor_those_in_an_address(self) -> None:
        exception = self.error("/secret/")["exception"]
        self.assertIn("cannot sign with [secret] nor connect to amqp://app:[secret]@broker:5672/", exception)

    def test_the_token_of_a_password_reset_is_not_shown(self) -> None:
        lines = self.ask(f"/reset/MQ/{RESET}/")
        self.assertNotIn(RESET, self.stream.getvalue(), "whoever reads it may set the password")
        self.assertEqual({line["path"] for line in lines}, {"/reset/MQ/[token]/"})

    def test_what_the_database_says_of_rows_is_not_shown_and_which_rule_they_broke_is(self) -> None:
        cases = {
            "/twice/": 'violates unique constraint "party_once_in_an_agreement"',
            "/refused/": 'violates check constraint "agreement_status_is_known"',
            "/no-number/": 'invalid input syntax for type integer: "..."',
            "/no-parameter/": 'invalid input syntax for type date: "..."',
        }
        for address, words in cases.items():
            with self.subTest(address):
                self.forget()
                error = self.error(address)
                self.assertIn(words, error["exception"])
                self.assertIn("psycopg.errors.", error["exception"], "the driver's error is the cause")


class Outside(Logged):
    """Where there is no request: workers, jobs, migrations."""

    def test_secrets_are_not_shown(self) -> None:
        password = SECRETS["DATABASE_PASSWORD"]
        app.error("cannot connect as %s", password, exc_info=RuntimeError(password))
        self.assertNotIn(MARK, self.stream.getvalue())
        self.assertEqual(self.lines()[0]["message"], "cannot connect as [secret]")

    def test_settings_that_are_shown_show_no_secret(self) -> None:
        self.assertNotIn(MARK, repr(logging_config("INFO", "", secrets=secrets_in(SECRETS))))

    def test_an_exception_that_cannot_say_what_it_is_is_logged_all_the_same(self) -> None:
        class Mute(Exception):  # noqa: N818 - it is an answer, not a fault
            def __str__(self) -> str:
                raise RuntimeError

        app.error("it broke", exc_info=Mute())
        self.assertIn("Mute: ", self.lines()[0]["exception"])

    def test_exceptions_that_are_each_others_cause_end(self) -> None:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        app.error("it broke", exc_info=first)
        self.assertEqual(self.lines()[0]["exception"].count("ValueError: first"), 1)

    def test_an_exception_that_was_taken_out_of_a_group_is_told_of_once(self) -> None:
        error = ValueError("first")
        # As `except ExceptionGroup as group: raise group.exceptions[0]` does.
        error.__context__ = ExceptionGroup("several", [error, ValueError("second")])
        app.error("it broke", exc_info=error)
        exception = self.lines()[0]["exception"]
        self.assertEqual((exception.count("ValueError: first"), exception.count("ValueError: second")), (1, 1))
        self.assertIn("ValueError (it is shown elsewhere here)", exception)

    def test_a_line_whose_values_do_not_fit_keeps_its_words_and_its_exception(self) -> None:
        with mock.patch("sys.stderr", io.StringIO()) as stderr:
            app.error("%d items", MARK, exc_info=RuntimeError("why"))
        (line,) = self.lines()
        self.assertEqual(line["message"], "%d items (TypeError: without its values)")
        self.assertEqual((line["exception"], stderr.getvalue()), ("RuntimeError: why", ""), "Python shows the values")

    def test_a_line_that_cannot_be_written_says_where_it_was_made(self) -> None:
        class Mute:
            def __str__(self) -> str:
                raise RuntimeError(MARK)

        token = current_request.set(RequestFacts(request_id=TRACE, method="GET", path="/"))
        self.addCleanup(current_request.reset, token)
        with mock.patch("sys.stderr", io.StringIO()) as stderr:
            app.error("one", extra={"user_id": Mute()})
        (line,) = self.lines()
        self.assertEqual(line["request_id"], TRACE)
        self.assertIn("test_kept_out.py:", line["message"])
        self.assertTrue(line["message"].endswith(": this line cannot be written: RuntimeError"))
        self.assertEqual((line["level"], line["release"], stderr.getvalue()), ("ERROR", "sha256:release", ""))

    def test_notes_that_are_none_are_left_out(self) -> None:
        error = ValueError("it broke")
        error.__notes__ = 5  # type: ignore[assignment] # a library's own idea
        app.error("see", exc_info=error)
        self.assertEqual(self.lines()[0]["exception"], "ValueError: it broke")

    def test_an_exception_logged_where_there_is_none_breaks_nothing(self) -> None:
        app.error("nothing to show", exc_info=True)
        self.assertNotIn("exception", self.lines()[0])

    def test_a_line_stays_short_enough_to_be_one_and_says_what_it_was(self) -> None:
        for size in (9_000, 40_000, 400_000):
            with self.subTest(size):
                self.forget()
                app.error("é" * size, exc_info=RuntimeError("x" * size + " the end"))
                self.assertLess(len(self.stream.getvalue()), LONGEST_LINE, "Docker cuts it, and no half is JSON")
                self.assertTrue(self.lines()[0]["exception"].endswith("the end"))

    def test_a_message_with_named_values_is_put_together(self) -> None:
        app.error("%(what)s broke", {"what": "it"})
        app.error("100% broken")
        self.assertEqual([line["message"] for line in self.lines()], ["it broke", "100% broken"])


class Messages(SimpleTestCase):
    def test_an_error_of_the_driver_itself_is_shown_whole(self) -> None:
        text = "connection failed: no route to host\nMultiple connection attempts failed."
        self.assertEqual(message_of(DatabaseError(text)), text, "it has no rows to tell of")

    def test_a_message_that_repeats_the_databases_loses_the_rows(self) -> None:
        error = RuntimeError("import failed: duplicate key\nDETAIL:  Key (email)=(a@example.com) already exists.")
        self.assertEqual(message_of(error), "import failed: duplicate key")

    def test_rows_are_not_shown_where_an_exception_is_written_as_code(self) -> None:
        error = IntegrityError("duplicate key\nDETAIL:  Key (email)=(a@example.com) already exists.\n")
        for text in (repr(error), repr(repr(error)), f"{[error]}"):
            self.assertNotIn("example.com", without_details(text))

    def test_values_that_are_out_of_range_are_not_shown(self) -> None:
        cases = {
            'value "12345" is out of range for type integer': 'value "..." is out of range for type integer',
            'a value "1" of "2" is out of range, value "3" is out of range': 'a value "..." is out of range',
            'date/time field value out of range: "31-31"': 'date/time field value out of range: "..."',
            'x" is out of range, value "3"': 'x" is out of range, value "3"',
            'the "pager" is out of range': 'the "pager" is out of range',
            "no value": "no value",
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(without_details(text), expected)

    def test_no_text_takes_long_to_look_through(self) -> None:
        """What a form may hold; the time of a pattern that goes back and forth grows with its square."""
        pieces = ("invalid input syntax for ", 'value "', "\nLINE 1", "\nDETAIL", "abcdef-", "a://", "x", "1", '"')
        for piece in pieces:
            for end in ("", '" is out of range '):
                with self.subTest(piece + end):
                    began = time.process_time()
                    json.loads(
                        LineFormatter("r").format(logging.makeLogRecord({"msg": end + piece * (400_000 // len(piece))}))
                    )
                    self.assertLess(time.process_time() - began, 2)

    def test_another_error_because_of_one_of_the_databases_keeps_its_own_words(self) -> None:
        error = ValueError("the import ended at line 7")
        error.__cause__ = cause = IntegrityError("duplicate key")
        cause.diag = mock.Mock(message_primary="duplicate key")
        self.assertEqual(message_of(error), "the import ended at line 7")

    def test_a_value_that_the_database_cannot_take_is_not_shown_whatever_it_says_of_it(self) -> None:
        for state, shown in (("22023", 'time zone "..." not recognized'), ("42703", 'time zone "Mars" not recognized')):
            error = DatabaseError()
            error.__cause__ = cause = RuntimeError()
            cause.diag = mock.Mock(message_primary='time zone "Mars" not recognized', sqlstate=state)
            with self.subTest(state):
                self.assertEqual(
                    message_of(error), shown, "what is in quotes elsewhere is the name of a column or a rule"
                )

    def test_secrets_are_known_by_the_names_of_their_variables(self) -> None:
        values = {
            "SECRET_KEY": "0123456",
            "AWS_SECRET_ACCESS_KEY": "1234567",
            "SMTP_PASS": "2345678",
            "PIN_TOKEN": "12",
        }
        text = "0123456 1234567 2345678 12 monday pa/ss3"
        others = {"DAY": "monday", "CACHE_KEY_PREFIX": "monday", "BROKER": "amqp://app:pa%2Fss3@broker"}
        shown = secrets_in(values | others).taken_out(text)
        self.assertEqual(shown, "[secret] [secret] [secret] 12 monday [secret]", "two characters are in every text")

    def test_a_secret_that_begins_another_does_not_leave_its_end(self) -> None:
        self.assertEqual(Secrets(["abcdef", "abcdef-more"]).taken_out("abcdef-more"), "[secret]")

    def test_a_formatter_knows_no_secret_unless_it_is_told(self) -> None:
        record = logging.LogRecord("some", logging.INFO, "", 0, "text", (), None)
        self.assertEqual(json.loads(LineFormatter("r").format(record))["message"], "text")
