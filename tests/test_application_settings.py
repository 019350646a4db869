"""infra/application_settings.py: what a stack file may say of its application, and what it may not."""

from __future__ import annotations

import pytest

from tests.test_settings import refusal, settings


def test_the_bundled_application_needs_no_word_in_a_stack_file() -> None:
    application = settings().application
    assert (application.context, application.dockerfile, application.port) == ("app_image", "Dockerfile", 8000)
    assert (application.health_path, application.readiness_path) == ("/healthz", "/readyz")
    assert application.migrate_command == ("python", "manage.py", "migrate_safely")
    assert application.web_command == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 80}, "pactum:port = 80\n      is out of range."),  # without root it could not be bound
        ({"healthPath": "healthz"}, "pactum:healthPath = healthz\n      has the wrong form."),
        ({"readinessPath": "/readyz?full=1"}, "pactum:readinessPath"),
        ({"imageContext": "/srv/app"}, "pactum:imageContext"),
        ({"migrateCommand": []}, "pactum:migrateCommand = []\n      is empty."),
        ({"migrateCommand": "python manage.py migrate"}, "is not a list of texts."),
        ({"buildArguments": {"PYTHON_IMAGE": "python:3"}}, "PYTHON_IMAGE has a key of its own."),
        ({"buildArguments": {"INDEX_TOKEN": "x"}}, "INDEX_TOKEN sounds like a secret"),
        ({"environment": ["A=1"]}, "is not a mapping of names to texts."),
        ({"environment": {"RATE": 1.5}}, "is not a mapping of names to texts."),
        ({"environment": {"A-B": "x"}}, "'A-B' is no name of a variable."),
        ({"environment": {"DATABASE_HOST": "elsewhere"}}, "DATABASE_HOST is given a value by the program."),
        ({"environment": {"SECRET_KEY": "x"}}, "SECRET_KEY is given a value by the program."),
        ({"environmentNames": {"SECRETKEY": "KEY"}}, "SECRETKEY is no variable of the contract."),
        ({"environmentNames": {"SECRET_KEY": "PORT"}}, "'PORT' is no name a variable can be given besides."),
        ({"secrets": ["mail_token"]}, "'mail_token' is no name of one."),
        ({"secrets": ["SECRET_KEY"]}, "SECRET_KEY is one of the contract's."),
        ({"secrets": [f"S{number}" for number in range(21)]}, "are more than 20."),
        ({"secrets": ["A"], "environment": {"A": "1"}}, "A is given twice, in pactum:environment too."),
        ({"secrets": ["A", "A"]}, "A is given twice"),
    ],
)
def test_what_could_not_work_is_refused_with_its_key(change: dict[str, object], words: str) -> None:
    assert words in refusal(**change)


@pytest.mark.parametrize("name", ["SMTP_PASSWORD", "STRIPE_API_KEY", "GITHUB_TOKEN", "SENTRY_DSN", "client_secret"])
def test_a_secret_among_plain_variables_is_refused_and_sent_where_it_belongs(name: str) -> None:
    """What stands in a stack file is in git, in Pulumi's state and readable in ECS."""
    message = refusal(environment={name: "x"})
    assert f"{name} sounds like a secret" in message
    assert f"python -m ops set-secret {name}" in message


@pytest.mark.parametrize("name", ["MONKEY", "KEYBOARD", "TOKENIZER", "LOG_LEVEL", "AUTHOR"])
def test_a_harmless_name_is_taken(name: str) -> None:
    assert settings(environment={name: "x"}).application.environment == {name: "x"}
