"""infra/production_rules.py: what a stack must have that users depend on."""

from __future__ import annotations

import pulumi
import pytest

from infra.production_rules import PRODUCTION_NAMES, PROTECTIONS
from infra.settings import SettingsError, load
from tests.recorder import stack_config
from tests.test_settings import settings


def refusal(stack: str = "prod", /, **changes: object) -> str:
    with pytest.raises(SettingsError) as refused:
        settings(stack, **changes)
    return str(refused.value)


UNPROTECTED: dict[str, tuple[dict[str, object], str]] = {
    "domainName": (
        {"domainName": "", "hostedZoneId": "", "certificateArn": ""},
        (
            "pactum:domainName\n"
            "      is empty: passwords and sessions would reach a production stack unencrypted.\n"
            "      Set it to the name that users type, and hostedZoneId or certificateArn with it."
        ),
    ),
    "natMode": (
        {"natMode": "single"},
        (
            "pactum:natMode = single\n"
            "      leaves all tasks of a production stack without a way out when the one zone of its gateway fails.\n"
            "      Choose per_zone; or none, where the application asks AWS only."
        ),
    ),
    "databaseMultiAz": (
        {"databaseMultiAz": False},
        (
            "pactum:databaseMultiAz = false\n"
            "      leaves a production stack without a database when one zone fails.\n"
            "      Set it to true."
        ),
    ),
    "databaseBackupDays": (
        {"databaseBackupDays": 6},
        (
            "pactum:databaseBackupDays = 6\n"
            "      is too short for a production stack: damage is often noticed days later.\n"
            "      Choose 7 or more."
        ),
    ),
    "deletionProtection": (
        {"deletionProtection": False},
        (
            "pactum:deletionProtection = false\n"
            "      would let one command delete the data of a production stack.\n"
            "      Set it to true."
        ),
    ),
    "webMinimum": (
        {"webMinimum": 1},
        (
            "pactum:webMinimum = 1\n"
            "      leaves nobody to answer users when one task, or its zone, fails.\n"
            "      Choose 2 or more."
        ),
    ),
    "rolloutMinimumPercent": (
        {"rolloutMinimumPercent": 0},
        (
            "pactum:rolloutMinimumPercent = 0\n"
            "      leaves nobody to answer users during a rollout.\n"
            "      Choose 100, or at least so much that one task stays."
        ),
    ),
    "logRetentionDays": (
        {"logRetentionDays": 60},
        (
            "pactum:logRetentionDays = 60\n"
            "      is too short for a production stack: incidents are often looked into months later.\n"
            "      Choose 90 or more."
        ),
    ),
    "alarmEmail": (
        {"alarmEmail": ""},
        (
            "pactum:alarmEmail\n"
            "      is empty: nobody would be told that a production stack is down.\n"
            "      Set it to an address that is read day and night, such as on-call@example.com."
        ),
    ),
}


def test_each_protection_has_its_case() -> None:
    assert {protection.key for protection in PROTECTIONS} == UNPROTECTED.keys()


@pytest.mark.parametrize("key", UNPROTECTED)
def test_production_without_a_protection_is_refused_and_staging_is_not(key: str) -> None:
    changes, message = UNPROTECTED[key]
    told = refusal(**changes)
    assert message in told
    assert told.startswith("1 problem in"), "all else of prod is protected"
    settings("staging", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"natMode": "none"},
        {"databaseBackupDays": 7},
        {"logRetentionDays": 90},
        {"rolloutMinimumPercent": 1},
    ],
)
def test_what_just_suffices_is_taken(changes: dict[str, object]) -> None:
    assert settings("prod", **changes).production


def test_all_that_lacks_is_told_at_once() -> None:
    """The staging file with one line more: somebody makes a production stack of it."""
    told = refusal("staging", production=True)
    assert told.startswith("7 problems in")
    for key in UNPROTECTED.keys() - {"databaseBackupDays", "rolloutMinimumPercent"}:
        assert f"pactum:{key}" in told


def test_a_wrong_value_is_not_refused_a_second_time_for_protecting_nothing() -> None:
    assert refusal(databaseBackupDays="a week", webMinimum="two", natMode="per zone").startswith("3 problems in")
    assert refusal(production="yes").startswith("1 problem in"), "that the stack is called prod is no second mistake"


def test_one_zone_is_refused_everywhere() -> None:
    for stack in ("staging", "prod"):
        assert "must be two or three different zone letters" in refusal(stack, zones=["a"])


@pytest.mark.parametrize("stack", PRODUCTION_NAMES)
def test_a_stack_called_production_is_production(stack: str) -> None:
    pulumi.runtime.set_all_config(stack_config("prod", production=False))
    pulumi.runtime.set_mocks(None, project="pactum", stack=stack)  # type: ignore[arg-type] # names only
    with pytest.raises(SettingsError) as refused:
        load()
    assert (
        f"pactum:production = false\n      is false for the stack `{stack}`.\n      Set it to true, which refuses"
        " whatever is unprotected; or give the stack another name."
    ) in str(refused.value)
