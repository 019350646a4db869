"""`ops set-secret`: a value goes from a person to Secrets Manager and to nobody else."""

from __future__ import annotations

import io

import pytest

from tests.ops_fakes.account import ARN
from tests.ops_fakes.world import World, run_ops

TOKEN = ARN.format("secretsmanager", "secret:pactum/staging/mail-token-1234-AbCdEf")
KEY = ARN.format("secretsmanager", "secret:pactum/staging/secret-key-1234-AbCdEf")


@pytest.fixture
def world() -> World:
    world = World()
    world.secret(TOKEN, kind="given:MAIL_TOKEN")
    world.secret(KEY, kind="secret-key")
    return world


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stdin = io.StringIO()
    monkeypatch.setattr("sys.stdin", stdin)
    return stdin


def piped(stdin: io.StringIO, text: str) -> None:
    stdin.write(text)
    stdin.seek(0)


@pytest.mark.parametrize("text", ["hunter2", "hunter2\n", "hunter2\r\n"])
def test_a_piped_value_is_stored_without_the_end_of_its_line(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, text: str
) -> None:
    piped(typed, text)
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 0, seen.err
    assert world.current_value(TOKEN) == "hunter2"
    assert "hunter2" not in seen.out + seen.err
    assert "keep the old one until" in seen.out, "who rotates a secret must know that running tasks have the old one"


def test_a_typed_value_is_not_shown(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 0, seen.err
    assert world.current_value(TOKEN) == "hunter2"


@pytest.mark.parametrize(("text", "words"), [("", "no value was given"), ("\n", "no value"), ("x" * 65_537, "longer")])
def test_what_is_no_value_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, text: str, words: str
) -> None:
    piped(typed, text)
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 2
    assert words in seen.err
    assert not world.asked("PutSecretValue")


@pytest.mark.parametrize("name", ["MAIL_TOKN", "secret-key"])
def test_a_secret_that_is_not_the_applications_own_is_refused_with_those_there_are(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, name: str
) -> None:
    """The signing key and the database login have a life of their own: setting one by hand would end sessions."""
    piped(typed, "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", name)
    assert seen.code == 2
    assert "There are: MAIL_TOKEN." in seen.err
    assert not world.asked("PutSecretValue")


def test_a_dry_run_asks_for_no_value_and_puts_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "--dry-run", "MAIL_TOKEN")
    assert seen.code == 0, seen.err
    assert "would give MAIL_TOKEN a new value" in seen.out
    assert not world.asked("PutSecretValue")
