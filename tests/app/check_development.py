"""`make dev` and its siblings as a new developer meets them, in a copy of the checkout, so that edits stay out of it.

Run by `make test-dev`, in this order: each test goes on where the one before left off.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rehearsal import docker_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
NAME = f"check-{os.getpid()}"
GOAL_SECONDS = 20
TITLE = "<h1>Agreements</h1>"
TOKEN = re.compile(r"http://[^\s]+/reset/[^\s]+/([0-9a-z]+-[0-9a-f]{32})/")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Browser:
    """Asks as a person does: with cookies, and the forms' tokens."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )

    def get(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Return status, where it ended, and the page; 0 while nothing answers."""
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with self._opener.open(urllib.parse.urljoin(self._address, path), data, timeout=20) as response:
                return response.status, response.url, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, path, error.read().decode()
        except OSError as error:
            return 0, path, str(error)

    def submit(self, path: str, **fields: str) -> tuple[int, str, str]:
        _, address, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, f"{path} has no form: {page[:300]}"
        return self.get(address, {"csrfmiddlewaretoken": token[1], **fields})

    def log_in(self, password: str) -> str:
        return self.submit("/admin/login/?next=/admin/", username="admin", password=password)[2]


class Machine:
    """A checkout of its own, with a project name and ports of its own."""

    def __init__(self, directory: Path) -> None:
        self.app = directory / "app_image"
        shutil.copytree(ROOT / "app_image", self.app, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        shutil.copy(ROOT / "Makefile", directory)
        self.port, self.mail_port = free_port(), free_port()
        self.log = directory / "dev.log"
        self.environment = {
            **os.environ,
            "DEV_NAME": NAME,
            "DEV_PORT": str(self.port),
            "DEV_MAIL_PORT": str(self.mail_port),
        }
        self._up: subprocess.Popen[bytes] | None = None
        self.browser = Browser(f"http://127.0.0.1:{self.port}/")
        self.mail = Browser(f"http://127.0.0.1:{self.mail_port}/")

    def make(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.app.parent,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def start(self, status: int = 200) -> float:
        """Run `make dev` in a terminal's stead; return the seconds until the first page, which has that status."""
        started = time.monotonic()
        with self.log.open("wb") as log:
            self._up = subprocess.Popen(
                ["make", "dev"],
                cwd=self.app.parent,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while self.browser.get("/")[0] != status:
            assert self._up.poll() is None, f"`make dev` ended:\n{self.log.read_text()}"
            assert time.monotonic() - started < 120, f"nothing answers:\n{self.log.read_text()}"
            time.sleep(0.1)
        return time.monotonic() - started

    def until(self, what: Callable[[], bool], seconds: float = 20) -> float:
        """Wait until it holds; return for how long."""
        started = time.monotonic()
        while not what():
            assert time.monotonic() - started < seconds, f"not within {seconds} s:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)
        return time.monotonic() - started

    def ctrl_c(self) -> int:
        """What a terminal does: SIGINT to all that `make dev` runs in the foreground."""
        assert self._up
        os.killpg(self._up.pid, signal.SIGINT)
        return self._up.wait(40)

    def end(self) -> None:
        if self._up and self._up.poll() is None:
            os.killpg(self._up.pid, signal.SIGTERM)
            self._up.wait(40)
        self.make("dev-reset", "YES=1")

    def ended(self) -> bool:
        return self._up is not None and self._up.poll() is not None


def docker(*arguments: str) -> str:
    client = docker_engine.find()
    return client.run(*arguments, timeout_seconds=60).strip()


def containers() -> str:
    return docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project=pactum-{NAME}")


def volumes() -> str:
    return docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project=pactum-{NAME}")


def compose_is_here() -> bool:
    commands = [[path, "compose", "version"] for path in docker_engine.candidates()] + [["docker-compose", "version"]]
    return any(
        shutil.which(command[0]) and subprocess.run(command, capture_output=True, check=False).returncode == 0
        for command in commands
    )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    client = docker_engine.find()
    if not compose_is_here():
        docker_engine.install_packages(["docker-compose"], print)
    machine = Machine(tmp_path_factory.mktemp("checkout"))
    try:
        yield machine
    finally:
        machine.end()
        client.attempt("image", "rm", "--force", f"pactum-{NAME}:local", timeout_seconds=60)


def last_mail(machine: Machine) -> str:
    """What was mailed last: asked of Mailpit, or of the stand-in (MailDump)."""
    status, _, text = machine.mail.get("/view/latest.txt")
    if status == 200:
        return text
    _, _, listing = machine.mail.get("/messages/")
    messages = json.loads(listing)["messages"]
    return machine.mail.get(f"/messages/{messages[-1]['id']}.plain")[2] if messages else ""


def test_the_tests_run_in_the_image_and_their_result_is_the_exit_code(machine: Machine) -> None:
    passed = machine.make("dev-test", "ARGS=tests.test_pages tests.test_hosts")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert re.search(r"Ran \d\d tests", passed.stderr + passed.stdout)
    failed = machine.make("dev-test", "ARGS=tests.nowhere")
    assert failed.returncode != 0, "a pipeline must not deploy what was not tested"
    assert not containers(), "nothing of it runs on"


def test_it_answers_within_twenty_seconds_and_tells_where(
    machine: Machine, record_property: Callable[..., None]
) -> None:
    seconds = machine.start()
    record_property("first_answer_seconds", round(seconds, 1))
    print(f"\nmake dev answered after {seconds:.1f} s")
    machine.until(lambda: "Ctrl-C" in machine.log.read_text())
    told = machine.log.read_text()
    for text in (f"http://127.0.0.1:{machine.port}/", f"http://127.0.0.1:{machine.mail_port}/", "password admin"):
        assert text in told
    assert seconds <= GOAL_SECONDS
    assert "Lease of the mill" in machine.browser.get("/")[2], "a new developer sees sample data"


def test_nothing_is_reachable_from_other_machines(machine: Machine) -> None:
    ports = docker("ps", "--filter", f"label=com.docker.compose.project=pactum-{NAME}", "--format", "{{.Ports}}")
    assert f"127.0.0.1:{machine.port}->" in ports
    assert "0.0.0.0:" not in ports, "its passwords are in the repository"


def test_a_second_one_says_that_it_runs_already(machine: Machine) -> None:
    second = machine.make("dev")
    assert (second.returncode, "It runs already" in second.stderr) == (2, True), second.stderr
    assert machine.browser.get("/")[0] == 200, "the first one goes on"


def test_the_web_process_has_productions_restrictions(machine: Machine) -> None:
    inspected = json.loads(docker("inspect", docker("ps", "--quiet", "--filter", f"publish={machine.port}")))[0]
    host = inspected["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not inspected["Config"]["User"].startswith("0")
    mounts = {mount["Destination"]: mount["RW"] for mount in inspected["Mounts"]}
    assert mounts["/app"] is False, "what serves cannot change the source"
    assert "DATABASE_USER=pactum_app" in inspected["Config"]["Env"]
    assert not [name for name in inspected["Config"]["Env"] if "MASTER" in name]


def test_a_template_and_a_stylesheet_show_at_the_next_request(machine: Machine) -> None:
    template = machine.app / "agreements/templates/agreements/agreement_list.html"
    stylesheet = machine.app / "agreements/static/agreements/pactum.css"
    for number in range(3):
        template.write_text(re.sub("<h1>.*</h1>", f"<h1>Edit {number}</h1>", template.read_text()))
        assert f"<h1>Edit {number}</h1>" in machine.browser.get("/")[2]
    stylesheet.write_text(stylesheet.read_text() + "/* edited */")
    assert "/* edited */" in machine.browser.get("/static/agreements/pactum.css")[2]
    template.write_text(re.sub("<h1>.*</h1>", TITLE, template.read_text()))


def test_python_code_is_reloaded_and_an_error_is_shown_until_it_is_mended(machine: Machine) -> None:
    container = docker("ps", "--quiet", "--filter", f"publish={machine.port}")
    views, models = machine.app / "agreements/views.py", machine.app / "agreements/models.py"
    whole = views.read_text()
    views.write_text(whole.replace("paginate_by = 25", "paginate_by = 3"))
    took = machine.until(lambda: "Page 1 of 10" in machine.browser.get("/")[2])
    print(f"\na Python edit showed after {took:.1f} s")
    for broken, error in ((views, "def ("), (models, "undefined_name")):
        text = broken.read_text()
        broken.write_text(f"{text}\n{error}\n")
        machine.until(lambda: "Traceback" in machine.browser.get("/")[2])  # a page, not a refused connection
        assert machine.browser.get("/")[0] == 500
        assert error in machine.log.read_text()
        broken.write_text(text)
        machine.until(lambda: machine.browser.get("/")[0] == 200)
    views.write_text(whole)
    machine.until(lambda: "Page 1 of 2" in machine.browser.get("/")[2])
    assert docker("ps", "--quiet", "--filter", f"publish={machine.port}") == container, "no container was replaced"
    assert took < 10


def test_an_error_shows_djangos_page_for_developers(machine: Machine) -> None:
    assert "DEBUG = True" in machine.browser.get("/nowhere/")[2]


def test_the_superuser_logs_in_and_sets_a_new_password_by_mail(machine: Machine) -> None:
    assert "Site administration" in machine.browser.log_in("admin")
    visitor = Browser(f"http://127.0.0.1:{machine.port}/")
    assert "/admin/password_reset/" in visitor.get("/admin/login/")[2], "the login page offers it"
    visitor.submit("/admin/password_reset/", email="admin@example.com")
    machine.until(lambda: TOKEN.search(last_mail(machine)) is not None)
    link = TOKEN.search(last_mail(machine))
    assert link
    changed = visitor.submit(link[0], new_password1="mill-on-the-floss", new_password2="mill-on-the-floss")
    assert "/reset/done/" in changed[1]
    assert "Site administration" in visitor.log_in("mill-on-the-floss")
    log = machine.log.read_text()
    assert "/[token]/" in log
    assert link[1] not in log, "whoever reads a log must not be able to set a password"


def test_the_log_is_lines_for_people(machine: Machine) -> None:
    log = machine.log.read_text()
    assert re.search(r"\d\d:\d\d:\d\d INFO +GET / 200 \d+ ms$", log, re.MULTILINE)
    assert '{"timestamp"' not in log
    assert "\x1b[" not in log


def test_the_tools_work_beside_it(machine: Machine) -> None:
    made = machine.make("manage", "ARGS=makemigrations agreements --empty --name made_here")
    (migration,) = list((machine.app / "agreements/migrations").glob("*_made_here.py")) or [None]
    assert migration, made.stdout + made.stderr
    assert migration.stat().st_uid == machine.app.stat().st_uid, "it belongs to the developer"
    migration.unlink()
    shell = machine.make(
        "shell", stdin="from agreements.models import Agreement; print('count', Agreement.objects.count())"
    )
    assert "count 30" in shell.stdout, shell.stdout + shell.stderr
    psql = machine.make("psql", "ARGS=-Atc 'SELECT current_user, count(*) FROM agreements_party'")
    assert psql.stdout.strip() == "master|70", psql.stdout + psql.stderr
    assert machine.browser.get("/")[0] == 200, "what runs is left alone"


def test_a_field_is_added_as_the_documentation_says(machine: Machine) -> None:
    models = machine.app / "agreements/models.py"
    field = "    created_at = models.DateTimeField("
    whole = models.read_text()
    assert field in whole
    models.write_text(
        whole.replace(field, f'    place = models.CharField(max_length=40, default="London")\n{field}', 1)
    )
    made = machine.make("manage", "ARGS=makemigrations --name place")
    assert list((machine.app / "agreements/migrations").glob("*_place.py")), made.stdout + made.stderr
    machine.until(lambda: machine.browser.get("/")[0] == 500)  # the column is not there yet
    migrated = machine.make("migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    machine.until(lambda: machine.browser.get("/")[0] == 200)
    again = machine.make("manage", "ARGS=migrate")
    assert again.returncode == 0, again.stdout + again.stderr
    tested = machine.make("dev-test", "ARGS=tests.test_health tests.test_migrate_safely")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_ctrl_c_ends_it_cleanly_and_the_next_start_finds_the_data(machine: Machine) -> None:
    machine.ctrl_c()
    assert "the data is kept" in machine.log.read_text()
    assert not containers()
    views = machine.app / "agreements/views.py"
    whole = views.read_text()
    views.write_text(f"{whole}\nundefined_name\n")
    machine.start(500)
    assert "undefined_name" in machine.browser.get("/")[2], "a project that was broken before says so as well"
    views.write_text(whole)
    machine.until(lambda: machine.browser.get("/")[0] == 200)
    assert "Site administration" in Browser(f"http://127.0.0.1:{machine.port}/").log_in("mill-on-the-floss")


def test_reset_removes_the_containers_and_the_data(machine: Machine) -> None:
    assert volumes()
    assert machine.make("dev-reset").returncode != 0, "nobody was asked"
    assert machine.browser.get("/")[0] == 200
    reset = machine.make("dev-reset", "YES=1")
    assert reset.returncode == 0, reset.stderr
    machine.until(machine.ended)
    assert "the data is kept" not in machine.log.read_text()
    assert (containers(), volumes()) == ("", "")
