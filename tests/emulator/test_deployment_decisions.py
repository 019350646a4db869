"""The scheduler's decisions, without Docker."""

import pytest
from rehearsal.emulator.circuit_breaker import pause_after
from rehearsal.emulator.deployments import Decision, ServiceView, TaskView, decide
from rehearsal.emulator.task_health import judge

OLD, NEW = "ecs-svc/1", "ecs-svc/2"


def service(**changes: object) -> ServiceView:
    """Two desired tasks, 100 to 200 percent, a new deployment in progress over an old one."""
    values = {"desired": 2, "primary": NEW, "state": "IN_PROGRESS", "fallback": OLD} | changes
    return ServiceView(**values)  # type: ignore[arg-type]


def task(arn: str, deployment: str, *, healthy: bool = True, doomed: str = "") -> TaskView:
    """A task as the scheduler sees it."""
    return TaskView(arn=arn, deployment=deployment, healthy=healthy, doomed=doomed, created=arn)


def test_a_new_deployment_starts_all_its_tasks_beside_the_old_ones_when_200_percent_are_allowed() -> None:
    decision = decide(service(), [task("a", OLD), task("b", OLD)])
    assert decision == Decision(start={NEW: 2}), "nothing old may go before something new is healthy"


def test_old_tasks_stay_while_the_new_ones_boot() -> None:
    tasks = [task("a", OLD), task("b", OLD), task("c", NEW, healthy=False), task("d", NEW, healthy=False)]
    assert decide(service(), tasks) == Decision(), "users would be left without a server that answers"


def test_each_healthy_new_task_relieves_one_old_task() -> None:
    tasks = [task("a", OLD), task("b", OLD), task("c", NEW), task("d", NEW, healthy=False)]
    decision = decide(service(), tasks)
    assert list(decision.stop) == ["a"], "one new task is healthy, so one old one has been replaced"
    assert not decision.complete, "the second new task is not healthy yet"


def test_a_deployment_is_complete_only_when_no_old_task_is_left() -> None:
    tasks = [task("a", OLD), task("c", NEW), task("d", NEW)]
    assert not decide(service(), tasks).complete, "an old task still serves"
    assert decide(service(), tasks[1:]).complete, "all desired tasks of the new revision are healthy, and alone"


def test_an_unhealthy_task_is_stopped_with_its_reason_and_replaced() -> None:
    decision = decide(service(), [task("a", OLD), task("b", OLD), task("c", NEW, healthy=False, doomed="why")])
    assert decision.stop == {"c": "why"}, "the reason is what an operator reads"
    assert decision.start == {NEW: 2}, "both places of the new revision are open again"


@pytest.mark.parametrize(
    ("minimum", "maximum", "stopped", "started"),
    [(50, 100, 1, 1), (0, 100, 2, 2), (100, 150, 0, 1), (100, 100, 0, 0), (100, 200, 0, 2)],
)
def test_minimum_and_maximum_percent_bound_what_is_stopped_and_started(
    minimum: int, maximum: int, stopped: int, started: int
) -> None:
    view = service(minimum_percent=minimum, maximum_percent=maximum)
    decision = decide(view, [task("a", OLD), task("b", OLD)])
    assert (len(decision.stop), sum(decision.start.values())) == (stopped, started), "as ECS computes the two limits"


def test_percentages_round_in_favour_of_the_users() -> None:
    view = service(desired=3, minimum_percent=50, maximum_percent=150)
    assert (view.floor, view.ceiling) == (2, 4), "ECS rounds the minimum up and the maximum down"


def test_a_lost_old_task_is_replaced_by_the_last_completed_revision_during_a_deployment() -> None:
    tasks = [task("a", OLD), task("c", NEW, healthy=False), task("d", NEW, healthy=False)]
    assert decide(service(), tasks).start == {OLD: 1}, "the new revision does not carry the load yet"


def test_a_failed_deployment_starts_nothing_more() -> None:
    assert decide(service(state="FAILED", fallback=""), []) == Decision(), "the breaker stopped it for good"


def test_scaling_in_takes_the_surplus_and_no_more() -> None:
    view = service(state="COMPLETED", desired=1)
    decision = decide(view, [task("c", NEW), task("d", NEW)])
    assert len(decision.stop) == 1, "one of two tasks is one too many"


def test_a_service_scaled_to_zero_is_complete_once_its_tasks_are_gone() -> None:
    view = service(desired=0)
    assert set(decide(view, [task("c", NEW)]).stop) == {"c"}, "zero desired tasks means none"
    assert decide(view, []).complete, "an empty deployment has nothing to wait for"


def test_a_failing_check_counts_only_after_the_grace_period() -> None:
    states = {"group": "unhealthy"}
    assert judge("NONE", states, age=5, grace=10).failure == "", "a slow boot is not a failure yet"
    assert "ELB health checks in (target-group group)" in judge("NONE", states, age=11, grace=10).failure, "ECS's words"
    assert judge("UNHEALTHY", {}, age=11, grace=10).failure == "Task failed container health checks", "ECS's words"


def test_a_task_is_healthy_only_when_containers_and_every_target_group_say_so() -> None:
    assert judge("HEALTHY", {"a": "healthy", "b": "healthy"}, age=0, grace=0).healthy, "both say so"
    assert not judge("UNKNOWN", {"a": "healthy"}, age=9, grace=0).healthy, "the container check has not passed yet"
    assert not judge("HEALTHY", {"a": "healthy", "b": "initial"}, age=9, grace=0).healthy, "one group still checks"
    assert not judge("NONE", {}, age=0.2, grace=0).healthy, "a task that nothing checks must at least survive its start"


def test_pauses_between_starts_grow_to_a_limit() -> None:
    pauses = [pause_after(n) for n in range(1, 9)]
    assert pauses == sorted(pauses), "a crash loop must not become a busy loop"
    assert pauses[0] < 1 and pauses[-1] == 10, "and a rehearsal must not wait for minutes"  # noqa: PT018
