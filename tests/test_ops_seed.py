"""Seeding: every secret gets a first value once, and no value is ever replaced or shown."""

from __future__ import annotations

import io
import json

import pytest

from infra import secrets as program
from ops import secret_kinds, seed
from rehearsal.realisers import data
from tests.ops_fakes.account import ARN, Refused
from tests.ops_fakes.world import World, connect, run_ops

KEY = ARN.format("secretsmanager", "secret:pactum/staging/secret-key-1234-AbCdEf")
LOGIN = ARN.format("secretsmanager", "secret:pactum/staging/database-login-1234-AbCdEf")
BY_HAND = "version-a-person-made-by-hand-0001"


@pytest.fixture
def world() -> World:
    world = World()
    world.secret(KEY, kind="secret-key")
    world.secret(LOGIN, kind="database-login")
    return world


def test_empty_secrets_get_values_of_the_agreed_shape(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "seed", "--stack", "staging")

    assert seen.code == 0, seen.err
    key, login = world.current_value(KEY), json.loads(world.current_value(LOGIN) or "")
    assert key is not None
    assert len(key) >= 50, "Django warns about a SECRET_KEY shorter than 50 characters"
    assert login["username"] == "pactum_app"
    assert set(login) == {"username", "password"}, "the task definition reads exactly these two keys"
    assert len(login["password"]) >= 32


def test_two_stacks_never_share_a_made_up_value(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    other = world.secret(f"{KEY}x", kind="secret-key", stack="other")
    run_ops(world, capsys, "seed", "--stack", "staging")
    run_ops(world, capsys, "seed", "--stack", "other")
    assert world.current_value(KEY) != world.current_value(other)


def test_a_second_seed_changes_nothing_and_says_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_ops(world, capsys, "seed", "--stack", "staging", environment={"PACTUM_WITHIN_UPDATE": "1"})
    values = world.current_value(KEY), world.current_value(LOGIN)
    world.calls.clear()

    second = run_ops(world, capsys, "seed", "--stack", "staging", environment={"PACTUM_WITHIN_UPDATE": "1"})

    assert (world.current_value(KEY), world.current_value(LOGIN)) == values
    assert not world.asked("PutSecretValue"), "a secret with a value must not even be written to"
    assert first.out == second.out == "seeded: database-login, secret-key\n", "the state must not change with each run"


def test_a_value_a_person_set_is_left_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.put_secret_value({"SecretId": KEY, "ClientRequestToken": BY_HAND, "SecretString": "chosen by a person"})
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--secret", f"secret-key={KEY}")
    assert seen.code == 0, seen.err
    assert world.current_value(KEY) == "chosen by a person"
    assert "left alone" in seen.out


def test_no_value_is_read_or_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    for arn in (KEY, LOGIN):
        for value in world.secrets[arn]["values"].values():
            assert value not in seen.out + seen.err
    assert json.loads(world.current_value(LOGIN) or "")["password"] not in seen.out + seen.err
    assert not world.asked("GetSecretValue"), "seed needs no permission to read values"


def test_two_seeds_at_once_agree_on_one_value(world: World) -> None:
    """The second writes its value after the first looked and found none."""
    client = connect(world).secretsmanager
    rival: list[bool] = []

    def the_other_seed_runs_in_between() -> None:
        del world.before["PutSecretValue"]
        rival.append(seed.give_first_value(client, "secret-key", KEY, "pactum"))

    world.before["PutSecretValue"] = the_other_seed_runs_in_between

    assert seed.give_first_value(client, "secret-key", KEY, "pactum") is False
    assert rival == [True]
    assert len(world.secrets[KEY]["values"]) == 1, "tasks started in between would hold a value that is gone"


def test_a_value_set_by_hand_during_a_seed_wins(world: World) -> None:
    """The guard that the version's id alone is not: another id, written between our look and our write."""
    client = connect(world).secretsmanager
    by_hand = {"SecretId": KEY, "ClientRequestToken": BY_HAND, "SecretString": "chosen by a person"}
    world.before["PutSecretValue"] = lambda: world.put_secret_value(by_hand)

    assert seed.give_first_value(client, "secret-key", KEY, "pactum") is False
    assert world.current_value(KEY) == "chosen by a person"
    assert "AWSPENDING" not in world.secrets[KEY]["stages"], "a rotation would take it for one under way"


def test_a_seed_that_died_half_way_is_completed_by_the_next(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def dies() -> None:
        raise Refused("InternalServiceError", "gone")

    world.before["UpdateSecretVersionStage"] = dies
    run_ops(world, capsys, "seed", "--stack", "staging", "--secret", f"secret-key={KEY}")
    world.secrets[KEY]["stages"].pop("AWSCURRENT")  # written, but not current
    written = dict(world.secrets[KEY]["values"])
    world.before.clear()

    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--secret", f"secret-key={KEY}")

    assert seen.code == 0, seen.err
    assert world.secrets[KEY]["values"] == written
    assert world.current_value(KEY) in written.values()


def test_secrets_of_other_stacks_with_a_like_name_are_not_touched(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    other = world.secret(f"{KEY}x", kind="secret-key", stack="staging-two")
    assert run_ops(world, capsys, "seed", "--stack", "staging").code == 0, "tag filters match prefixes"
    assert world.current_value(other) is None


def test_a_deleted_predecessor_does_not_get_in_the_way(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.secret(f"{KEY}old", kind="secret-key", DeletedDate=world.clock.date())
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert world.current_value(KEY)


@pytest.mark.parametrize("arguments", [(), ("--secret", f"secret-key={KEY}")])
def test_a_secret_scheduled_for_deletion_is_an_error_that_says_how_to_go_on(
    world: World, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    world.secrets[KEY]["DeletedDate"] = world.clock.date()
    seen = run_ops(world, capsys, "seed", "--stack", "staging", *arguments)
    assert seen.code == 2
    assert "scheduled for deletion" in seen.err
    assert "restore-secret" in seen.err
    assert "Traceback" not in seen.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("webhook=arn:x",), "KIND one of database-login, secret-key"),
        (("secret-key",), "give KIND=ARN"),
        ((f"secret-key={KEY}", f"secret-key={LOGIN}"), "given twice"),
        (("secret-key=arn:aws:secretsmanager:us-east-1:123456789012:secret:none",), "there is no secret"),
    ],
)
def test_a_wrong_secret_option_is_refused_before_anything_is_written(
    world: World, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], said: str
) -> None:
    options = [word for pair in given for word in ("--secret", pair)]
    seen = run_ops(world, capsys, "seed", "--stack", "staging", *options)
    assert seen.code == 2
    assert said in seen.err
    assert not world.asked("PutSecretValue")


def test_a_stack_without_secrets_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(World(), capsys, "seed", "--stack", "prod")
    assert seen.code == 2
    assert "pactum:stack=prod" in seen.err
    assert "pulumi up" in seen.err


def test_two_living_secrets_of_one_kind_need_a_choice(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.secret(f"{KEY}x", kind="secret-key")
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 2
    assert KEY in seen.err
    assert f"{KEY}x" in seen.err


def test_a_tagged_secret_of_an_unknown_kind_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.secret(f"{KEY}x", kind="mystery")
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 2
    assert "'mystery'" in seen.err


def test_a_dry_run_says_what_it_would_put_and_puts_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--dry-run", "--json")
    answer = json.loads(seen.out)
    assert (seen.code, answer["dry_run"], answer["secrets"]["secret-key"]["first_value"]) == (0, True, True)
    assert "would put a first value" in seen.err, "steps go to standard error, so that the answer can be piped"
    assert world.current_value(KEY) is None


TOKEN = ARN.format("secretsmanager", "secret:pactum/staging/mail-token-1234-AbCdEf")


def test_a_secret_only_a_person_knows_is_asked_for_and_not_made_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A made-up value would let the update go on, and the application would fail in front of users."""
    world.secret(TOKEN, kind="given:MAIL_TOKEN")
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--secret", f"given:MAIL_TOKEN={TOKEN}")
    assert seen.code == 1
    assert world.current_value(TOKEN) is None
    assert "MAIL_TOKEN has no value" in seen.err
    assert "python -m ops set-secret --stack staging MAIL_TOKEN" in seen.err


def test_the_others_get_their_values_although_one_is_lacking(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.secret(TOKEN, kind="given:MAIL_TOKEN")
    assert run_ops(world, capsys, "seed", "--stack", "staging").code == 1
    assert world.current_value(KEY), "what can be done is done before a person is sent for"


def test_the_database_login_is_named_after_the_project(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    login = world.secret(LOGIN.replace("pactum/", "my-shop/"), kind="database-login")
    run_ops(world, capsys, "seed", "--stack", "staging", "--project", "my-shop", "--secret", f"database-login={login}")
    assert json.loads(world.current_value(login) or "")["username"] == "my_shop_app"


def test_a_name_taken_out_of_the_stack_file_is_nobodys_business_any_more(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """For thirty days Secrets Manager lists what it will delete."""
    world.secret(TOKEN, kind="given:OLD_TOKEN", DeletedDate=world.clock.date())
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 0, seen.err
    assert "OLD_TOKEN" not in seen.out


def test_a_secret_of_the_applications_own_that_is_being_deleted_is_restored_or_named_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.secret(TOKEN, kind="given:MAIL_TOKEN", DeletedDate=world.clock.date())
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--secret", f"given:MAIL_TOKEN={TOKEN}")
    assert seen.code == 2
    assert f"restore-secret --secret-id {TOKEN}" in seen.err
    assert "name MAIL_TOKEN in pactum:secrets of the stack file and run `pulumi up`" in seen.err, (
        "an up alone makes none"
    )


def test_an_update_that_stopped_for_a_value_goes_on_once_it_is_put(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/app-contract.md tells it: the update stops, the command it names is run, the update is run again."""
    world.secret(TOKEN, kind="given:MAIL_TOKEN")
    as_the_update_does = (
        *("seed", "--stack", "staging", "--secret", f"secret-key={KEY}", "--secret", f"database-login={LOGIN}"),
        *("--secret", f"given:MAIL_TOKEN={TOKEN}"),
    )
    stopped = run_ops(world, capsys, *as_the_update_does)
    assert stopped.code == 1
    command = stopped.err.splitlines()[-1].split()
    # Secrets Manager lists what was made seconds ago only later.
    monkeypatch.setattr(world, "list_secrets", lambda _: {"SecretList": []})
    assert command[:4] == ["python", "-m", "ops", "set-secret"]
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2"))
    put = run_ops(world, capsys, *command[3:])
    assert put.code == 0, put.err
    assert "run the update again" in put.out
    assert run_ops(world, capsys, *as_the_update_does).code == 0
    assert world.current_value(TOKEN) == "hunter2"


def test_the_program_the_operators_and_the_rehearsal_tag_a_secret_alike() -> None:
    """Else the rehearsal would find a secret that on AWS nobody does."""
    assert program.GIVEN == secret_kinds.GIVEN == data.GIVEN
