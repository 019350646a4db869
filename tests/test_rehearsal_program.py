"""How a program is run: unchanged, bounded, and with errors a person can read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from rehearsal import configuration, program
from rehearsal.engine import Engine
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT
from rehearsal.state import State
from tests.rehearsal_fakes import FakeCloud, engine_with, fake_tools, written
from tests.shipped import stack_file

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_resource_of_the_real_program_is_known(stack: str) -> None:
    engine = Engine(tools=fake_tools(), state=State(), preview=True)
    program.run(configuration.load(PROJECT_ROOT, stack, config_file=stack_file(stack)), engine, timeout_seconds=SECONDS)
    assert len(engine.seen) > 50, "a preview looks at every resource and every input of the stack"


@pytest.mark.parametrize("nat", ["none", "single", "per_zone"])
def test_every_dial_that_changes_the_set_of_resources_is_known(nat: str) -> None:
    overrides = {
        "pactum:natMode": nat,
        "pactum:alarmEmail": "on-call@example.com",
        "pactum:domainName": "pactum.example.com",
        "pactum:certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
    }
    engine = Engine(tools=fake_tools(), state=State(), preview=True)
    program.run(
        configuration.load(PROJECT_ROOT, "staging", overrides, config_file=stack_file("staging")),
        engine,
        timeout_seconds=SECONDS,
    )
    assert len(engine.seen) > 50, "with HTTPS, an e-mail address and every kind of NAT"


def test_the_bootstrap_program_is_known() -> None:
    engine = Engine(tools=fake_tools(), state=State(), preview=True)
    pipelines = {
        "pactum-bootstrap:githubRepository": "example/pactum",
        "pactum-bootstrap:gitlabProject": "example/pactum",
        "pactum-bootstrap:jenkinsIssuer": "https://jenkins.example.com/oidc",
        "pactum-bootstrap:jenkinsJob": "https://jenkins.example.com/job/pactum",
    }
    loaded = configuration.load(
        PROJECT_ROOT / "stacks/bootstrap", "account", pipelines, config_file=stack_file("account")
    )
    program.run(loaded, engine, timeout_seconds=SECONDS)
    assert len(engine.seen) > 40, "with every kind of pipeline, and their roles"


def test_three_mistakes_in_a_stack_are_three_problems_without_a_traceback() -> None:
    overrides = {"pactum:natMode": "twice", "pactum:taskCpu": "333", "pactum:zones": '["a"]'}
    given = {**overrides, "pactum:zones": ["a"]}
    loaded = configuration.load(PROJECT_ROOT, "staging", given, config_file=stack_file("staging"))  # type: ignore[arg-type]
    with pytest.raises(RehearsalError) as raised:
        program.run(loaded, Engine(tools=fake_tools(), state=State(), preview=True), timeout_seconds=SECONDS)
    told = str(raised.value)
    assert told.startswith("3 problems"), "a stack file with three mistakes reports three mistakes"
    assert "Traceback" not in told, "a user's mistake is answered with words"


def test_an_error_of_the_program_names_its_place(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match="The program failed: ZeroDivisionError: division by zero"):
        program.run(written(tmp_path, "1 / 0\n"), engine_with(FakeCloud()), timeout_seconds=SECONDS)


def test_a_program_that_hangs_is_stopped(tmp_path: Path) -> None:
    loaded = written(tmp_path, "import time\nfor _ in range(20):\n    time.sleep(0.1)\n")
    with pytest.raises(RehearsalError, match="did not end within 1 s"):
        program.run(loaded, engine_with(FakeCloud()), timeout_seconds=1)


def test_a_run_leaves_the_process_as_it_was() -> None:
    path, modules = list(sys.path), {name for name in sys.modules if name.startswith(("infra", "stacks"))}
    engine = Engine(tools=fake_tools(), state=State(), preview=True)
    program.run(
        configuration.load(PROJECT_ROOT, "staging", config_file=stack_file("staging")), engine, timeout_seconds=SECONDS
    )
    assert sys.path == path, "the bootstrap program puts the root on the path; that must not last"
    now = {name for name in sys.modules if name.startswith(("infra", "stacks"))}
    assert now == modules, "the program's modules are loaded for each run anew"
