"""What a stack file says of the application it deploys: everything that differs from one Django project to another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.config_reader import ConfigReader

PATH = r"/[A-Za-z0-9._~/-]*"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Its small letters are the name of a resource.
SECRET_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# The variables of docs/app-contract.md that the program gives a value itself. LOG_LEVEL is a stack file's to change.
PLAIN_VARIABLES = frozenset(
    {
        "PORT",
        "RELEASE",
        "ALLOWED_HOSTS",
        "HTTPS",
        "HEALTH_PATH",
        "READINESS_PATH",
        "WEB_CONCURRENCY",
        "WEB_THREADS",
        "DATABASE_POOL_MAX",
        "DATABASE_HOST",
        "DATABASE_PORT",
        "DATABASE_NAME",
        "DATABASE_SSLMODE",
        "DATABASE_SSLROOTCERT",
    }
)
SECRET_VARIABLES = frozenset(
    {"SECRET_KEY", "DATABASE_USER", "DATABASE_PASSWORD", "DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"}
)
OURS = PLAIN_VARIABLES | SECRET_VARIABLES
SECRETIVE = re.compile(r"(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|DSN|(API|ACCESS|PRIVATE|SECRET)_?KEY)(_|$)")
# What an ECS task definition cannot hold: 64 KB in all, of which names and values take most.
MOST_SECRETS = 20


@dataclass(frozen=True, kw_only=True)
class ApplicationSettings:
    """The application's side of docs/app-contract.md. Commands are argument lists; an empty one is the image's own."""

    context: str
    dockerfile: str
    port: int
    health_path: str
    readiness_path: str
    health_command: tuple[str, ...]
    web_command: tuple[str, ...]
    migrate_command: tuple[str, ...]
    environment: Mapping[str, str]
    """Further plain variables."""
    environment_names: Mapping[str, str]
    """A variable of the contract -> the name under which the application is given it as well."""
    secrets: tuple[str, ...]
    """Further secret variables, whose values an operator puts into Secrets Manager."""


def promises_a_secret(name: str) -> bool:
    """Whether a variable is called like one whose value nobody may read."""
    return bool(SECRETIVE.search(name.upper()))


def read_application(config: ConfigReader) -> ApplicationSettings:
    """Read the application's keys; what is wrong with them is left with `config`."""
    environment = config.mapping("environment")
    names = config.mapping("environmentNames")
    secrets = config.texts("secrets")
    _check_environment(config, environment)
    _check_names(config, names)
    _check_secrets(config, secrets)
    _check_second_uses(config, environment, names, secrets)
    return ApplicationSettings(
        context=config.text("imageContext", pattern=r"[^/].*", example="app_image", required=True),
        dockerfile=config.text("dockerfile", pattern=r"[^/].*", example="Dockerfile", required=True),
        port=config.whole("port", 1024, 65535),
        health_path=config.text("healthPath", pattern=PATH, example="/healthz", required=True),
        readiness_path=config.text("readinessPath", pattern=PATH, example="/readyz", required=True),
        health_command=tuple(config.texts("healthCommand")),
        web_command=tuple(config.texts("webCommand")),
        migrate_command=_required(config, "migrateCommand"),
        environment=environment,
        environment_names=names,
        secrets=tuple(secrets),
    )


def _required(config: ConfigReader, key: str) -> tuple[str, ...]:
    words = tuple(config.texts(key))
    if not words and not config.is_refused(key):
        config.refuse(key, "is empty.", 'Write the command as a list, such as ["python", "manage.py", "migrate"].')
    return words


def _check_environment(config: ConfigReader, environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if not VARIABLE.fullmatch(name):
            config.refuse("environment", f"{name!r} is no name of a variable.", "Use letters, digits and underscores.")
        elif name in OURS:
            config.refuse(
                "environment", f"{name} is given a value by the program.", "Remove it; docs/app-contract.md lists them."
            )
        elif promises_a_secret(name):
            config.refuse(
                "environment",
                f"{name} sounds like a secret; its value would stand in the stack file, in Pulumi's state and in ECS.",
                f"Name it in pactum:secrets instead, and put its value with `python -m ops set-secret {name}`.",
            )


def _check_names(config: ConfigReader, names: Mapping[str, str]) -> None:
    for ours, theirs in sorted(names.items()):
        if ours not in OURS:
            config.refuse(
                "environmentNames",
                f"{ours} is no variable of the contract.",
                f"Write ours: theirs, where ours is one of {', '.join(sorted(OURS))}.",
            )
        if not VARIABLE.fullmatch(theirs) or theirs in OURS:
            config.refuse(
                "environmentNames",
                f"{theirs!r} is no name a variable can be given besides.",
                "Use letters, digits and underscores, and none of the contract's own names.",
            )


def _check_secrets(config: ConfigReader, secrets: list[str]) -> None:
    for name in secrets:
        if not SECRET_VARIABLE.fullmatch(name):
            config.refuse("secrets", f"{name!r} is no name of one.", "Use capital letters, digits and underscores.")
        elif name in OURS:
            config.refuse("secrets", f"{name} is one of the contract's.", "Remove it: it is made and given already.")
    if len(secrets) > MOST_SECRETS:
        config.refuse("secrets", f"are more than {MOST_SECRETS}.", "Put several values into one, for example as JSON.")


def _check_second_uses(
    config: ConfigReader, environment: Mapping[str, str], names: Mapping[str, str], secrets: list[str]
) -> None:
    used: dict[str, str] = {}
    lists = {"environment": list(environment), "environmentNames": list(names.values()), "secrets": secrets}
    for key, given in lists.items():
        for name in given:
            if name in used:
                config.refuse(key, f"{name} is given twice, in pactum:{used[name]} too.", "Remove one of them.")
            used[name] = key
