"""`app_image/dev`: what it says when something is missing, and whose data it touches. Docker is a script here."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rehearsal import base_images
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = yaml.safe_load((ROOT / "app_image/docker-compose.yml").read_text())
ENGINE = 'version) echo 27;; ps) ;; image) exit 0;; compose) [ "$2" = version ] || echo "$COMPOSE_PROJECT_NAME" >&2;;'
ANSWERS = f'case "$1" in {ENGINE} esac'
# compose 2, a Go program, heeds SIGINT also where it was started with that ignored.
ENDING = """import signal, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
print('it is going down', flush=True)
time.sleep(0.5)
print('all is down')"""
# What is started runs until it is interrupted, and takes a while to end.
RUNS = f"""case "$*" in
*" up "*) exec sleep 30;;
*" down "*) exec {sys.executable} -c "{ENDING}" >> "$CALLS";;
esac
{ANSWERS}"""
# Only the database runs, once it is started.
DATABASE_RUNS = f"""case "$*" in
*" up --detach db"*) : > "$CALLS.started";;
"ps "*service=db*) [ ! -e "$CALLS.started" ] || echo db-id;;
"ps "*status=running*) echo db-id; echo "$OTHERS";;
"top "*) echo "$IN_IT";;
"inspect "*Health*) echo healthy;;
esac
{ANSWERS}"""


class Checkout:
    """A copy of the checkout with nothing on PATH but what is put there, and a docker that notes how it was called."""

    def __init__(self, directory: Path) -> None:
        self.app = directory / "Some Checkout" / "app_image"
        self.app.mkdir(parents=True)
        self.programs = directory / "bin"
        self.programs.mkdir()
        shutil.copy(ROOT / "app_image/dev", self.app)
        shutil.copy(ROOT / "app_image/docker-compose.yml", self.app)
        script = (ROOT / "app_image/development/requirements.sh").read_text()
        # This machine's own docker must not be found.
        places = re.search(r"^places=.*$", script, re.MULTILINE)
        assert places
        (self.app / "development").mkdir()
        (self.app / "development/requirements.sh").write_text(script.replace(places[0], "places=(/nonexistent/docker)"))
        for name in (
            "bash",
            "dirname",
            "basename",
            "cat",
            "tr",
            "cut",
            "cksum",
            "ls",
            "awk",
            "id",
            "seq",
            "sleep",
            "head",
        ):
            path = shutil.which(name)
            assert path
            (self.programs / name).symlink_to(path)
        self.program("build", "exit 0", self.app)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.programs), "DEV_HUB": "hub.invalid", "CALLS": str(self.app / "calls")}

    def program(self, name: str, body: str, directory: Path | None = None) -> None:
        path = (directory or self.programs) / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.app}/calls"\n{body}\n')
        path.chmod(0o755)

    def dev(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.app / "dev"), *arguments],
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a shell's command, with a session of its own as a terminal has."""
        return subprocess.Popen(
            [str(self.programs / "bash"), "-c", command],
            cwd=self.app,
            env=self.environment | {"DEV_PORT": "1", "DEV_MAIL_PORT": "2"},
            start_new_session=True,
        )

    def await_call(self, words: str) -> None:
        deadline = time.monotonic() + 20
        while words not in self.calls:
            assert time.monotonic() < deadline, f"{words} is not among the calls:\n{self.calls}"
            time.sleep(0.05)

    @property
    def calls(self) -> str:
        path = self.app / "calls"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_docker_it_says_where_to_get_it(checkout: Checkout) -> None:
    done = checkout.dev("up")
    assert done.returncode == 1
    assert "no docker command" in done.stderr
    assert "https://docs.docker.com" in done.stderr


def test_an_engine_that_is_down_is_told_with_dockers_words_and_a_remedy(checkout: Checkout) -> None:
    checkout.program("docker", 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    done = checkout.dev("up")
    assert done.returncode == 1
    assert "No Docker engine answers" in done.stderr
    assert "Cannot connect to the Docker daemon" in done.stderr
    assert "systemctl start docker" in done.stderr


def test_without_compose_it_says_what_to_install(checkout: Checkout) -> None:
    checkout.program("docker", 'case "$1" in version) echo 27;; *) exit 1;; esac')
    done = checkout.dev("up")
    assert done.returncode == 1
    assert "apt-get install docker-compose" in done.stderr


def test_a_compose_that_lacks_what_the_file_uses_is_refused(checkout: Checkout) -> None:
    checkout.program("docker", 'case "$1" in version) echo 27;; *) exit 1;; esac')
    checkout.program("docker-compose", "echo 1.28.6")
    done = checkout.dev("up")
    assert "docker-compose 1.28.6 is too old: 1.29" in done.stderr


@pytest.mark.parametrize("variable", ["DEV_PORT", "DEV_MAIL_PORT"])
def test_a_taken_port_is_said_before_anything_is_started(checkout: Checkout, variable: str) -> None:
    checkout.program("docker", ANSWERS)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = checkout.dev("up", **{"DEV_PORT": "1", variable: str(port)})
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert f"{variable}=" in done.stderr
    assert " up " not in checkout.calls


@pytest.mark.parametrize(
    "words",
    [
        "Bind for 127.0.0.1:{} failed: port is already allocated",
        "driver failed: listen tcp4 127.0.0.1:{}: bind: address already in use",
    ],
)
def test_a_port_that_another_one_took_meanwhile_is_said_as_well(checkout: Checkout, words: str) -> None:
    checkout.program("docker", f'case "$*" in *" up "*) echo "{words.format(12)}"; exit 1;; esac\n{ANSWERS}')
    told = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="12").stderr
    assert "Port 12 of 127.0.0.1 is taken by another program" in told
    assert "DEV_MAIL_PORT=10012" in told
    assert "migrated" not in told


@pytest.mark.parametrize("port", ["http", "0", "65536"])
def test_a_port_that_is_none_is_refused(checkout: Checkout, port: str) -> None:
    checkout.program("docker", ANSWERS)
    assert f"DEV_PORT is '{port}'" in checkout.dev("up", DEV_PORT=port).stderr


def test_a_name_that_docker_would_refuse_is_refused(checkout: Checkout) -> None:
    checkout.program("docker", ANSWERS)
    assert "DEV_NAME is 'My App'" in checkout.dev("up", DEV_NAME="My App").stderr


def test_images_that_cannot_be_had_are_named_with_what_to_do(checkout: Checkout) -> None:
    lacking = 'image) exit 1;; pull) echo "no such host" >&2; exit 1;;'
    checkout.program("docker", f'case "$1" in {lacking} {ENGINE} esac')
    done = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="2")
    assert done.returncode == 1
    assert "no such host" in done.stderr
    assert "docker.io/library/postgres:17-alpine cannot be pulled" in done.stderr
    assert "POSTGRES_IMAGE" in done.stderr


def test_a_stand_in_is_used_and_announced_where_docker_hub_is_out_of_reach(checkout: Checkout) -> None:
    only_stand_ins = 'image) case "$3" in pactum-standin/*) exit 0;; *) exit 1;; esac;;'
    checkout.program("docker", f'case "$1" in {only_stand_ins} {ENGINE} esac')
    told = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="2").stdout
    assert "pactum-standin/postgres:17-alpine stands in for docker.io/library/postgres:17-alpine" in told
    assert f"{base_images.MAIL_STAND_IN} stands in for docker.io/axllent/mailpit" in told
    assert "docker pull" not in checkout.calls


def test_a_build_that_fails_shows_the_builders_words(checkout: Checkout) -> None:
    checkout.program("docker", ANSWERS)
    checkout.program("build", 'echo "pip: no network" >&2; exit 1', checkout.app)
    done = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="2")
    assert "pip: no network" in done.stderr
    assert "could not be built" in done.stderr
    assert " up " not in checkout.calls


def test_a_migration_that_fails_is_told_with_its_log(checkout: Checkout) -> None:
    failing = 'logs) echo "Migration agreements.0002 failed";; wait) echo 1;; ps) echo some-id;;'
    # No web is running before; compose's own `up` fails.
    body = f'case "$*" in *service=web*) exit 0;; *" up "*) exit 1;; esac\ncase "$1" in {failing} {ENGINE} esac'
    checkout.program("docker", body)
    done = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="2")
    assert "Migration agreements.0002 failed" in done.stderr
    assert "could not be migrated" in done.stderr
    assert " down " in checkout.calls, "nothing may be left running"
    assert "--volumes" not in checkout.calls, "the data is kept"


def test_sample_data_that_cannot_be_made_does_not_keep_the_app_from_starting(checkout: Checkout) -> None:
    body = f'case "$*" in *service=web*) exit 0;; "ps "*) echo some-id;; "wait "*) echo 1;; esac\n{ANSWERS}'
    checkout.program("docker", body)
    done = checkout.dev("up", DEV_PORT="1", DEV_MAIL_PORT="2")
    assert "The sample data could not be made" in done.stdout
    assert "The web process does not answer" in done.stderr, "it was asked"


def test_a_second_ctrl_c_leaves_nothing_running(checkout: Checkout) -> None:
    checkout.program("docker", RUNS)
    up = checkout.start("exec ./dev up")
    for call in (" up ", "it is going down"):
        checkout.await_call(call)
        os.killpg(up.pid, signal.SIGINT)
    assert up.wait(20) == 130
    assert "all is down" in checkout.calls


def test_a_closed_terminal_leaves_nothing_running(checkout: Checkout) -> None:
    checkout.program("docker", RUNS)
    terminal, its_end = os.openpty()
    up = checkout.start(f"exec ./dev up <{os.ttyname(its_end)} >{os.ttyname(its_end)} 2>&1")
    os.close(its_end)
    checkout.await_call(" up ")
    os.close(terminal)
    os.killpg(up.pid, signal.SIGHUP)  # as the terminal's shell does
    assert up.wait(20) == 143
    assert "all is down" in checkout.calls


def test_a_tool_ends_the_database_that_it_started(checkout: Checkout) -> None:
    checkout.program("docker", DATABASE_RUNS)
    assert checkout.dev("psql").returncode == 0
    assert "rm --stop --force db" in checkout.calls
    assert "network rm" in checkout.calls


@pytest.mark.parametrize("others", [{"OTHERS": "web-id"}, {"IN_IT": "70 psql --username=master pactum"}])
def test_a_tool_leaves_the_database_to_what_was_started_meanwhile(checkout: Checkout, others: dict[str, str]) -> None:
    checkout.program("docker", DATABASE_RUNS)
    assert checkout.dev("psql", **others).returncode == 0
    for call in (" down ", " rm ", " stop "):
        assert call not in checkout.calls


def test_manages_migrate_is_the_deployments_for_the_apps_login_owns_no_table(checkout: Checkout) -> None:
    checkout.program("docker", f'case "$*" in *service=db*) echo some-id;; esac\n{ANSWERS}')
    checkout.dev("manage", "migrate")
    checkout.dev("manage", "migrate", "--plan")
    assert "run --rm --no-deps -T migrate\n" in checkout.calls
    assert "run --rm --no-deps -T manage migrate --plan\n" in checkout.calls


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("pactum-standin/postgres:17-alpine", "standin"),
        ("registry.example.com/postgres:17-alpine", "alpine"),
        ("postgres:17", "debian"),
    ],
)
def test_images_that_cannot_read_each_others_data_have_volumes_of_their_own(
    checkout: Checkout, image: str, kind: str
) -> None:
    checkout.program("docker", f'echo "volume $DEV_DATABASE" >> "$CALLS"\n{DATABASE_RUNS}')
    checkout.dev("psql", POSTGRES_IMAGE=image)
    assert f"volume {kind}\n" in checkout.calls
    runs = f'case "$*" in *service=db*) echo db-id;; "inspect "*) echo {image};; esac\n{ANSWERS}'
    checkout.program("docker", f'echo "beside $DEV_DATABASE" >> "$CALLS"\n{runs}')
    checkout.dev("psql")
    assert f"beside {kind}\n" in checkout.calls
    assert "${DEV_DATABASE:-alpine}" in COMPOSE["volumes"]["database"]["name"]


def paths_that_look_alike(directory: Path) -> list[Path]:
    """Return two whose checkouts' checksums begin with the same four digits."""
    seen: dict[str, Path] = {}
    while True:
        path = directory / str(len(seen))
        words = str(path / "Some Checkout").encode()
        digits = subprocess.run(["cksum"], input=words, capture_output=True, check=True).stdout[:4].decode()
        if digits in seen:
            return [seen[digits], path]
        seen[digits] = path


def test_two_checkouts_have_two_projects(tmp_path: Path) -> None:
    projects = set()
    for directory in paths_that_look_alike(tmp_path):
        directory.mkdir()
        checkout = Checkout(directory)
        checkout.program("docker", ANSWERS)
        projects.add(checkout.dev("logs").stderr.strip())
    assert len(projects) == 2, "they would share a database"
    assert all(project.startswith("pactum-some-checkout-") for project in projects)


def test_reset_removes_the_volumes_of_this_project_only(checkout: Checkout) -> None:
    checkout.program("docker", ANSWERS)
    done = checkout.dev("reset", DEV_NAME="mine", YES="1")
    assert done.returncode == 0, done.stderr
    assert "data of pactum-mine are removed" in done.stdout
    assert "down --volumes --remove-orphans" in checkout.calls
    assert "volume ls --quiet --filter label=com.docker.compose.project=pactum-mine" in checkout.calls
    assert "prune" not in checkout.calls


def test_reset_without_a_terminal_to_ask_in_removes_nothing_unasked(checkout: Checkout) -> None:
    checkout.program("docker", ANSWERS)
    for variables in ({}, {"YES": "no"}):
        done = checkout.dev("reset", **variables)
        assert done.returncode == 1
        assert "Nothing was removed" in done.stderr
    assert "make dev-reset YES=1" in checkout.dev("reset").stderr
    assert " down " not in checkout.calls
    assert "volume rm" not in checkout.calls


def test_the_exit_code_of_the_tests_is_passed_on(checkout: Checkout) -> None:
    body = f'case "$*" in *" run "*) exit 3;; *service=db*) echo some-id;; esac\n{ANSWERS}'
    checkout.program("docker", body)
    assert checkout.dev("test", "tests.test_pages").returncode == 3
    assert "run --rm --no-deps -T tests tests.test_pages" in checkout.calls


def test_an_unknown_command_lists_the_known_ones(checkout: Checkout) -> None:
    done = checkout.dev("serve")
    assert done.returncode == 2
    assert "Usage: app_image/dev COMMAND" in done.stderr


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = COMPOSE["services"]
    return found


def test_every_port_is_on_the_loopback_interface() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports), "the passwords are in the repository"


def test_only_the_migration_has_the_master_login() -> None:
    holders = [name for name, service in services().items() if "DATABASE_MASTER_USER" in service.get("environment", {})]
    assert holders == ["migrate"]


def test_what_serves_cannot_write_to_the_source_nor_to_the_image() -> None:
    for name in ("web", "migrate", "sample-data"):
        service = services()[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == [".:/app:ro"]


def test_the_qa_command_tests_the_images_own_code() -> None:
    tests = services()["tests"]
    assert tests["volumes"] == ["./tests:/app/tests:ro"], "what is deployed is what must be tested"
    assert tests["entrypoint"][:5] == ["python", "-W", "error", "manage.py", "test"]
    assert "DEVELOPMENT" not in tests["environment"]


def test_the_development_parts_stay_out_of_the_image() -> None:
    allowed = (ROOT / "app_image/.dockerignore").read_text().splitlines()
    assert "*" in allowed
    assert not [line for line in allowed if line.startswith(("!development", "!docker-compose", "!dev", "!tests"))]
