"""What is sent, and in how many pieces."""

from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

from django.test import SimpleTestCase
from gunicorn.config import Config
from gunicorn.http import wsgi

from deployment.whole_answers import LARGE_BYTES, WholeAnswer, send_whole_answers


class Answers(SimpleTestCase):
    def answer(self, *headers: tuple[str, str], method: str = "GET") -> WholeAnswer:
        self.sock = mock.Mock()
        request = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
        answer = WholeAnswer(request, self.sock, Config())
        answer.start_response("200 OK", list(headers))
        return answer

    def sent(self) -> list[bytes]:
        return [call.args[0] for call in self.sock.sendall.call_args_list]

    def test_head_and_body_leave_in_one_piece(self) -> None:
        answer = self.answer(("Content-Length", "3"))
        answer.write(b"ok\n")
        answer.close()
        (whole,) = self.sent()
        self.assertTrue(whole.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(whole.endswith(b"Content-Length: 3\r\n\r\nok\n"))

    def test_a_stream_leaves_as_it_comes(self) -> None:
        answer = self.answer()
        answer.write(b"one")
        self.assertTrue(self.sent()[0].endswith(b"\r\n\r\n3\r\none\r\n"), "nothing waits for the rest")
        answer.write(b"two")
        answer.close()
        self.assertEqual(self.sent()[1:], [b"3\r\ntwo\r\n", b"0\r\n\r\n"])

    def test_an_answer_without_body_is_its_head(self) -> None:
        answer = self.answer(("Content-Length", "3"), method="HEAD")
        answer.write(b"")
        answer.close()
        self.assertEqual([piece[-4:] for piece in self.sent()], [b"\r\n\r\n"])

    def test_what_cannot_be_sent_may_still_become_an_error_page(self) -> None:
        answer = self.answer()
        with self.assertRaises(TypeError):
            answer.write("text")
        self.assertFalse(answer.headers_sent, "gunicorn would close the connection without a word")
        self.assertEqual(self.sent(), [])

    def test_a_large_piece_is_not_copied_behind_the_head(self) -> None:
        body = b"x" * (LARGE_BYTES + 1)
        answer = self.answer(("Content-Length", str(len(body))))
        answer.write(body)
        self.assertIs(self.sent()[1], body)

    def test_gunicorn_makes_its_responses_so(self) -> None:
        with mock.patch.object(wsgi, "Response"):
            send_whole_answers()
            self.assertIs(wsgi.Response, WholeAnswer)
