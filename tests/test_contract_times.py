"""The contract is tried with the stack file's times, not with ours."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.contract import about_ends, about_web
from rehearsal.contract.requirement import MissingError, UntriedError
from rehearsal.contract.terms import Given
from tests.contract_fakes import TIMES, agreed_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.settings import TimesSettings


@dataclass
class FakeWeb:
    """A web process that ends, and answers, after so many seconds."""

    ends_after_seconds: float = 0.0
    answered_after_seconds: float = 0.0

    def end(self, seconds: float) -> int | None:
        return 0 if self.ends_after_seconds <= seconds else None

    def told(self) -> str:
        return ""


@dataclass
class FakeTrial:
    """One web process, under the times of a stack file."""

    times: TimesSettings
    web: FakeWeb = dataclasses.field(default_factory=FakeWeb)
    thorough: bool = False

    @property
    def terms(self) -> Any:
        return agreed_terms(times=self.times)

    def serving(self) -> FakeWeb:
        return self.web

    def needing(self, web: Callable[[], FakeWeb]) -> FakeWeb:
        return web()


def changed(**changes: int) -> TimesSettings:
    return dataclasses.replace(TIMES, **changes)


@pytest.mark.parametrize(("took", "fits"), [(30.0, True), (30.1, False)])
def test_a_start_that_takes_longer_than_the_stack_file_says_is_told(took: float, fits: bool) -> None:
    trial: Any = FakeTrial(times=TIMES, web=FakeWeb(answered_after_seconds=took))
    if fits:
        about_web.starts_in_time(trial)
        return
    with pytest.raises(MissingError, match="It took 30 s until it answered; the stack file's startSeconds is 30"):
        about_web.starts_in_time(trial)


def test_a_process_has_stop_seconds_to_end() -> None:
    slow: Any = FakeWeb(ends_after_seconds=40)
    patient: Any = FakeTrial(times=changed(stop_seconds=45))
    about_ends._judge_end(patient, slow)
    hasty: Any = FakeTrial(times=changed(stop_seconds=39))
    with pytest.raises(MissingError, match="It still ran 39 s after SIGTERM, when ECS kills it"):
        about_ends._judge_end(hasty, slow)


def test_connections_have_to_outlive_the_stacks_own_balancer() -> None:
    trial: Any = FakeTrial(times=changed(balancer_idle_seconds=120, keep_alive_seconds=130))
    with pytest.raises(UntriedError, match="it takes 121 s"):
        about_ends.keeps_idle_connections(trial)


def test_the_web_process_is_told_its_times_and_the_migration_is_not() -> None:
    terms = agreed_terms(times=changed(keep_alive_seconds=130, graceful_seconds=40))
    given = Given(terms=terms, database="contract")
    web = given.to_web()
    assert (web["KEEP_ALIVE_SECONDS"], web["GRACEFUL_SECONDS"]) == ("130", "40")
    assert not {"KEEP_ALIVE_SECONDS", "GRACEFUL_SECONDS"} & given.to_migration().keys()
