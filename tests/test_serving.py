"""infra/serving.py: processes, threads and database connections, derived in one place."""

from __future__ import annotations

import pytest

from infra.aws_rules import rds_memory_gib
from infra.serving import GENERATIONS, connection_budget, fewest_connections, serving
from tests.test_settings import refusal, settings


@pytest.mark.parametrize(
    ("cpu", "processes", "threads"),
    [(256, 1, 4), (512, 1, 4), (1024, 2, 4), (2048, 2, 8), (4096, 4, 8), (16384, 16, 8)],
)
def test_processes_and_threads_follow_the_cpu_and_there_is_always_one(cpu: int, processes: int, threads: int) -> None:
    size = serving(cpu=cpu, memory_mib=8192, connections=1000, tasks=1)
    assert (size.processes, size.threads) == (processes, threads)


def test_memory_bounds_the_processes_before_the_kernel_does() -> None:
    assert serving(cpu=4096, memory_mib=512, connections=1000, tasks=1).processes == 3
    assert serving(cpu=4096, memory_mib=64, connections=1000, tasks=1).processes == 1


def test_every_thread_has_a_connection_and_the_readiness_check_one_besides() -> None:
    size = serving(cpu=1024, memory_mib=2048, connections=1000, tasks=2)
    assert size.connections == size.threads + 1, "a thread without a connection waits"


@pytest.mark.parametrize("connections", range(8, 50))
def test_where_connections_are_few_there_are_as_few_threads(connections: int) -> None:
    size = serving(cpu=1024, memory_mib=2048, connections=connections, tasks=1)
    assert size.threads == max(1, size.connections - 1) <= 4, "a thread without a connection waits"


@pytest.mark.parametrize("tasks", [1, 2, 3, 5, 8])
def test_old_and_new_tasks_together_stay_within_the_databases_connections(tasks: int) -> None:
    budget = connection_budget("db.t4g.micro")
    size = serving(cpu=1024, memory_mib=2048, connections=budget, tasks=tasks)
    assert tasks * GENERATIONS * size.processes * size.connections <= budget, "the database would refuse the new tasks"


def test_fewer_connections_than_processes_need_are_told() -> None:
    size = serving(cpu=1024, memory_mib=2048, connections=70, tasks=20)
    assert fewest_connections(size, 20) == 20 * 2 * 2 * 2 > 70


def test_a_stack_with_more_tasks_than_the_database_can_serve_is_refused() -> None:
    message = refusal(webMaximum=20, taskCpu=1024, taskMemoryMib=2048, jobs={})
    assert "pactum:webMaximum = 20\n      needs 160 database connections: 20 tasks x 2 generations" in message
    assert "x 2 processes x 2. db.t4g.micro has 74 in all." in message
    assert "Choose a larger databaseInstanceClass, fewer tasks" in message


def test_workers_and_jobs_have_connections_of_their_own_in_both_generations() -> None:
    worker = {"command": ["python"], "count": 5, "connections": 4}
    job = {"command": ["python"], "schedule": "rate(1 hour)", "connections": 3}
    found = settings(workers={"mail": worker}, jobs={"tick": job, "tock": {**job, "connections": 1}})
    assert found.processes.connections == 2 * (5 * 4 + 3 + 1)
    left = connection_budget("db.t4g.micro") - found.processes.connections
    size = found.web.serving
    assert found.web.maximum * GENERATIONS * size.processes * size.connections <= left, "somebody would be refused"
    assert size.connections < settings().web.serving.connections + 1


def test_workers_that_leave_web_too_few_connections_are_refused_with_the_sum() -> None:
    worker = {"command": ["python"], "count": 9, "connections": 4}
    message = refusal(workers={"mail": worker}, jobs={})
    assert "needs 8 database connections, and workers and jobs 72: 2 tasks x 2 generations" in message


def test_a_web_task_is_sized_for_as_many_as_autoscaling_may_start() -> None:
    for maximum in (2, 8):
        web = settings(webMaximum=maximum).web
        size = web.serving
        left = connection_budget("db.t4g.micro") - settings().processes.connections
        assert maximum * GENERATIONS * size.processes * size.connections <= left
    assert size.threads < settings(webMaximum=2).web.serving.threads, "otherwise nothing had to be shared out"


def test_more_tasks_at_least_than_at_most_are_refused() -> None:
    message = refusal(webMinimum=3, webMaximum=2)
    assert message.startswith("1 problem")
    assert "pactum:webMaximum = 2\n      is less than webMinimum (3).\n      Choose 3 or more." in message


def test_both_stacks_have_a_connection_for_each_thread() -> None:
    for stack in ("staging", "prod"):
        size = settings(stack).web.serving
        assert size.connections == size.threads + 1


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        *(("db.t4g.micro", 1), ("db.t4g.medium", 4), ("db.t4g.large", 8), ("db.t3.2xlarge", 32)),
        *(("db.m7g.large", 8), ("db.m7g.2xlarge", 32), ("db.r6g.xlarge", 32), ("db.r6gd.16xlarge", 512)),
    ],
)
def test_memory_of_instance_classes_is_amazons(instance_class: str, gib: int) -> None:
    assert rds_memory_gib(instance_class) == gib


@pytest.mark.parametrize(
    "instance_class",
    ["db.x2g.large", "db.m7g.micro", "db.r6g.medium", "db.t4g.4xlarge", "db.m7g.3xlarge", "db.t5.large"],
)
def test_an_instance_class_that_there_is_not_or_of_unknown_memory_is_refused(instance_class: str) -> None:
    assert f"pactum:databaseInstanceClass = {instance_class}\n      has the wrong form." in refusal(
        databaseInstanceClass=instance_class
    )
