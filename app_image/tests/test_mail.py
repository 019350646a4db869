"""Mail: who takes it, and that no way into the app is written to a log."""

import sys

from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail import EmailMessage
from django.test import SimpleTestCase, TestCase, override_settings

from deployment.environment import EnvironmentInvalid, Login, Mail, read_environment
from tests.test_environment import COMPLETE, run

SENDER = "Pactum <pactum@pactum.example>"
SERVER = {"EMAIL_HOST": "mail.example", "DEFAULT_FROM_EMAIL": SENDER}


class Reading(SimpleTestCase):
    def test_without_a_host_there_is_no_mail(self) -> None:
        self.assertIsNone(read_environment(COMPLETE).mail)

    def test_the_default_is_an_encrypted_connection(self) -> None:
        expected = Mail(host="mail.example", port=587, login=None, use_tls=True, sender=SENDER)
        self.assertEqual(read_environment(COMPLETE | SERVER).mail, expected)

    def test_everything_can_be_set_and_the_password_is_not_shown(self) -> None:
        login = {"EMAIL_HOST_USER": "me", "EMAIL_HOST_PASSWORD": "mail-hunter2"}
        changes = {"EMAIL_PORT": "1025", "EMAIL_USE_TLS": "false", **login}
        environment = read_environment(COMPLETE | SERVER | changes)
        self.assertEqual(
            environment.mail,
            Mail(
                host="mail.example",
                port=1025,
                login=Login(user="me", password="mail-hunter2"),
                use_tls=False,
                sender=SENDER,
            ),
        )
        self.assertNotIn("hunter2", repr(environment))

    def test_what_is_missing_is_named(self) -> None:
        with self.assertRaises(EnvironmentInvalid) as caught:
            read_environment(COMPLETE | {"EMAIL_HOST": "mail.example", "EMAIL_HOST_USER": "me"})
        self.assertIn("EMAIL_HOST_PASSWORD is missing", str(caught.exception))
        self.assertIn("DEFAULT_FROM_EMAIL is missing", str(caught.exception))

    def test_django_gets_all_of_it(self) -> None:
        script = (
            "from pactum import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER,"
            " s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, s.EMAIL_TIMEOUT, s.SERVER_EMAIL == s.DEFAULT_FROM_EMAIL)"
        )
        login = {"EMAIL_HOST_USER": "me", "EMAIL_HOST_PASSWORD": "secret"}
        shown = run(sys.executable, "-c", script, **COMPLETE | SERVER | login).stdout.strip()
        backend = "django.core.mail.backends.smtp.EmailBackend"
        self.assertEqual(shown, f"{backend} mail.example 587 me secret True 5 True")


class WithoutAServer(SimpleTestCase):
    @override_settings(EMAIL_BACKEND="deployment.no_mail.NoMail")
    def test_one_warning_says_that_nothing_was_sent_and_not_what(self) -> None:
        with self.assertLogs(level="INFO") as logs:
            sent = EmailMessage("Reset", "https://pactum.example/reset/hunter2/", to=["ada@example.com"]).send()
        self.assertEqual(sent, 0)
        (line,) = logs.output
        self.assertIn("set EMAIL_HOST", line)
        self.assertNotIn("hunter2", line)

    def test_it_is_the_default(self) -> None:
        script = "from pactum import settings as s; print(s.EMAIL_BACKEND)"
        self.assertEqual(run(sys.executable, "-c", script, **COMPLETE).stdout.strip(), "deployment.no_mail.NoMail")


class PasswordReset(TestCase):
    def test_the_login_page_leads_to_a_mail_and_the_mail_to_a_new_password(self) -> None:
        user = get_user_model().objects.create_superuser("ada", "ada@example.com", "analytical")
        self.assertContains(self.client.get("/admin/login/"), 'href="/admin/password_reset/')
        self.client.post("/admin/password_reset/", {"email": "ada@example.com"})
        (message,) = mail.outbox
        link = next(word for word in message.body.split() if "/reset/" in word)
        self.assertTrue(link.startswith("http://testserver/reset/"))
        form = self.client.get(link, follow=True).redirect_chain[-1][0]
        self.client.post(form, {"new_password1": "engine-no-2", "new_password2": "engine-no-2"})
        user.refresh_from_db()
        self.assertTrue(user.check_password("engine-no-2"))

    def test_a_stranger_learns_nothing_and_gets_no_mail(self) -> None:
        answer = self.client.post("/admin/password_reset/", {"email": "nobody@example.com"})
        self.assertRedirects(answer, "/admin/password_reset/done/")
        self.assertEqual(mail.outbox, [])
