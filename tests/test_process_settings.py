"""infra/process_settings.py and table_reader.py: the tables of workers and jobs, refused in one go with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.process_settings import MOST_OVERDUE_MINUTES, JobSettings, WorkerSettings
from tests.test_settings import refusal, settings

COMMAND = ["python", "manage.py", "send_mail"]
JOB = {"command": COMMAND, "schedule": "rate(5 minutes)"}


def refused_worker(**fields: Any) -> str:
    return refusal(workers={"mail": {"command": COMMAND, **fields}}, jobs={})


def refused_job(**fields: Any) -> str:
    return refusal(jobs={"tick": {**JOB, **fields}})


def test_a_short_entry_is_enough_and_the_rest_has_defaults() -> None:
    found = settings(workers={"mail": {"command": COMMAND}}, jobs={"tick": JOB}).processes
    command = tuple(COMMAND)
    assert found.workers == (
        WorkerSettings(name="mail", command=command, cpu=256, memory_mib=512, count=1, stop_seconds=30, connections=2),
    )
    assert found.jobs == (
        JobSettings(
            name="tick",
            command=command,
            schedule="rate(5 minutes)",
            time_zone="UTC",
            overdue_minutes=65,
            cpu=256,
            memory_mib=512,
            connections=2,
        ),
    )


def test_every_field_reaches_the_settings() -> None:
    worker = {"command": COMMAND, "cpu": 512, "memoryMib": 1024, "count": 3, "stopSeconds": 120, "connections": 4}
    job = {
        **JOB,
        "timezone": "Europe/Berlin",
        "overdueMinutes": 15,
        "cpu": 512,
        "memoryMib": 2048,
        "connections": 1,
    }
    found = settings(workers={"mail": worker}, jobs={"tick": job}).processes
    (one,) = found.workers
    assert (one.cpu, one.memory_mib, one.count, one.stop_seconds, one.connections) == (512, 1024, 3, 120, 4)
    (other,) = found.jobs
    assert (other.time_zone, other.cpu, other.memory_mib, other.connections) == ("Europe/Berlin", 512, 2048, 1)
    assert other.overdue_minutes == 15


@pytest.mark.parametrize(
    ("schedule", "timezone", "minutes"),
    [
        ("rate(5 minutes)", "UTC", 5 + 60),
        ("rate(5 minutes)", "Europe/Berlin", 5 + 60),
        ("cron(15 3 * * ? *)", "UTC", 24 * 60 + 60),
        ("cron(15 3 * * ? *)", "Europe/Berlin", 25 * 60 + 60),
        ("cron(0 9 1 * ? *)", "UTC", 31 * 24 * 60 + 60),
        ("rate(2147483647 minutes)", "UTC", MOST_OVERDUE_MINUTES),
    ],
)
def test_a_job_is_overdue_an_hour_after_its_schedule_says_by_default(
    schedule: str, timezone: str, minutes: int
) -> None:
    (job,) = settings(jobs={"tick": {**JOB, "schedule": schedule, "timezone": timezone}}).processes.jobs
    assert job.overdue_minutes == minutes


def test_both_stacks_delete_old_sessions_every_night() -> None:
    """The application keeps its sessions in the database, and Django never deletes one by itself."""
    for stack in ("staging", "prod"):
        (job,) = [job for job in settings(stack).processes.jobs if job.name == "clear-sessions"]
        assert job.command == ("python", "manage.py", "clearsessions")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cpu": 300, "memoryMib": 512}, "mail.cpu is not a Fargate size."),
        ({"memoryMib": 4096}, "mail.memoryMib does not go with cpu 256 on Fargate."),
        ({"cpu": "256"}, "mail.cpu is no number that is possible there."),
        ({"cpu": 1024, "memoryMib": "2048"}, "mail.memoryMib is no number that is possible there."),
        ({"count": 0}, "mail.count is no number that is possible there.\n      Write a number from 1 to 100."),
        ({"count": True}, "mail.count is no number"),
        (
            {"stopSeconds": 121},
            "mail.stopSeconds is no number that is possible there.\n      Write a number from 1 to 120.",
        ),
        ({"connections": 0}, "mail.connections is no number"),
        ({"command": []}, "mail.command is not a list of words."),
        ({"command": "python manage.py"}, "mail.command is not a list of words."),
        ({"command": ["python", " "]}, "mail.command is not a list of words."),
        ({"stopSecond": 3}, "mail.stopSecond is no field of it.\n      Did you mean stopSeconds?"),
        ({"replicas": 3}, "Remove it; there are command, connections, count, cpu, memoryMib, stopSeconds."),
        ({"schedule": "rate(1 minute)"}, "mail.schedule is no field of it."),
    ],
)
def test_a_wrong_field_of_a_worker_is_refused_with_its_rule(fields: dict[str, object], words: str) -> None:
    message = refused_worker(**fields)
    assert message.startswith("1 problem"), message
    assert words in message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"schedule": "cron(0 10 * * ?)"}, "tick.schedule has 5 fields; cron has six"),
        ({"schedule": "rate(1 minutes)"}, "tick.schedule has the wrong unit; AWS wants `rate(1 minute)`."),
        ({"schedule": "cron(0 0 31 2 ? *)"}, "tick.schedule is not due within 5 years."),
        ({"schedule": 5}, "tick.schedule is not a text."),
        ({"schedule": ""}, "tick.schedule is not a text."),
        ({"timezone": "Mars/Olympus"}, "tick.timezone is no time zone of the IANA data base."),
        ({"timezone": 1}, "tick.timezone is not a text."),
        ({"memoryMib": 640}, "tick.memoryMib does not go with cpu 256"),
        ({"overdueMinutes": 0}, "tick.overdueMinutes is no number that is possible there."),
        ({"overdueMinutes": "1 day"}, "tick.overdueMinutes is no number that is possible there."),
        ({"stopSeconds": 30}, "tick.stopSeconds is no field of it."),
    ],
)
def test_a_wrong_field_of_a_job_is_refused_with_its_rule(fields: dict[str, object], words: str) -> None:
    message = refused_job(**fields)
    assert message.startswith("1 problem"), message
    assert words in message


def test_a_job_without_a_schedule_or_a_command_is_refused() -> None:
    message = refusal(jobs={"tick": {}})
    assert "tick.command is missing." in message
    assert "tick.schedule is missing.\n      Write one, such as cron(15 3 * * ? *)" in message


@pytest.mark.parametrize("name", ["Mail", "mail_1", "1mail", "mail-", "a--b", "a" * 26])
def test_a_name_that_aws_resources_cannot_carry_is_refused(name: str) -> None:
    message = refusal(workers={name: {"command": COMMAND}})
    assert "is no name that fits into those of AWS resources." in message


def test_the_longest_name_fits_into_a_roles_with_the_longest_project_and_stack() -> None:
    settings(workers={"a" * 25: {"command": COMMAND}})
    assert len(f"{'p' * 10}-{'s' * 9}-{'a' * 25}-execution-0123456") == 64, "IAM takes no longer ones"


@pytest.mark.parametrize("name", ["web", "migrate", "shell", "watch", "events", "b-web"])
def test_names_of_every_stacks_processes_are_taken(name: str) -> None:
    assert f"{name} is taken:" in refusal(jobs={name: JOB})


def test_a_worker_and_a_job_cannot_share_a_name() -> None:
    assert "mail is a worker too" in refusal(workers={"mail": {"command": COMMAND}}, jobs={"mail": JOB})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (["mail"], "is not a mapping."),
        ({"mail": "python"}, "mail has no fields."),
        ({f"job-{number}": JOB for number in range(21)}, "has 21 entries, more than 20."),
    ],
)
def test_what_is_no_table_is_refused(table: object, words: str) -> None:
    assert words in refusal(jobs=table)


def test_more_jobs_than_one_role_can_name_would_not_fit_its_policy() -> None:
    from infra.scheduler_role import scheduler_policy  # noqa: PLC0415 - the number's reason

    longest = "p" * 44
    families = [f"arn:aws:ecs:ap-southeast-1:123456789012:task-definition/{longest}{n:02}" for n in range(20)]
    roles = [f"arn:aws:iam::123456789012:role/{'r' * 62}{n:02}" for n in range(40)]
    policy = json.dumps(scheduler_policy("c" * 80, families, roles, "q" * 120), separators=(",", ":"))
    assert len(policy) < 10_240, "IAM refuses a longer inline policy"


def test_problems_of_tables_are_told_with_all_others_and_no_text_of_a_command() -> None:
    secret = "hunter2"
    message = refusal(
        taskCpu=300, workers={"mail": {"command": f"login {secret}"}}, jobs={"tick": {**JOB, "schedule": "x"}}
    )
    assert message.startswith("3 problems")
    assert secret not in message, "a stack file's problems are read in pipelines' logs"
    assert secret not in refusal(workers=[f"login {secret}"])


def test_a_worker_that_could_not_be_rolled_is_refused() -> None:
    message = refusal(
        workers={"mail": {"command": COMMAND}}, rolloutMinimumPercent=100, rolloutMaximumPercent=150, webMinimum=2
    )
    assert "pactum:workers\n      mail.count is 1, and a rollout of so many could not move" in message
