"""infra/config_reader.py: keys nobody reads, and what of a value is shown."""

from __future__ import annotations

import pulumi
import pytest

from infra.settings import SettingsError, load
from tests.recorder import stack_config
from tests.test_settings import refusal, settings


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("aws:regoin", ("aws:regoin\n      is not a key of this program; the engine would ignore it silently.\n"
                       "      Did you mean aws:region?")),
        ("aws:allowedAccounts", "      Did you mean aws:allowedAccountIds?"),
        ("aws:zzz", ("aws:zzz\n      is not a key of this program; the engine would ignore it silently.\n"
                    "      Remove it; Pulumi.yaml lists the keys there are.")),
        ("shop:taskCpu", "shop:taskCpu\n      is not a key of this program"),
        ("taskCpu", ("taskCpu\n      is not a key of this program; the engine would ignore it silently.\n"
                    "      Did you mean pactum:taskCpu?")),
        ("gcp:project", "gcp:project\n      is not a key of this program"),
        ("", "\n      is not a key of this program"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_reads_is_refused_whoever_it_was_meant_for(key: str, told: str) -> None:
    pulumi.runtime.set_all_config({**stack_config("staging"), key: "hunter2"})
    pulumi.runtime.set_mocks(None, project="pactum", stack="staging")  # type: ignore[arg-type] # names only
    with pytest.raises(SettingsError) as refused:
        load()
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value), "what it holds is nobody's to judge"
    assert str(refused.value).startswith("1 problem in")


def test_the_engines_own_keys_are_left_to_it() -> None:
    settings(**{"pulumi:tags": {"team": "payments"}, "pulumi:disable-default-providers": ["gcp"]})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        "https://deploy:hunter2@registry.example/pactum",
        "hunter2-----BEGIN PRIVATE KEY-----",
        "AKIAHUNTER2HUNTER2AB hunter2",
        '  {"password": "hunter2"}',
    ],
)
def test_a_value_that_looks_like_a_credential_is_not_repeated_wherever_it_stands(value: str) -> None:
    told = refusal(repositoryUrl=value)
    assert "pactum:repositoryUrl\n      has the wrong form." in told
    assert "hunter2" not in told.lower(), "a pipeline's log is read by more people than a stack file"


def test_what_was_set_as_a_secret_is_not_repeated() -> None:
    """`pulumi config set --secret` encrypts a value; the engine hands it to the program in the clear."""
    pulumi.runtime.set_all_config(stack_config("staging", alarmEmail="hunter2"), ["pactum:alarmEmail"])
    pulumi.runtime.set_mocks(None, project="pactum", stack="staging")  # type: ignore[arg-type] # names only
    with pytest.raises(SettingsError) as refused:
        load()
    pulumi.runtime.set_all_config({}, [])
    assert "pactum:alarmEmail\n      has the wrong form." in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_blanks_that_nobody_would_see_are_shown() -> None:
    assert "pactum:domainName = 'pactum.example.com '\n      has the wrong form." in refusal(
        domainName="pactum.example.com "
    )


def test_a_value_of_several_lines_does_not_break_the_list_of_problems() -> None:
    assert "pactum:domainName = 'a.example\\n  2. b'\n      has the wrong form." in refusal(
        domainName="a.example\n  2. b"
    )


def test_a_long_value_is_shown_by_its_beginning() -> None:
    assert f"pactum:domainName = {'x' * 200}...\n" in refusal(domainName="x" * 5000)


@pytest.mark.parametrize(
    "address",
    [
        "on-call",
        "on-call@example",
        "@example.com",
        "on call@example.com",
        "on-call@example.com, boss@example.com",
        "<on-call@example.com>",
        "on-call@@example.com",
        ".on-call@example.com",
        "on..call@example.com",
        "on-call.@example.com",
        "on-call@-example.com",
        "on-call@example..com",
        "on-call@example.c",
        "mailto:on-call@example.com",
        f"{'a' * 65}@example.com",
        f"on-call@{'a' * 64}.com",
        "on-call@example.com.",
        "ön-call@example.com",
    ],
)
def test_what_is_no_address_of_a_mailbox_is_refused(address: str) -> None:
    told = refusal(alarmEmail=address)
    assert told.startswith("1 problem in")
    assert "pactum:alarmEmail" in told
    assert "has the wrong form.\n      Write it like on-call@example.com." in told


@pytest.mark.parametrize("address", ["on-call@example.com", "ops+pactum@mail.Example.co.uk", "o'hara_7@x-y.example"])
def test_addresses_that_mail_servers_take_are_taken(address: str) -> None:
    assert settings(alarmEmail=address).observability.alarm_email == address
