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


def test_who_replaces_a_value_is_told_what_makes_running_tasks_take_it(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO
) -> None:
    world.put_secret_value(
        {"SecretId": TOKEN, "ClientRequestToken": "version-a-person-made-by-hand-0001", "SecretString": "before"}
    )
    piped(typed, "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 0, seen.err
    assert "keep the old one until the next release" in seen.out
    command = "aws ecs update-service --cluster pactum-staging --service web --force-new-deployment"
    assert seen.out.splitlines()[-1].strip() == command


def test_a_value_that_is_no_text_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8"))
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 2
    assert "is not UTF-8 text" in seen.err
    assert not world.asked("PutSecretValue")


def test_a_secret_that_is_not_listed_yet_is_named_by_its_arn(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets Manager lists a secret some seconds after it was made, and the update stops in those."""
    monkeypatch.setattr(world, "list_secrets", lambda _: {"SecretList": []})
    piped(typed, "hunter2")
    unlisted = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert unlisted.code == 2
    assert "may not be listed yet: give --secret ARN" in unlisted.err
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN", "--secret", TOKEN)
    assert seen.code == 0, seen.err
    assert world.current_value(TOKEN) == "hunter2"


@pytest.mark.parametrize(("name", "stack", "arn"), [("MAIL_TOKEN", "staging", KEY), ("MAIL_TOKEN", "prod", TOKEN)])
def test_a_secret_that_is_another_ones_is_refused(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, name: str, stack: str, arn: str
) -> None:
    """A slip with the ARN must not end every session, nor reach production."""
    piped(typed, "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", stack, name, "--secret", arn)
    assert seen.code == 2
    assert f"is not the secret of {name} in stack {stack}" in seen.err
    assert not world.asked("PutSecretValue")


@pytest.mark.parametrize("kind", ["given:OLD_TOKEN", "secret-key-of-the-past"])
def test_only_the_secret_that_was_asked_for_is_judged(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO, kind: str
) -> None:
    world.secret(f"{TOKEN}old", kind=kind, DeletedDate=world.clock.date())
    piped(typed, "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 0, seen.err


def test_a_secret_that_is_being_deleted_takes_no_value(
    world: World, capsys: pytest.CaptureFixture[str], typed: io.StringIO
) -> None:
    world.secrets[TOKEN]["DeletedDate"] = world.clock.date()
    piped(typed, "hunter2")
    seen = run_ops(world, capsys, "set-secret", "--stack", "staging", "MAIL_TOKEN")
    assert seen.code == 2
    assert "restore-secret" in seen.err
    assert not world.asked("PutSecretValue")


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
