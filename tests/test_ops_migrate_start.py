"""A migration task that never starts: the cause is named by its kind, with what to do, and what goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.migrations import about_to_migrate, ends, migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_IMAGE = "CannotPullContainerError: pull image manifest has been retried 1 time(s): repo/web@sha256:aa: not found"
NO_KEY = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "retrieved secret from Secrets Manager did not contain json key url"
)


@pytest.mark.parametrize(
    ("reason", "cause", "told"),
    [
        (NO_IMAGE, "image cannot be pulled: the registry does not have it", ["Push the image this digest names"]),
        (NO_KEY, "secret or key missing: a secret has no key url", ["python -m ops seed --stack staging"]),
    ],
    ids=["image", "key"],
)
def test_what_kept_it_from_starting_is_named_in_the_record_and_in_the_message(
    capsys: pytest.CaptureFixture[str], reason: str, cause: str, told: Sequence[str]
) -> None:
    world = about_to_migrate()
    ends(world, exit_code=None, reason=reason, code="TaskFailedToStart")
    seen = migrate(world, capsys)
    assert seen.code == 1
    assert world.record().releases[0].cause.startswith(f"the migration failed: never started, {cause}")
    for fact in (cause, *told, "what to do: ", "service was not touched: whatever served goes on serving"):
        assert fact in seen.err


def test_a_migration_that_ran_and_failed_is_not_called_a_start_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    world = about_to_migrate()
    ends(world, exit_code=3)
    seen = migrate(world, capsys)
    assert world.record().releases[0].cause == "the migration failed: exit code 3"
    assert "Nothing was migrated" not in seen.err
