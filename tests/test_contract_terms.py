"""The terms `make contract` holds an image to: the stack file's, by the program's rules, as production gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime.config import CONFIG

from infra.application_settings import OURS
from rehearsal import __main__ as command_line
from rehearsal.base_images import BaseImages
from rehearsal.contract import terms
from rehearsal.contract.command import build
from rehearsal.contract.terms import Given, Terms
from tests.contract_fakes import agreed_terms
from tests.shop import CONTRACT, STACK_FILE

if TYPE_CHECKING:
    from pathlib import Path


def test_the_terms_are_those_of_the_stack_file() -> None:
    agreed = terms.read("shop", {}, config_file=STACK_FILE)
    assert (agreed.application.port, agreed.application.health_path, agreed.application.readiness_path) == (
        9000,
        "/alive",
        "/ready",
    )
    assert agreed.application.migrate_command == ("python", "manage.py", "migrate_safely"), "Pulumi.yaml's own default"
    given = Given(terms=agreed, database="contract")
    web, migration = given.to_web(), given.to_migration()
    assert (web["PORT"], web["HEALTH_PATH"], web["READINESS_PATH"]) == ("9000", "/alive", "/ready")
    assert web["SHOP_SIGNING_KEY"] == web["SECRET_KEY"], "both names hold the value"
    assert web["SHOP_NAME"] == "The Teal Shop"
    assert web["PAYMENT_API_KEY"] == given.secrets["PAYMENT_API_KEY"]
    assert not {"DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"} & web.keys(), "the web process never sees them"
    assert {"DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"} <= migration.keys()
    lacking = given.to_web(SECRET_KEY=None)
    assert not {"SECRET_KEY", "SHOP_SIGNING_KEY"} & lacking.keys(), "it lacks under either name"


def test_containers_are_given_what_the_program_gives_them_and_nothing_else() -> None:
    given = Given(terms=agreed_terms(media_bucket=True), database="contract")
    assert given.to_web().keys() | given.to_migration().keys() == OURS | {"LOG_LEVEL"}


def test_the_bucket_for_uploads_is_told_where_the_stack_has_one() -> None:
    def told(flag: str) -> str | None:
        return Given(terms=_read(mediaBucket=flag), database="contract").to_web().get("MEDIA_BUCKET")

    assert (told("true"), told("false")) == ("contract-media", None)


def test_the_page_lists_the_variables_that_the_program_gives() -> None:
    section = CONTRACT.read_text(encoding="utf-8").partition("## Environment")[2].partition("\n## ")[0]
    table = section.partition("| variable |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    named = {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == OURS | {"LOG_LEVEL"}


def _read(**overrides: str) -> Terms:
    return terms.read("shop", {f"pactum:{key}": value for key, value in overrides.items()}, config_file=STACK_FILE)


def test_plain_variables_are_given_as_the_program_gives_them() -> None:
    agreed = _read(environment='{"FEATURE": true, "WORKERS": 3, "LOG_LEVEL": "DEBUG"}')
    given = Given(terms=agreed, database="contract").to_web()
    assert (given["FEATURE"], given["WORKERS"]) == ("true", "3"), "Python's True is no value of production"
    assert given["LOG_LEVEL"] == "DEBUG", "the stack file's stands above ours"


def test_a_web_process_has_the_size_that_production_gives_it() -> None:
    agreed = _read(taskCpu="1024", taskMemoryMib="2048")
    derived = agreed.serving
    assert derived.processes == 2
    given = Given(terms=agreed, database="contract").to_web()
    told = (given["WEB_CONCURRENCY"], given["WEB_THREADS"], given["DATABASE_POOL_MAX"])
    assert told == (str(derived.processes), str(derived.threads), str(derived.connections))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"helthPath": "/alive"}, "Did you mean pactum:healthPath?"),
        ({"healthPath": "alive"}, "pactum:healthPath = alive\n      has the wrong form."),
        ({"secrets": '["SECRET_KEY"]'}, "SECRET_KEY is one of the contract's."),
    ],
)
def test_a_configuration_that_the_program_refuses_is_refused_in_its_words(
    changes: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise an image would keep a contract that no update gets as far as."""
    given = [word for key, value in changes.items() for word in ("--set", f"pactum:{key}={value}")]
    assert command_line.main(["contract", "--stack", "shop", "--config-file", str(STACK_FILE), *given]) == 1
    assert words in capsys.readouterr().err


def test_reading_the_terms_leaves_pulumi_as_it_was() -> None:
    pulumi.runtime.set_all_config({"pactum:port": "1"})
    _read(port="9001")
    assert CONFIG.get() == {"pactum:port": "1"}


@pytest.mark.parametrize(
    ("config", "python"),
    [
        ({}, "pactum-standin/python:3.13-slim-trixie"),
        ({"pythonImage": "registry.example/python:3.13"}, "registry.example/python:3.13"),
    ],
)
def test_an_image_is_built_as_production_builds_it(
    config: dict[str, str], python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    ran: list[tuple[list[str], dict[str, str]]] = []

    def run(words: list[str], *, environment: dict[str, str], timeout_seconds: float) -> Any:
        del timeout_seconds
        ran.append((words, environment))
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr("rehearsal.children.run", run)
    agreed = _read(buildArguments='{"DJANGO_SETTINGS_MODULE": "shop.settings"}', **config)
    docker: Any = type("Docker", (), {"executable": "/usr/bin/docker"})
    build(docker, BaseImages(prefix="pactum-standin"), tmp_path, "Dockerfile", "shop:1", agreed)
    ((words, environment),) = ran
    assert words[1:] == ["--build-arg", "DJANGO_SETTINGS_MODULE=shop.settings"]
    assert environment["PYTHON_IMAGE"] == python
