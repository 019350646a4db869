"""Checks the app's container from outside, as ECS and the balancer meet it. `tests/app/run` starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import threading
import time
import unittest
from typing import Any
from urllib.parse import urlencode

IMAGE = os.environ["IMAGE"]
NETWORK = os.environ["NETWORK"]
DATABASE = os.environ["DATABASE"]
LABEL = os.environ["LABEL"]
CA_FILE = os.environ["CA_FILE"]

SECRETS = {"SECRET_KEY": "s3cr3t-key-" * 6, "DATABASE_PASSWORD": "s3cr3t-app-password"}
MASTER = {"DATABASE_MASTER_USER": "master", "DATABASE_MASTER_PASSWORD": "master-password"}
ENVIRONMENT = {
    "RELEASE": "sha256:container-test",
    "ALLOWED_HOSTS": "pactum.example",
    "HTTPS": "false",
    "DATABASE_HOST": "database",
    "DATABASE_NAME": "pactum",
    "DATABASE_USER": "pactum_app",
    "DATABASE_SSLROOTCERT": "/made/ca.pem",
    **SECRETS,
}
# As in the task definition: user, read-only root, no capabilities; /tmp is the volume that the image declares.
HARDENED = ["--read-only", "--user=10001:10001", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
PSQL = ["--env=PGPASSWORD=root-password", DATABASE, "psql", "-h", "127.0.0.1", "-U", "postgres", "pactum"]


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run docker; raise with its words if it fails and `check` is set."""
    result = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=90, check=False)
    if check and result.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments[:2])} failed: {result.stdout}{result.stderr}")
    return result


def run(*command: str, options: tuple[str, ...] = (), **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the image with the task's environment, changed as given."""
    variables = [f"--env={name}={value}" for name, value in (ENVIRONMENT | changes).items()]
    return docker(
        "run", f"--label={LABEL}", f"--network={NETWORK}", f"--volume={CA_FILE}:/made/ca.pem:ro",
        *HARDENED, *variables, *options, IMAGE, *command, check=False,
    )  # fmt: skip


def migrate() -> None:
    """Prepare the database, as every deployment does first."""
    migrated = run("python", "manage.py", "migrate_safely", options=("--rm",), **MASTER)
    if migrated.returncode != 0:
        raise AssertionError(f"migrate_safely failed: {migrated.stdout}{migrated.stderr}")


class Web:
    """A web container, reachable on a port of the loopback interface."""

    def __init__(self, **changes: str) -> None:
        started = run(options=("--detach", "--publish=127.0.0.1::8000"), **changes)
        if started.returncode != 0:
            raise AssertionError(f"the web container does not start: {started.stderr}")
        self.name = started.stdout.strip()
        self.port = int(docker("port", self.name, "8000").stdout.splitlines()[0].rpartition(":")[2])
        deadline = time.monotonic() + 20
        while not self.answers():
            if time.monotonic() > deadline:
                raise AssertionError(f"/healthz does not answer; the log:\n{self.log()}")
            time.sleep(0.2)

    def answers(self) -> bool:
        try:
            return self.request("GET", "/healthz")[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def request(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Ask as a user does; return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(method, path, body, {"Host": "pactum.example", **headers})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def log(self) -> str:
        result = docker("logs", self.name)
        return result.stdout + result.stderr

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.name)


class Image(unittest.TestCase):
    """How the image says it is run; check_image.py checks what is in it."""

    def test_it_runs_as_its_user_and_ends_on_sigterm(self) -> None:
        config = json.loads(docker("image", "inspect", IMAGE).stdout)[0]["Config"]
        self.assertEqual(config["User"], "10001:10001")
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertEqual(config["Cmd"][0], "gunicorn", "a shell in between would swallow SIGTERM")
        self.assertEqual(list(config["Volumes"]), ["/tmp"])  # noqa: S108
        self.assertEqual(list(config["ExposedPorts"]), ["8000/tcp"])

    def test_no_secret_is_in_its_environment_or_its_history(self) -> None:
        config = json.loads(docker("image", "inspect", IMAGE).stdout)[0]["Config"]
        text = "\n".join(config["Env"]) + docker("history", "--no-trunc", "--format={{.CreatedBy}}", IMAGE).stdout
        self.assertIsNone(
            re.search(r"(SECRET\w*|PASSWORD|TOKEN|\w*_KEY)\s*=", text, re.IGNORECASE), f"it looks like a secret: {text}"
        )


class Migrating(unittest.TestCase):
    """The deployment's one-off task."""

    def test_all_it_writes_is_json_on_stdout(self) -> None:
        for changes, code in ((MASTER, 0), (MASTER | {"DATABASE_MASTER_PASSWORD": "wrong"}, 1)):
            result = run("python", "manage.py", "migrate_safely", options=("--rm",), **changes)
            self.assertEqual((result.returncode, result.stderr), (code, ""))
            lines = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertTrue(lines, "whoever reads the log must see what was done")
            self.assertEqual({line["release"] for line in lines}, {"sha256:container-test"})
            self.assertEqual([line["level"] for line in lines].count("CRITICAL"), code, "an error is one line")


class Serving(unittest.TestCase):
    """The life of a deployment: migrate, serve, stop."""

    web: Web

    @classmethod
    def setUpClass(cls) -> None:
        migrate()
        cls.web = Web()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.web.remove()

    def test_1_it_is_ready_over_verified_tls(self) -> None:
        status, _, body = self.web.request("GET", "/readyz", Host="10.0.0.9")
        self.assertEqual((status, json.loads(body)), (200, {"status": "ok", "release": "sha256:container-test"}))
        query = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'pactum_app'"
        self.assertEqual(docker("exec", *PSQL, "-tAc", query).stdout.strip(), "t")

    def test_2_a_page_is_served_and_an_agreement_stored(self) -> None:
        _, headers, form = self.web.request("GET", "/agreements/new/")
        cookie = headers["Set-Cookie"].split(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token, "the form has no token"
        fields = {"title": "From outside", "parties": "A\nB", "terms": "t", "status": "draft"}
        status, headers, _ = self.web.request(
            "POST",
            "/agreements/new/",
            urlencode({"csrfmiddlewaretoken": token[1], **fields}),
            **{"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie},
        )
        self.assertEqual(status, http.client.FOUND)
        self.assertIn("From outside", self.web.request("GET", headers["Location"])[2])
        self.assertIn("From outside", self.web.request("GET", "/")[2])

    def test_3_a_client_cannot_move_the_apps_paths(self) -> None:
        status, _, body = self.web.request("GET", "/", **{"SCRIPT_NAME": "/evil", "X-Forwarded-Prefix": "/evil"})
        self.assertEqual(status, http.client.OK)
        self.assertNotIn("/evil", body, "links on the page would lead to addresses of the client's choice")

    def test_4_a_database_that_hangs_fails_readiness_only_and_comes_back(self) -> None:
        time.sleep(1.2)  # an answer is remembered for a second
        docker("pause", DATABASE)
        try:
            started = time.monotonic()
            status, _, body = self.web.request("GET", "/readyz")
            self.assertEqual((status, json.loads(body)["check"]), (503, "database"))
            self.assertLess(time.monotonic() - started, 3)
            self.assertEqual(self.web.request("GET", "/healthz")[0], 200, "ECS must not stop tasks for it")
        finally:
            docker("unpause", DATABASE)
        deadline = time.monotonic() + 15
        while self.web.request("GET", "/readyz")[0] != http.client.OK:
            self.assertLess(time.monotonic(), deadline, "it must recover by itself")
            time.sleep(0.5)

    def test_5_sigterm_lets_a_slow_request_finish(self) -> None:
        """The request is slow because the database has locked the table; nothing in the app is made for this test."""
        lock = "BEGIN; LOCK TABLE agreements_agreement IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(5); COMMIT"
        locker = subprocess.Popen(
            ["docker", "exec", *PSQL, "-c", lock], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        self.addCleanup(locker.wait)
        time.sleep(1)
        answers: list[int] = []
        user = threading.Thread(target=lambda: answers.append(self.web.request("GET", "/")[0]))
        user.start()
        time.sleep(1)
        self.assertTrue(user.is_alive(), "the request should still be waiting")
        started = time.monotonic()
        docker("stop", "--time=30", self.web.name)
        took = time.monotonic() - started
        user.join(10)
        state: dict[str, Any] = json.loads(docker("inspect", self.web.name).stdout)[0]["State"]
        self.assertEqual(answers, [200], "a deployment must not cost a user's request")
        self.assertEqual(state["ExitCode"], 0, "ECS would report a failed task")
        self.assertTrue(1 < took < 10, f"it took {took:.1f} s: it should wait for the request and no longer")

    def test_6_the_log_is_json_throughout_and_holds_no_secret(self) -> None:
        log = self.web.log()
        lines = [json.loads(line) for line in log.splitlines()]
        self.assertTrue({"gunicorn.error", "deployment.request"} <= {line["logger"] for line in lines})
        self.assertTrue(all(line["release"] == "sha256:container-test" for line in lines))
        self.assertFalse([line for line in lines if line["level"] in {"ERROR", "CRITICAL"}], "nothing went wrong here")
        for secret in SECRETS.values():
            self.assertNotIn(secret, log)


class Outages(unittest.TestCase):
    """Starting when something is missing."""

    def test_it_starts_and_is_healthy_without_a_database(self) -> None:
        web = Web(DATABASE_HOST="nowhere.invalid")
        self.addCleanup(web.remove)
        self.assertEqual(web.request("GET", "/readyz")[0], 503)

    def test_it_ends_soon_and_well_while_the_database_is_away(self) -> None:
        """Otherwise every deployment during an outage would wait for ECS' kill."""
        web = Web(DATABASE_HOST="10.255.255.1")
        self.addCleanup(web.remove)
        web.request("GET", "/readyz")
        started = time.monotonic()
        docker("stop", "--time=30", web.name)
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(json.loads(docker("inspect", web.name).stdout)[0]["State"]["ExitCode"], 0)

    def test_a_certificate_for_another_name_is_refused(self) -> None:
        web = Web(DATABASE_HOST="wrong-name")
        self.addCleanup(web.remove)
        self.assertEqual(web.request("GET", "/readyz")[0], 503)
        deadline = time.monotonic() + 10
        while "certificate" not in web.log() and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertIn("does not match host name", web.log(), "verify-full must check the name")

    def test_a_wrong_environment_ends_at_once_with_one_line(self) -> None:
        result = run(options=("--rm",), SECRET_KEY="short", HTTPS="maybe")
        self.assertEqual(result.returncode, 1)
        (line,) = result.stdout.splitlines()
        message = json.loads(line)["message"]
        self.assertIn("SECRET_KEY", message)
        self.assertIn("HTTPS", message)


if __name__ == "__main__":
    unittest.main(verbosity=2)
