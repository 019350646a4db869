"""What a stack file says of time: how long each side waits for the other, and how a rollout proceeds.

The times hang together, and what is wrong with them is seen only when a user loses a request, so the whole chain is
checked here, once (docs/decisions/0014-the-chain-of-times.md). Whatever waits takes its seconds from TimesSettings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.config_reader import ConfigReader

# The balancer asks a target, and ECS a container with a healthCommand: healthy after two answers, unhealthy after three
# failures. Five seconds are the shortest interval AWS takes.
HEALTH_INTERVAL_SECONDS, HEALTH_TIMEOUT_SECONDS = 5, 4
HEALTHY_THRESHOLD, UNHEALTHY_THRESHOLD = 2, 3
BECOMING_HEALTHY_SECONDS = HEALTH_INTERVAL_SECONDS * HEALTHY_THRESHOLD
# How long the database lets a statement of the application run (app_image/deployment/roles.py).
STATEMENT_SECONDS = 8
# AWS' limits: attributes of load balancers and target groups; stopTimeout on Fargate; startPeriod of a health check.
LONGEST_IDLE_SECONDS, LONGEST_DRAIN_SECONDS, LONGEST_STOP_SECONDS, LONGEST_GRACE_SECONDS = 4000, 3600, 120, 300


@dataclass(frozen=True, kw_only=True)
class TimesSettings:
    """The seconds of web tasks and of the balancer before them, and the bounds ECS keeps during a rollout."""

    balancer_idle_seconds: int
    keep_alive_seconds: int
    drain_seconds: int
    """A target that leaves may finish what it is answering for so long, before it is told to stop."""
    stop_seconds: int
    """From SIGTERM to SIGKILL."""
    graceful_seconds: int
    """From SIGTERM until the server gives up what it still answers."""
    start_seconds: int
    health_grace_seconds: int
    rollout_minimum_percent: int
    rollout_maximum_percent: int

    def most_tasks(self, count: int) -> int:
        """Tasks of both generations that a rollout of `count` tasks may have at once; ECS rounds down."""
        return count * self.rollout_maximum_percent // 100

    def fewest_tasks(self, count: int) -> int:
        """Tasks that a rollout of `count` tasks leaves at work; ECS rounds up."""
        return -(-count * self.rollout_minimum_percent // 100)

    def rollout_seconds(self, count: int) -> int:
        """Seconds that replacing `count` tasks takes at the slowest start; the rollout must be able to move."""
        rounds = -(-count // (self.most_tasks(count) - self.fewest_tasks(count)))
        return rounds * (self.start_seconds + BECOMING_HEALTHY_SECONDS + self.drain_seconds + self.stop_seconds)


def read_times(config: ConfigReader, health_command: Sequence[str]) -> TimesSettings:
    """Read the times' keys; what is wrong with them, or with their order, is left with `config`."""
    times = TimesSettings(
        balancer_idle_seconds=config.whole("balancerIdleSeconds", 1, LONGEST_IDLE_SECONDS),
        keep_alive_seconds=config.whole("keepAliveSeconds", 1, LONGEST_IDLE_SECONDS + 600),
        drain_seconds=config.whole("drainSeconds", 1, LONGEST_DRAIN_SECONDS),
        stop_seconds=config.whole("stopSeconds", 2, LONGEST_STOP_SECONDS),
        graceful_seconds=config.whole("gracefulSeconds", 1, LONGEST_STOP_SECONDS - 1),
        start_seconds=config.whole("startSeconds", 1, 580),
        health_grace_seconds=config.whole("healthGraceSeconds", 1, 600),
        rollout_minimum_percent=config.whole("rolloutMinimumPercent", 0, 100),
        # Twice as many tasks are all the new ones beside all the old ones; more would never be started.
        rollout_maximum_percent=config.whole("rolloutMaximumPercent", 100, 200),
    )
    _check_longer(
        config,
        ("keepAliveSeconds", times.keep_alive_seconds),
        ("balancerIdleSeconds", times.balancer_idle_seconds),
        "The balancer would send requests on connections that the server has just closed, and answer 502.",
    )
    _check_longer(
        config,
        ("stopSeconds", times.stop_seconds),
        ("gracefulSeconds", times.graceful_seconds),
        "ECS would kill the server while it finishes requests.",
    )
    for key, seconds in (
        ("drainSeconds", times.drain_seconds),
        ("balancerIdleSeconds", times.balancer_idle_seconds),
    ):
        if seconds <= STATEMENT_SECONDS and not config.is_refused(key):
            config.refuse(
                key,
                f"is not more than the {STATEMENT_SECONDS} s the database lets a statement run: the balancer would cut"
                " slow answers off.",
                f"Choose {STATEMENT_SECONDS + 1} or more.",
            )
    _check_start(config, times, health_command)
    return times


def _check_longer(config: ConfigReader, longer: tuple[str, int], shorter: tuple[str, int], otherwise: str) -> None:
    (key, seconds), (other, least) = longer, shorter
    if seconds <= least and not config.is_refused(key, other):
        config.refuse(
            key, f"is not more than {other} ({least}). {otherwise}", f"Choose {least + 1} or more, or a lower {other}."
        )


def _check_start(config: ConfigReader, times: TimesSettings, health_command: Sequence[str]) -> None:
    """ECS replaces a task that is unhealthy when its grace ends, also one that only needs a moment more."""
    if config.is_refused("startSeconds", "healthGraceSeconds"):
        return
    least = times.start_seconds + BECOMING_HEALTHY_SECONDS + 1
    without = "or set pactum:healthCommand to []."
    if health_command and least > LONGEST_GRACE_SECONDS:
        config.refuse(
            "startSeconds",
            f"leaves no time for health checks within {LONGEST_GRACE_SECONDS} s, the longest for which ECS ignores a"
            " failed healthCommand.",
            f"Choose {LONGEST_GRACE_SECONDS - BECOMING_HEALTHY_SECONDS - 1} at most, {without}",
        )
    elif health_command and times.health_grace_seconds > LONGEST_GRACE_SECONDS:
        config.refuse(
            "healthGraceSeconds",
            f"is more than {LONGEST_GRACE_SECONDS}; ECS would count a failed healthCommand from then on.",
            f"Choose {LONGEST_GRACE_SECONDS} at most, {without}",
        )
    elif times.health_grace_seconds < least:
        config.refuse(
            "healthGraceSeconds",
            f"is not more than startSeconds ({times.start_seconds}) and the {BECOMING_HEALTHY_SECONDS} s of"
            f" {HEALTHY_THRESHOLD} health checks together. ECS would stop tasks that are about to be ready.",
            f"Choose {least} or more, or a lower startSeconds.",
        )


def check_rollout(config: ConfigReader, times: TimesSettings, *, key: str, count: int, what: str = "is") -> None:
    """Refuse a number of tasks that ECS could neither start beside the old ones nor put in their place.

    More tasks than a number that can move can move as well. `what` names the number where one key holds several
    (`mail.count is`).
    """
    if config.is_refused(key, "rolloutMinimumPercent", "rolloutMaximumPercent"):
        return
    most, fewest = times.most_tasks(count), times.fewest_tasks(count)
    if most - fewest < 1:
        config.refuse(
            key,
            f"{what} {count}, and a rollout of so many could not move: {times.rollout_maximum_percent} %"
            f" ({most}) may run at most and {times.rollout_minimum_percent} % ({fewest}) at least, so ECS may neither"
            " start a new task nor stop an old one.",
            "Raise rolloutMaximumPercent to 200, or lower rolloutMinimumPercent.",
        )


def check_patience(config: ConfigReader, times: TimesSettings, *, counts: range, timeout_seconds: int) -> None:
    """Refuse to give up on a rollout, of whichever number of web tasks there is, that only takes its time."""
    # A number of tasks that cannot move is refused as webMinimum. A time that is refused reads as the shortest.
    wrong = "webMinimum", "webMaximum", "rolloutMinimumPercent", "rolloutMaximumPercent", "deploymentTimeoutSeconds"
    if config.is_refused(*wrong):
        return
    count = max(counts, key=times.rollout_seconds)
    needed = times.rollout_seconds(count)
    if timeout_seconds <= needed:
        config.refuse(
            "deploymentTimeoutSeconds",
            f"is not more than the {needed} s that replacing {count} tasks takes by this stack's times.",
            f"Choose {needed + 1} or more.",
        )
