"""What a stack file says of the application it deploys: everything that differs from one Django project to another."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.config_reader import CREDENTIAL, ConfigReader

PATH = r"/[A-Za-z0-9._~/-]*"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
NAMING = "Use letters, digits and underscores, 100 of them at most."
# Its small letters are the name of a resource, and it stands in the secret's ARN a second time.
SECRET_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
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
        "KEEP_ALIVE_SECONDS",
        "GRACEFUL_SECONDS",
        "SLOW_QUERY_MILLISECONDS",
        "DATABASE_HOST",
        "DATABASE_PORT",
        "DATABASE_NAME",
        "DATABASE_SSLMODE",
        "DATABASE_SSLROOTCERT",
        "MEDIA_BUCKET",
    }
)
SECRET_VARIABLES = frozenset(
    {"SECRET_KEY", "DATABASE_USER", "DATABASE_PASSWORD", "DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"}
)
OURS = PLAIN_VARIABLES | SECRET_VARIABLES
# What decides how the image runs: Python, the dynamic linker, and the app's modes for a build and for `make dev`.
RUNNING = frozenset({"DEVELOPMENT", "IMAGE_BUILD", "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD"})
LOG_LEVEL = "LOG_LEVEL"
SECRETIVE = re.compile(
    r"(PASSWORD|(^|_)(PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|DSN|(API|ACCESS|PRIVATE|SECRET)_?KEY))S?(_|$)"
    r"|_(PASS|KEYS?)$"
)
# Names that say where a secret is, or how long it is good for.
ABOUT_SECRETS = re.compile(r"_(TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|AGE|LIFETIME|LENGTH|NAME|PATH|URL)$")
HARMLESS_VALUE = re.compile(r"-?\d+|true|false", re.IGNORECASE)
# An ECS task definition ends at 64 KB. These secrets take 8 KB of it (name and ARN, 400 bytes each), what is said in
# `environment` a quarter; the rest is for the contract's variables under two names, the commands and what ECS adds.
MOST_SECRETS = 20
MOST_ENVIRONMENT_BYTES = 16 * 1024


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


def holds_a_secret(name: str, value: str) -> bool:
    """Whether a variable is called like one whose value nobody may read, or has such a value."""
    upper = name.upper()
    named = SECRETIVE.search(upper) and not ABOUT_SECRETS.search(upper) and not HARMLESS_VALUE.fullmatch(value)
    return bool(named or CREDENTIAL.search(value))


def read_application(config: ConfigReader, stack: str) -> ApplicationSettings:
    """Read the application's keys; what is wrong with them is left with `config`."""
    environment = config.mapping("environment")
    names = config.mapping("environmentNames")
    # Somebody may have written values there.
    config.conceal("secrets")
    secrets = config.texts("secrets")
    _check_environment(config, environment, stack)
    _check_names(config, names)
    _check_secrets(config, secrets)
    _check_second_uses(config, environment, names, secrets)
    health_path = config.text("healthPath", pattern=PATH, example="/healthz", required=True)
    readiness_path = config.text("readinessPath", pattern=PATH, example="/readyz", required=True)
    if health_path and health_path == readiness_path:
        config.refuse(
            "readinessPath",
            "is healthPath too.",
            "Choose another path: one asks whether the process can answer, the other whether it can serve users.",
        )
    return ApplicationSettings(
        context=config.text("imageContext", pattern=r"[^/].*", example="app_image", required=True),
        dockerfile=config.text("dockerfile", pattern=r"[^/].*", example="Dockerfile", required=True),
        port=config.whole("port", 1024, 65535),
        health_path=health_path,
        readiness_path=readiness_path,
        health_command=_command(config, "healthCommand"),
        web_command=_command(config, "webCommand"),
        migrate_command=_required(config, "migrateCommand"),
        environment=environment,
        environment_names=names,
        secrets=tuple(secrets),
    )


def _command(config: ConfigReader, key: str) -> tuple[str, ...]:
    words = tuple(config.texts(key))
    if not all(word.strip() for word in words):
        config.refuse(key, "has an empty word.", "Remove it, or write what belongs there.")
    return words


def _required(config: ConfigReader, key: str) -> tuple[str, ...]:
    words = _command(config, key)
    if not words and not config.is_refused(key):
        config.refuse(key, "is empty.", 'Write the command as a list, such as ["python", "manage.py", "migrate"].')
    return words


def _check_environment(config: ConfigReader, environment: Mapping[str, str], stack: str) -> None:
    for name, value in sorted(environment.items()):
        if not VARIABLE.fullmatch(name):
            config.refuse("environment", f"{name!r} is no name of a variable.", NAMING)
        elif name in RUNNING:
            config.refuse("environment", f"{name} decides how the image runs.", "Remove it; set it in the Dockerfile.")
        elif name in OURS:
            config.refuse(
                "environment", f"{name} is given a value by the program.", "Remove it; docs/app-contract.md lists them."
            )
        elif holds_a_secret(name, value):
            config.refuse(
                "environment",
                f"{name} looks like a secret; its value would stand in the stack file, in Pulumi's state and in ECS.",
                "Name it in pactum:secrets instead, and put its value with"
                f" `python -m ops set-secret --stack {stack} {name}`.",
            )
    size = len(json.dumps([{"name": name, "value": value} for name, value in environment.items()]))
    if size > MOST_ENVIRONMENT_BYTES:
        config.refuse(
            "environment",
            f"takes {size} bytes of the task definition, more than {MOST_ENVIRONMENT_BYTES}.",
            "Put what is long into the image, or where the application can fetch it.",
        )


def _check_names(config: ConfigReader, names: Mapping[str, str]) -> None:
    for ours, theirs in sorted(names.items()):
        if ours not in OURS:
            config.refuse(
                "environmentNames",
                f"{ours} is no variable of the contract.",
                f"Write ours: theirs, where ours is one of {', '.join(sorted(OURS))}.",
            )
        # Not shown: somebody may have written the value there.
        if not VARIABLE.fullmatch(theirs) or theirs in OURS | RUNNING | {LOG_LEVEL}:
            config.refuse(
                "environmentNames",
                f"What stands after {ours} is no name it can be given besides.",
                f"{NAMING} The contract's own names are taken, and so are {', '.join(sorted(RUNNING))}.",
            )


def _check_secrets(config: ConfigReader, secrets: list[str]) -> None:
    for number, name in enumerate(secrets, start=1):
        if not SECRET_VARIABLE.fullmatch(name):
            config.refuse(
                "secrets",
                f"Number {number} of them is no name of a secret variable.",
                "Use capital letters, digits and underscores, 100 of them at most.",
            )
        elif name in RUNNING:
            config.refuse("secrets", f"{name} decides how the image runs.", "Remove it; set it in the Dockerfile.")
        elif name in OURS | {LOG_LEVEL}:
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
