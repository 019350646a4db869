"""What the process accepts from its environment, and how it says what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.test import SimpleTestCase

from deployment.database_settings import connection_settings
from deployment.environment import EnvironmentInvalid, Login, read_environment

GUNICORN = ("gunicorn", "--config", "python:deployment.gunicorn_config")
APP = Path(__file__).resolve().parent.parent
COMPLETE = {
    "RELEASE": "sha256:0123",
    "ALLOWED_HOSTS": "pactum.example, .staging.example,10.0.0.1",
    "SECRET_KEY": "k" * 50,
    "DATABASE_HOST": "db.example",
    "DATABASE_NAME": "pactum",
    "DATABASE_USER": "pactum_app",
    "DATABASE_PASSWORD": "app-hunter2",
}


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the container would: with these variables and no others."""
    return subprocess.run(
        command, cwd=APP, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(APP), **variables},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class Reading(SimpleTestCase):
    def problems(self, **changes: str) -> str:
        with self.assertRaises(EnvironmentInvalid) as caught:
            read_environment(COMPLETE | changes)
        return str(caught.exception)

    def test_defaults_are_the_safe_ones(self) -> None:
        environment = read_environment(COMPLETE)
        self.assertTrue(environment.https, "a forgotten variable must not switch https off")
        self.assertEqual(environment.database.sslmode, "verify-full")
        self.assertEqual(environment.database.sslrootcert, "/etc/ssl/certs/rds-global-bundle.pem")
        self.assertEqual(environment.allowed_hosts, ("pactum.example", ".staging.example", "10.0.0.1"))
        self.assertEqual((environment.port, environment.log_level), (8000, "INFO"))
        self.assertEqual((environment.health_path, environment.readiness_path), ("/healthz", "/readyz"))
        self.assertIsNone(environment.database.master_login)

    def test_all_problems_are_named_at_once(self) -> None:
        with self.assertRaises(EnvironmentInvalid) as caught:
            read_environment(
                {"PORT": "http", "HTTPS": "yes", "DATABASE_SSLMODE": "on", "DATABASE_MASTER_USER": "master"}
            )
        message = str(caught.exception)
        self.assertIn("10 problems", message)
        for name in (
            "PORT", "HTTPS", "ALLOWED_HOSTS", "SECRET_KEY", "DATABASE_SSLMODE", "DATABASE_HOST", "DATABASE_NAME",
            "DATABASE_USER", "DATABASE_PASSWORD", "DATABASE_MASTER_PASSWORD",
        ):  # fmt: skip
            self.assertIn(f"- {name} ", message)

    def test_each_wrong_value_gets_its_rule(self) -> None:
        cases = {
            "PORT": ("65536", "a whole number from 1 to 65535"),
            "WEB_THREADS": ("0", "a whole number from 1 to 1000"),
            "DATABASE_POOL_MAX": ("-1", "a whole number from 1 to 1000"),
            "KEEP_ALIVE_SECONDS": ("1.5", "a whole number from 1 to 86400"),
            "GRACEFUL_SECONDS": ("120", "a whole number from 1 to 119"),
            "SLOW_QUERY_MILLISECONDS": ("1s", "a whole number from 1 to 60000"),
            "HEALTH_PATH": ("healthz", "a path that begins with /"),
            "READINESS_PATH": ("/readyz?deep", "a path that begins with /"),
            "LOG_LEVEL": ("info", "DEBUG, INFO, WARNING"),
            "ALLOWED_HOSTS": ("https://pactum.example", "without scheme or port"),
            "DATABASE_SSLROOTCERT": ("/nowhere.pem", "is no file"),
        }
        for name, (value, rule) in cases.items():
            with self.subTest(name):
                message = self.problems(**{name: value})
                self.assertIn(f"- {name} ", message)
                self.assertIn(repr(value), message)
                self.assertIn(rule, message)
                self.assertIn("1 problem:", message)

    def test_health_and_readiness_are_two_paths(self) -> None:
        environment = read_environment(COMPLETE | {"HEALTH_PATH": "/up", "READINESS_PATH": "/shop/ready"})
        self.assertEqual((environment.health_path, environment.readiness_path), ("/up", "/shop/ready"))
        self.assertIn("set them to different paths", self.problems(READINESS_PATH="/healthz"))

    def test_any_host_is_no_host(self) -> None:
        self.assertIn("not *", self.problems(ALLOWED_HOSTS="*"))

    def test_a_short_secret_key_is_refused_without_being_shown(self) -> None:
        message = self.problems(SECRET_KEY="hunter2")
        self.assertIn("SECRET_KEY has 7 characters", message)
        self.assertNotIn("hunter2", message)

    def test_no_representation_shows_a_secret(self) -> None:
        environment = read_environment(
            COMPLETE | {"DATABASE_MASTER_USER": "master", "DATABASE_MASTER_PASSWORD": "master-hunter2"}
        )
        self.assertEqual(environment.database.master_login, Login(user="master", password="master-hunter2"))
        for secret in ("kkkkk", "hunter2"):
            self.assertNotIn(secret, repr(environment), "a traceback or a debugger's log would carry it away")


class Times(SimpleTestCase):
    """Balancer, server and ECS wait for each other; the stack file says how long, and checks it as a whole."""

    def served_with(self, **variables: str) -> str:
        script = "from deployment import gunicorn_config as server; print(server.keepalive, server.graceful_timeout)"
        return run(sys.executable, "-c", script, **COMPLETE | variables).stdout.strip()

    def test_the_server_keeps_the_times_it_is_told(self) -> None:
        self.assertEqual(self.served_with(KEEP_ALIVE_SECONDS="130", GRACEFUL_SECONDS="40"), "130 40")

    def test_untold_it_keeps_the_infrastructures_defaults(self) -> None:
        self.assertEqual(self.served_with(), "75 8")


class KeptOutOfTheLog(SimpleTestCase):
    def test_the_server_and_the_app_know_what_no_line_may_hold(self) -> None:
        for configuration in ("deployment.gunicorn_config.logconfig_dict", "deployment.settings.LOGGING"):
            module, _, name = configuration.rpartition(".")
            script = (
                "import logging, logging.config, os\n"
                f"from {module} import {name} as configured\n"
                "logging.config.dictConfig(configured)\n"
                "logging.error('as %s, %s', os.environ['DATABASE_PASSWORD'], os.environ['SHOP_TOKEN'])"
            )
            with self.subTest(configuration):
                shown = run(sys.executable, "-c", script, **COMPLETE | {"SHOP_TOKEN": "0123456789"}).stdout
                self.assertEqual(json.loads(shown.splitlines()[-1])["message"], "as [secret], [secret]")

    def test_how_long_a_statement_may_take_is_told(self) -> None:
        self.assertEqual(read_environment(COMPLETE).slow_query_milliseconds, 1000)
        self.assertEqual(read_environment(COMPLETE | {"SLOW_QUERY_MILLISECONDS": "50"}).slow_query_milliseconds, 50)


class DatabaseConnection(SimpleTestCase):
    def settings_for(self, **changes: str) -> dict:
        return connection_settings(read_environment(COMPLETE | changes).database)

    def test_the_app_connects_through_a_pool_of_the_given_size(self) -> None:
        settings = self.settings_for(DATABASE_POOL_MAX="3")
        self.assertEqual(settings["USER"], "pactum_app")
        self.assertEqual(settings["OPTIONS"]["pool"]["max_size"], 3)
        self.assertLessEqual(settings["OPTIONS"]["pool"]["min_size"], 1, "idle tasks must not hold the whole database")
        self.assertTrue(settings["CONN_HEALTH_CHECKS"], "a failover must not cost failed requests")
        self.assertEqual(settings["OPTIONS"]["sslmode"], "verify-full")
        self.assertEqual(settings["OPTIONS"]["sslrootcert"], "/etc/ssl/certs/rds-global-bundle.pem")

    def test_the_migration_connects_as_master_without_a_pool(self) -> None:
        settings = self.settings_for(DATABASE_MASTER_USER="master", DATABASE_MASTER_PASSWORD="m")
        self.assertEqual(settings["USER"], "master")
        self.assertNotIn("pool", settings["OPTIONS"], "its lock and its work must share one session")

    def test_without_verification_no_ca_is_given(self) -> None:
        """Libpq verifies with sslmode=require too as soon as it knows a CA."""
        self.assertNotIn("sslrootcert", self.settings_for(DATABASE_SSLMODE="require")["OPTIONS"])


class Processes(SimpleTestCase):
    def test_manage_py_says_what_is_missing_in_one_log_line(self) -> None:
        result = run("python", "manage.py", "migrate_safely")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        (line,) = result.stdout.splitlines()
        self.assertIn("SECRET_KEY is missing", json.loads(line)["message"])

    def test_gunicorn_refuses_to_start_in_one_log_line(self) -> None:
        result = run(*GUNICORN, **COMPLETE | {"SECRET_KEY": "hunter2"})
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stdout.splitlines()), 1, "the cause must not drown in tracebacks")
        self.assertIn('"level": "CRITICAL"', result.stdout)
        self.assertNotIn("hunter2", result.stdout + result.stderr)

    def test_gunicorn_without_the_internals_of_our_worker_is_refused_in_one_log_line(self) -> None:
        """The worker must not start and then answer nothing, or only when the database hangs."""
        script = (
            "import sys; from gunicorn.workers.gthread import ThreadWorker; del ThreadWorker.accept;"
            " from gunicorn.app.wsgiapp import run; sys.argv = sys.argv[1:]; run()"
        )
        result = run("python", "-c", script, *GUNICORN, **COMPLETE)
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        (line,) = result.stdout.splitlines()
        self.assertIn("lacks what deployment.probe_worker builds on: ThreadWorker.accept", json.loads(line)["message"])

    def test_a_process_that_serves_refuses_the_made_up_values_of_an_images_build(self) -> None:
        result = run(*GUNICORN, **COMPLETE | {"IMAGE_BUILD": "true"})
        self.assertEqual(result.returncode, 1)
        self.assertIn("IMAGE_BUILD is set", result.stdout)

    def test_no_command_of_a_release_runs_on_the_made_up_values_of_an_images_build(self) -> None:
        """A migration without a database would end well, and have done nothing."""
        result = run("python", "manage.py", "migrate_safely", **COMPLETE | {"IMAGE_BUILD": "true"})
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        (line,) = result.stdout.splitlines()
        self.assertIn("IMAGE_BUILD is 'true' while RELEASE is a digest", json.loads(line)["message"])

    def test_the_web_process_refuses_the_master_login(self) -> None:
        master = {"DATABASE_MASTER_USER": "master", "DATABASE_MASTER_PASSWORD": "hunter2"}
        result = run(*GUNICORN, **COMPLETE | master)
        self.assertEqual(result.returncode, 1)
        self.assertIn("only the migration may have the master login", result.stdout)

    def test_djangos_deployment_checks_pass_with_https(self) -> None:
        result = run("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **COMPLETE | {
            "SECRET_KEY": "8Jq!x" * 10, "HTTPS": "true"})  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_https_sets_everything_that_depends_on_it(self) -> None:
        script = (
            "from pactum import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
            " s.SECURE_SSL_REDIRECT, s.SECURE_PROXY_SSL_HEADER is not None, s.SECURE_HSTS_SECONDS > 0,"
            " ' '.join(s.CSRF_TRUSTED_ORIGINS))"
        )
        secure = run(sys.executable, "-c", script, **COMPLETE).stdout.strip()
        self.assertEqual(
            secure,
            f"{'True ' * 5}https://pactum.example https://*.staging.example https://10.0.0.1",
        )
        plain = run(sys.executable, "-c", script, **COMPLETE | {"HTTPS": "false"}).stdout.strip()
        self.assertEqual(plain, ("False " * 5).strip(), "over http a secure cookie would never come back")
