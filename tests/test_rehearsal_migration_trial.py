"""What the trial of migrations makes of what two images say; the images themselves are tried by tests of the app."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from rehearsal import migration_trial
from rehearsal.__main__ import PROGRAMS
from rehearsal.contract.trial import Ended, Trial
from rehearsal.errors import RehearsalError
from tests.recorder import ROOT

ACCOUNT: dict[str, Any] = {"name": "shop.0002", "undoable": False, "why": "RunSQL has no way back"}


class Image:
    """A trial of an image that says these things."""

    image = "shop:1"

    def __init__(self, migrates: Ended, plan: Ended | None = None) -> None:
        self._migrates, self._plan = migrates, plan

    def as_migration(self, command: tuple[str, ...]) -> Ended:
        assert command == migration_trial.COMMAND
        assert self._plan
        return self._plan

    def migration(self) -> Ended:
        return self._migrates


def ended(code: int | None, *lines: object, errors: str = "") -> Ended:
    said = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return Ended(code=code, stdout="\n".join(said), stderr=errors)


def tried(plan: Ended, migrates: Ended | None = None) -> dict[str, Any]:
    return migration_trial.tried(cast("Trial", Image(migrates or ended(1), plan)))


def test_the_images_own_account_is_taken_as_it_is() -> None:
    said = {"migration_plan": [ACCOUNT], "untried": ["shop.0003"], "refused": "shop ends in two"}
    assert tried(ended(0, "a line of its log", {"level": "INFO"}, said)) == {**said, "looked": True}


def test_an_image_without_the_command_tells_names_by_migrating() -> None:
    lacks = ended(1, errors="Unknown command: 'migration_plan'\nType 'manage.py help'")
    found = tried(lacks, ended(0, {"migrations": [ACCOUNT]}))
    assert found == {"migration_plan": [ACCOUNT], "untried": [], "looked": False}


@pytest.mark.parametrize(
    ("plan", "migrates"),
    [
        (ended(1, errors="no module named shop"), None),
        (ended(None, errors="it cannot be started"), None),
        (ended(1, errors="Unknown command: 'migration_plan'"), ended(1, "boom")),
        (ended(1, errors="Unknown command: 'migration_plan'"), ended(0, "no account")),
    ],
)
def test_where_nobody_can_tell_it_is_an_error_with_a_remedy(plan: Ended, migrates: Ended | None) -> None:
    with pytest.raises(RehearsalError) as error:
        tried(plan, migrates)
    assert "make contract" in str(error.value)


def test_an_image_that_runs_and_does_not_migrate_any_more_is_told() -> None:
    with pytest.raises(RehearsalError) as error:
        migration_trial.made_by(cast("Trial", Image(ended(1, "it lacks EMAIL_HOST"))))
    assert "it lacks EMAIL_HOST" in str(error.value)
    assert "stack file" in str(error.value)
    assert "one of its migrations needs rows" in str(error.value), "it is not always a variable"


def test_both_sides_know_the_same_mark() -> None:
    command = (ROOT / "app_image/deployment/management/commands/migration_plan.py").read_text()
    assert f'MARK = "{migration_trial.MARK}"' in command


def test_it_is_a_command_of_the_rehearsal() -> None:
    assert PROGRAMS["migrations"] is migration_trial.main
