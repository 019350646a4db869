"""Logins of staff and failed ones are lines in the log, by id; names and passwords are not in them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import TestCase

from tests.test_kept_out import TRACE, Logged

LOGIN = "/admin/login/?next=/admin/"


class Logins(Logged, TestCase):
    def log_in(self, name: str, password: str) -> list[dict[str, object]]:
        self.client.post(LOGIN, {"username": name, "password": password}, headers={"X-Amzn-Trace-Id": f"Root={TRACE}"})
        self.assertNotIn("hunter2", self.stream.getvalue(), "somebody may type a password where the name belongs")
        self.assertNotIn("ada", self.stream.getvalue())
        return [line for line in self.lines() if line["logger"] == "deployment.admin_login"]

    def test_a_login_of_staff_is_told_of_by_id_and_request(self) -> None:
        user = User.objects.create_user("ada", password="hunter2-hunter2", is_staff=True)
        (line,) = self.log_in("ada", "hunter2-hunter2")
        self.assertEqual((line["message"], line["user_id"], line["request_id"]), ("staff login", user.pk, TRACE))
        self.assertEqual(line["path"], "/admin/login/")

    def test_a_failed_login_is_told_of_without_what_was_typed(self) -> None:
        User.objects.create_user("ada", password="something-else", is_staff=True)
        (line,) = self.log_in("ada", "hunter2-hunter2")
        self.assertEqual((line["message"], line["request_id"]), ("failed login", TRACE))
        self.assertNotIn("user_id", line, "who it was meant to be is not known")

    def test_a_login_of_a_user_who_is_no_staff_is_the_users_own_affair(self) -> None:
        self.client.force_login(User.objects.create_user("ada"))
        self.assertEqual(self.lines(), [])
