"""`app_image/dev`: what it says when something is missing, and whose data it touches. Docker is a script here."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
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


class Checkout:
    """A copy of the checkout with nothing on PATH but what is put there, and a docker that notes how it was called."""

    def __init__(self, directory: Path) -> None:
        self.app = directory / "Some Checkout" / "app_image"
        self.app.mkdir(parents=True)
        self.programs = directory / "bin"
        self.programs.mkdir()
        script = (ROOT / "app_image/dev").read_text()
        # This machine's own docker must not be found.
        places = re.search(r"^places=.*$", script, re.MULTILINE)
        assert places
        script = script.replace(places[0], "places=(/nonexistent/docker)")
        (self.app / "dev").write_text(script)
        (self.app / "dev").chmod(0o755)
        shutil.copy(ROOT / "app_image/docker-compose.yml", self.app)
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

    def program(self, name: str, body: str, directory: Path | None = None) -> None:
        path = (directory or self.programs) / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.app}/calls"\n{body}\n')
        path.chmod(0o755)

    def dev(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.app / "dev"), *arguments],
            env={"PATH": str(self.programs), "DEV_HUB": "hub.invalid", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

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


def test_two_checkouts_have_two_projects(tmp_path: Path) -> None:
    projects = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        checkout = Checkout(tmp_path / name)
        checkout.program("docker", ANSWERS)
        projects.add(checkout.dev("logs").stderr.strip())
    assert len(projects) == 2, "they would share a database"
    assert all(project.startswith("pactum-some-checkout-") for project in projects)


def test_reset_removes_the_volumes_of_this_project_only(checkout: Checkout) -> None:
    checkout.program("docker", ANSWERS)
    done = checkout.dev("reset", DEV_NAME="mine")
    assert done.returncode == 0, done.stderr
    assert "data of pactum-mine are removed" in done.stdout
    assert "down --volumes --remove-orphans" in checkout.calls
    assert "volume ls --quiet --filter label=com.docker.compose.project=pactum-mine" in checkout.calls
    assert "prune" not in checkout.calls


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
