"""infra/times_settings.py: the chain of times that keeps requests alive, and rollouts that can move."""

from __future__ import annotations

import re

import pytest

from infra.config_reader import ConfigReader
from infra.settings import TimesSettings
from infra.times_settings import (
    BECOMING_HEALTHY_SECONDS,
    HEALTH_INTERVAL_SECONDS,
    HEALTH_TIMEOUT_SECONDS,
    STATEMENT_SECONDS,
    check_rollout,
)
from stacks.application import deploy
from tests.contract_fakes import TIMES
from tests.recorder import DIGEST, ROOT, configure, container, record
from tests.test_settings import refusal, settings


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_both_stacks_keep_the_times_that_were_measured(stack: str) -> None:
    times = settings(stack).times
    assert times == TIMES, "docs/decisions/0007 counts on them"
    assert times.balancer_idle_seconds < times.keep_alive_seconds
    assert times.graceful_seconds < times.stop_seconds <= 120


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"keepAliveSeconds": 60},
            (
                "pactum:keepAliveSeconds = 60\n"
                "      is not more than balancerIdleSeconds (60). The balancer would send requests on connections that"
                " the server has just closed, and answer 502.\n"
                "      Choose 61 or more, or a lower balancerIdleSeconds."
            ),
        ),
        (
            {"balancerIdleSeconds": 300},
            "pactum:keepAliveSeconds = 75\n      is not more than balancerIdleSeconds (300).",
        ),
        (
            {"gracefulSeconds": 10},
            (
                "pactum:stopSeconds = 10\n"
                "      is not more than gracefulSeconds (10). ECS would kill the server while it finishes requests.\n"
                "      Choose 11 or more, or a lower gracefulSeconds."
            ),
        ),
        (
            {"stopSeconds": 121},
            "pactum:stopSeconds = 121\n      is out of range.\n      Choose a number from 2 to 120.",
        ),
        (
            {"drainSeconds": 8},
            (
                "pactum:drainSeconds = 8\n"
                "      is not more than the 8 s the database lets a statement run: the balancer would cut slow answers"
                " off.\n"
                "      Choose 9 or more."
            ),
        ),
        (
            {"balancerIdleSeconds": 8},
            "pactum:balancerIdleSeconds = 8\n      is not more than the 8 s the database lets",
        ),
        (
            {"startSeconds": 50},
            (
                "pactum:healthGraceSeconds = 60\n"
                "      is not more than startSeconds (50) and the 10 s of 2 health checks together. ECS would stop"
                " tasks that are about to be ready.\n"
                "      Choose 61 or more, or a lower startSeconds."
            ),
        ),
        (
            {"healthGraceSeconds": 301},
            (
                "pactum:healthGraceSeconds = 301\n"
                "      is more than 300; ECS would count a failed healthCommand from then on.\n"
                "      Choose 300 at most, or set pactum:healthCommand to []."
            ),
        ),
        (
            {"startSeconds": 290, "healthGraceSeconds": 300},
            (
                "pactum:startSeconds = 290\n"
                "      leaves no time for health checks within 300 s, the longest for which ECS ignores a failed"
                " healthCommand.\n"
                "      Choose 289 at most, or set pactum:healthCommand to []."
            ),
        ),
        (
            {"rolloutMaximumPercent": 100},
            (
                "pactum:webMinimum = 1\n"
                "      is 1, and a rollout of so many could not move: 100 % (1) may run at most and 100 % (1) at least,"
                " so ECS may neither start a new task nor stop an old one.\n"
                "      Raise rolloutMaximumPercent to 200, or lower rolloutMinimumPercent."
            ),
        ),
        (
            {"rolloutMinimumPercent": 101},
            "pactum:rolloutMinimumPercent = 101\n      is out of range.\n      Choose a number from 0 to 100.",
        ),
        (
            {"rolloutMaximumPercent": 150},
            "pactum:webMinimum = 1\n      is 1, and a rollout of so many could not move: 150 % (1) may run at most",
        ),
        (
            {"rolloutMaximumPercent": 100, "rolloutMinimumPercent": 51},
            (
                "pactum:webMinimum = 1\n      is 1, and a rollout of so many could not move: 100 % (1) may run at most"
                " and 51 % (1) at least"
            ),
        ),
        (
            {"deploymentTimeoutSeconds": 60},
            (
                "pactum:deploymentTimeoutSeconds = 60\n"
                "      is not more than the 60 s that replacing 1 tasks takes by this stack's times.\n"
                "      Choose 61 or more."
            ),
        ),
        (
            # 125 % of 7 is one more, of 8 two: the most tasks are not what takes longest.
            {"webMinimum": 4, "webMaximum": 8, "rolloutMaximumPercent": 125, "deploymentTimeoutSeconds": 420},
            "      is not more than the 420 s that replacing 7 tasks takes by this stack's times.",
        ),
        (
            # Two at a time, and then one.
            {"webMinimum": 5, "webMaximum": 5, "rolloutMaximumPercent": 140, "deploymentTimeoutSeconds": 180},
            "pactum:deploymentTimeoutSeconds = 180\n      is not more than the 180 s that replacing 5 tasks takes",
        ),
    ],
)
def test_times_that_do_not_fit_together_are_refused_with_the_reason(change: dict[str, object], message: str) -> None:
    told = refusal(**change)
    assert message in told
    assert told.startswith("1 problem in"), "one mistake, one problem"


@pytest.mark.parametrize(
    "change",
    [
        {"balancerIdleSeconds": 300, "keepAliveSeconds": 301},
        {"gracefulSeconds": 119, "stopSeconds": 120},
        {"drainSeconds": 9},
        {"startSeconds": 49},
        {"startSeconds": 289, "healthGraceSeconds": 300},
        {"startSeconds": 580, "healthGraceSeconds": 600, "healthCommand": []},
        {"rolloutMinimumPercent": 0, "rolloutMaximumPercent": 100},
        {"webMinimum": 2, "webMaximum": 2, "rolloutMaximumPercent": 150},
        {"webMinimum": 2, "webMaximum": 2, "rolloutMinimumPercent": 50, "rolloutMaximumPercent": 100},
        {"deploymentTimeoutSeconds": 61},
    ],
)
def test_times_at_the_edge_of_what_works_are_taken(change: dict[str, object]) -> None:
    settings(**change)  # type: ignore[arg-type] # the stack is none of them


@pytest.mark.parametrize(
    "change",
    [
        {"keepAliveSeconds": "long"},
        {"balancerIdleSeconds": 0},
        {"stopSeconds": 0},
        {"gracefulSeconds": 0},
        {"startSeconds": -1},
        {"rolloutMaximumPercent": 250},
        {"rolloutMinimumPercent": 101},
        {"drainSeconds": 0},
        {"healthGraceSeconds": "long"},
        {"deploymentTimeoutSeconds": 60, "webMinimum": 0},
        {"startSeconds": 10_000, "deploymentTimeoutSeconds": 61},
    ],
)
def test_a_time_that_is_wrong_by_itself_is_not_compared_with_others(change: dict[str, object]) -> None:
    assert refusal(**change).startswith("1 problem in"), "the reader would look for a second mistake"


def test_a_worker_that_could_not_be_replaced_is_refused_by_its_name() -> None:
    config = ConfigReader(namespace="pactum", values={})
    times = settings(rolloutMinimumPercent=100, rolloutMaximumPercent=150, webMinimum=2, webMaximum=2).times
    check_rollout(config, times, key="workers", count=1, what="mail.count is")
    check_rollout(config, times, key="workers", count=2, what="thumbnails.count is")
    (problem,) = config.problems
    assert problem.rule.startswith(
        "mail.count is 1, and a rollout of so many could not move: 150 % (1) may run at most"
    )


@pytest.mark.parametrize("count", range(1, 30))
@pytest.mark.parametrize("bounds", [(100, 200), (50, 100), (66, 133), (0, 100), (90, 110)])
def test_what_is_taken_moves_by_ecs_own_arithmetic_and_gets_done(count: int, bounds: tuple[int, int]) -> None:
    """Plays a rollout: new tasks start while fewer than the most run, old ones stop while more than the fewest do."""
    minimum, maximum = bounds
    times = TimesSettings(**{**TIMES.__dict__, "rollout_minimum_percent": minimum, "rollout_maximum_percent": maximum})
    config = ConfigReader(namespace="pactum", values={})
    check_rollout(config, times, key="webMinimum", count=count)
    old, new, steps = count, 0, 0
    while old and steps < 2 * count:
        new += min(count - new, max(0, count * maximum // 100 - old - new))
        old -= min(old, max(0, old + new - -(-count * minimum // 100)))
        steps += 1
    assert (not old) == (not config.problems), "refused when, and only when, it would hang for ever"


def test_the_program_builds_what_the_stack_file_says() -> None:
    configure(
        "staging",
        imageDigest=DIGEST,
        balancerIdleSeconds=120,
        keepAliveSeconds=130,
        drainSeconds=35,
        stopSeconds=45,
        gracefulSeconds=40,
        startSeconds=90,
        healthGraceSeconds=110,
        rolloutMinimumPercent=50,
        rolloutMaximumPercent=150,
        webMinimum=2,
    )
    recorder = record(deploy)
    assert recorder.error is None
    assert recorder.only("aws:lb/loadBalancer:LoadBalancer").inputs["idleTimeout"] == 120
    assert recorder.only("aws:lb/targetGroup:TargetGroup", "pactum-staging-web").inputs["deregistrationDelay"] == 35
    service = recorder.only("aws:ecs/service:Service", "pactum-staging-web").inputs
    assert service["healthCheckGracePeriodSeconds"] == 110
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (50, 150)
    web = container(recorder, "pactum-staging-web")
    assert web["stopTimeout"] == 45
    assert web["healthCheck"]["startPeriod"] == 110
    told = {variable["name"]: variable["value"] for variable in web["environment"]}
    assert (told["KEEP_ALIVE_SECONDS"], told["GRACEFUL_SECONDS"]) == ("130", "40"), "the server must keep them too"


def test_the_balancer_waits_longer_for_an_answer_than_the_database_may_take_for_one() -> None:
    roles = (ROOT / "app_image" / "deployment" / "roles.py").read_text()
    (statement_seconds,) = re.findall(r'"statement_timeout": "(\d+)s"', roles)
    assert int(statement_seconds) == STATEMENT_SECONDS, "what is refused would not be what the database does"


def test_health_checks_are_given_up_before_the_next() -> None:
    assert HEALTH_TIMEOUT_SECONDS < HEALTH_INTERVAL_SECONDS, "AWS refuses the target group otherwise"
    assert BECOMING_HEALTHY_SECONDS == 10, "docs/decisions/0007 and the keys' descriptions say so"


def test_the_image_keeps_the_same_times_where_it_is_not_told() -> None:
    """`make dev` and `docker run` start it without a stack file."""
    reading = (ROOT / "app_image" / "deployment" / "environment.py").read_text()
    defaults = dict(re.findall(r'reader\.number\("(KEEP_ALIVE_SECONDS|GRACEFUL_SECONDS)", (\d+),', reading))
    expected = {"KEEP_ALIVE_SECONDS": str(TIMES.keep_alive_seconds), "GRACEFUL_SECONDS": str(TIMES.graceful_seconds)}
    assert defaults == expected
