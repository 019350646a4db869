"""infra/application_settings.py: what a stack file may say of its application, and what it may not."""

from __future__ import annotations

import pytest

from tests.test_settings import refusal, settings

HIDDEN = "hunter2-0123456789"


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
        ({"buildArguments": {"INDEX_TOKEN": "x"}}, "INDEX_TOKEN looks like a secret"),
        ({"environment": ["A=1"]}, "is not a mapping of names to texts."),
        ({"environment": {"RATE": 1.5}}, "is not a mapping of names to texts."),
        ({"environment": {"A-B": "x"}}, "'A-B' is no name of a variable."),
        ({"environment": {"DATABASE_HOST": "elsewhere"}}, "DATABASE_HOST is given a value by the program."),
        ({"environment": {"SECRET_KEY": "x"}}, "SECRET_KEY is given a value by the program."),
        ({"environmentNames": {"SECRETKEY": "KEY"}}, "SECRETKEY is no variable of the contract."),
        ({"environmentNames": {"SECRET_KEY": "PORT"}}, "after SECRET_KEY is no name it can be given besides."),
        ({"environmentNames": {"SECRET_KEY": "LOG_LEVEL"}}, "after SECRET_KEY is no name it can be given besides."),
        ({"environmentNames": {"SECRET_KEY": "PYTHONPATH"}}, "after SECRET_KEY is no name it can be given besides."),
        ({"secrets": ["mail_token"]}, "Number 1 of them is no name of a secret variable."),
        ({"secrets": ["A" * 101]}, "Number 1 of them is no name of a secret variable."),
        ({"secrets": ["LOG_LEVEL"]}, "LOG_LEVEL is one of the contract's."),
        ({"secrets": ["LD_PRELOAD"]}, "LD_PRELOAD decides how the image runs."),
        ({"environment": {"TEXT": "x" * 17_000}}, "bytes of the task definition, more than 16384."),
        ({"healthPath": "/up", "readinessPath": "/up"}, "pactum:readinessPath = /up\n      is healthPath too."),
        ({"webCommand": ["gunicorn", ""]}, 'pactum:webCommand = ["gunicorn", ""]\n      has an empty word.'),
        ({"healthCommand": [" "]}, 'pactum:healthCommand = [" "]\n      has an empty word.'),
        ({"migrateCommand": [""]}, 'pactum:migrateCommand = [""]\n      has an empty word.'),
        ({"secrets": ["SECRET_KEY"]}, "SECRET_KEY is one of the contract's."),
        ({"secrets": [f"S{number}" for number in range(21)]}, "are more than 20."),
        ({"secrets": ["A"], "environment": {"A": "1"}}, "A is given twice, in pactum:environment too."),
        ({"secrets": ["A", "A"]}, "A is given twice"),
    ],
)
def test_what_could_not_work_is_refused_with_its_key(change: dict[str, object], words: str) -> None:
    assert words in refusal(**change)


RUNNING = "DEVELOPMENT IMAGE_BUILD PATH PYTHONPATH PYTHONHOME LD_LIBRARY_PATH LD_PRELOAD"


@pytest.mark.parametrize("name", RUNNING.split())
def test_what_decides_how_the_image_runs_is_the_images_to_say(name: str) -> None:
    assert f"{name} decides how the image runs." in refusal(environment={name: "true"})


def test_djangos_settings_module_is_an_applications_choice() -> None:
    variables = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    assert settings(environment=variables).application.environment == variables


SECRETIVE = """SMTP_PASSWORD STRIPE_API_KEY GITHUB_TOKEN SENTRY_DSN client_secret SIGNING_KEY PGPASSWORD DBPASSWORD
    SMTP_PASS GPG_PASSPHRASE API_TOKENS OAUTH_SECRETS ENCRYPTION_KEYS FTP_PASSWORDS AWS_ACCESS_KEY_ID"""


@pytest.mark.parametrize("name", SECRETIVE.split())
def test_a_secret_among_plain_variables_is_refused_and_sent_where_it_belongs(name: str) -> None:
    """What stands in a stack file is in git, in Pulumi's state and readable in ECS."""
    message = refusal(environment={name: "x"})
    assert f"{name} looks like a secret" in message
    assert f"`python -m ops set-secret --stack staging {name}`" in message, "without the stack the command is refused"


@pytest.mark.parametrize("value", ["redis://:hunter2@cache:6379", "-----BEGIN PRIVATE KEY-----", "sk_live_hunter2"])
def test_a_secret_under_a_harmless_name_is_refused_and_not_repeated(value: str) -> None:
    for key in ("environment", "buildArguments"):
        message = refusal(**{key: {"HARMLESS": value}})
        assert "HARMLESS looks like a secret" in message
        assert value not in message


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"STRIPE_API_KEY": HIDDEN}},
        {"environment": {"A-B": HIDDEN}},
        {"environment": [HIDDEN]},
        {"environment": HIDDEN},
        {"environmentNames": {"SECRET_KEY": f"{HIDDEN}!"}},
        {"buildArguments": {"INDEX_TOKEN": HIDDEN}},
        {"secrets": [HIDDEN]},
        {"secrets": {"MAIL_TOKEN": HIDDEN}},
        {"webCommand": {"MAIL_TOKEN": HIDDEN}},
        {"secret": HIDDEN},
    ],
)
def test_a_refusal_never_repeats_what_may_be_a_secret(change: dict[str, object]) -> None:
    """It stands on the screen, and in the logs of a pipeline."""
    assert HIDDEN not in refusal(**change)


HARMLESS = """MONKEY KEYBOARD TOKENIZER LOG_LEVEL AUTHOR PASSWORD_RESET_TIMEOUT SECRET_NAME TOKEN_LIFETIME
    TOKEN_URL_PATH PASSWORDLESS_LOGIN COMPASS"""


@pytest.mark.parametrize("name", HARMLESS.split())
def test_a_harmless_name_is_taken(name: str) -> None:
    assert settings(environment={name: "x"}).application.environment == {name: "x"}


@pytest.mark.parametrize("value", [8, True, "https://example.com:8443/x?to=a@b"])
def test_a_harmless_value_is_taken(value: object) -> None:
    name = "URL_OF_API" if isinstance(value, str) else "MAX_TOKENS"
    assert settings(environment={name: value}).application.environment.keys() == {name}
