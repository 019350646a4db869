"""What the process is told by its environment: read once, checked as a whole, then frozen.

The names are the container contract (docs: the app contract). Nothing else in the project reads `os.environ`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from deployment.kept_out import Secrets, secrets_in

if TYPE_CHECKING:
    from collections.abc import Mapping

# Set to `true` while an image is built, and by nothing else: settings are then importable where no secret is.
BUILDING = "IMAGE_BUILD"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What `RELEASE` is where the image came from a registry: production, or a rehearsal of it.
DIGEST = "sha256:"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
HIGHEST_PORT = 65535
# Django's own deployment check (security.W009) asks for this length.
SECRET_KEY_LENGTH = 50
# Characters that mean the same in a request's first line, in a URL and in a balancer's settings.
PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
HOST_NAME = re.compile(r"\.?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\]")


class EnvironmentInvalid(ImproperlyConfigured):
    """The environment lacks variables or holds wrong ones; the message lists them all."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A database login."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where the database is and who the app is there."""

    host: str
    port: int
    name: str
    sslmode: str
    sslrootcert: str
    login: Login
    master_login: Login | None
    pool_max: int


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The server that takes the app's mail, and whom the mail is from."""

    host: str
    port: int
    login: Login | None
    use_tls: bool
    sender: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything the environment says."""

    development: bool
    port: int
    health_path: str
    readiness_path: str
    release: str
    allowed_hosts: tuple[str, ...]
    https: bool
    log_level: str
    web_concurrency: int
    web_threads: int
    keep_alive_seconds: int
    graceful_seconds: int
    slow_query_milliseconds: int
    secrets: Secrets
    """What no line of the log may hold."""
    secret_key: str = field(repr=False)
    database: Database
    mail: Mail | None


class Reader:
    """Reads variables and remembers what is wrong with them; never repeats the value of a secret."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[str] = []

    def text(self, name: str, rule: str, default: str | None = None) -> str:
        value = self._variables.get(name, "").strip() or default
        if value is None:
            self.problems.append(f"{name} is missing: set it to {rule}.")
            return ""
        return value

    def secret(self, name: str, rule: str, shortest: int = 1) -> str:
        value = self._variables.get(name, "")
        if not value:
            self.problems.append(f"{name} is missing: set it to {rule}.")
        elif len(value) < shortest:
            self.problems.append(f"{name} has {len(value)} characters: set it to {rule}.")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, "", default)
        if value not in choices:
            self.problems.append(f"{name} is {value!r}: set it to one of {', '.join(choices)}.")
        return value

    def number(self, name: str, default: int, highest: int) -> int:
        value = self.text(name, "", str(default))
        if value.isascii() and value.isdigit() and 1 <= int(value) <= highest:
            return int(value)
        self.problems.append(f"{name} is {value!r}: set it to a whole number from 1 to {highest}.")
        return default

    def switch(self, name: str, default: str) -> bool:
        return self.choice(name, ("true", "false"), default) == "true"

    def path(self, name: str, default: str) -> str:
        value = self.text(name, "", default)
        if not PATH.fullmatch(value):
            self.problems.append(
                f"{name} is {value!r}: set it to a path that begins with / and has letters, digits and . _ ~ - / only."
            )
        return value

    def hosts(self, name: str) -> tuple[str, ...]:
        rule = "the host names users type, separated by commas, without scheme or port (not *)"
        hosts = tuple(host.strip() for host in self.text(name, rule).split(",") if host.strip())
        self.problems.extend(
            f"{name} contains {host!r}: set it to {rule}." for host in hosts if not HOST_NAME.fullmatch(host)
        )
        return hosts

    def certificate_file(self, name: str, default: str, sslmode: str) -> str:
        path = self.text(name, "", default)
        if sslmode.startswith("verify-") and not Path(path).is_file():
            self.problems.append(f"{name} is {path!r}, which is no file: DATABASE_SSLMODE={sslmode} needs a CA's file.")
        return path

    def optional_login(self, user_name: str, password_name: str, purpose: str) -> Login | None:
        user = self._variables.get(user_name, "")
        password = self._variables.get(password_name, "")
        if not user and not password:
            return None
        if not user or not password:
            self.problems.append(f"{password_name if user else user_name} is missing: {purpose}.")
        return Login(user=user, password=password)

    def development(self, *, https: bool, release: str) -> bool:
        """Return whether this is a developer's machine; nothing that production sets goes together with it."""
        if not self.switch("DEVELOPMENT", "false"):
            return False
        remedy = "DEVELOPMENT=true shows settings and code to whoever asks, so remove it from production"
        if https:
            self.problems.append(f"DEVELOPMENT is 'true' while HTTPS is: {remedy}, or set HTTPS=false.")
        if release.startswith(DIGEST):
            self.problems.append(f"DEVELOPMENT is 'true' while RELEASE is a digest: {remedy}.")
        return True


def read_database(reader: Reader) -> Database:
    """Read the DATABASE_* variables."""
    sslmode = reader.choice("DATABASE_SSLMODE", SSL_MODES, "verify-full")
    return Database(
        host=reader.text("DATABASE_HOST", "the database's host name"),
        port=reader.number("DATABASE_PORT", 5432, HIGHEST_PORT),
        name=reader.text("DATABASE_NAME", "the database's name"),
        sslmode=sslmode,
        sslrootcert=reader.certificate_file("DATABASE_SSLROOTCERT", "/etc/ssl/certs/rds-global-bundle.pem", sslmode),
        login=Login(
            user=reader.text("DATABASE_USER", "the app's database login"),
            password=reader.secret("DATABASE_PASSWORD", "the password of the app's database login"),
        ),
        master_login=reader.optional_login(
            "DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD", "the migration needs both parts of the master login"
        ),
        pool_max=reader.number("DATABASE_POOL_MAX", 8, 1000),
    )


def read_mail(reader: Reader) -> Mail | None:
    """Read EMAIL_* and DEFAULT_FROM_EMAIL; without EMAIL_HOST the app sends no mail."""
    host = reader.text("EMAIL_HOST", "", "")
    if not host:
        return None
    return Mail(
        host=host,
        port=reader.number("EMAIL_PORT", 587, HIGHEST_PORT),
        login=reader.optional_login("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "a mail server's login has both parts"),
        use_tls=reader.switch("EMAIL_USE_TLS", "true"),
        sender=reader.text("DEFAULT_FROM_EMAIL", "the address that the app's mail is from"),
    )


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read and check all variables.

    Raises `EnvironmentInvalid`, which names every missing or wrong variable at once.
    """
    reader = Reader(variables)
    https = reader.switch("HTTPS", "true")
    release = reader.text("RELEASE", "", "unreleased")
    health_path = reader.path("HEALTH_PATH", "/healthz")
    readiness_path = reader.path("READINESS_PATH", "/readyz")
    if health_path == readiness_path:
        reader.problems.append(
            f"READINESS_PATH is {readiness_path!r}, as HEALTH_PATH is: set them to different paths, for they answer"
            " different questions."
        )
    environment = Environment(
        development=reader.development(https=https, release=release),
        port=reader.number("PORT", 8000, HIGHEST_PORT),
        health_path=health_path,
        readiness_path=readiness_path,
        release=release,
        allowed_hosts=reader.hosts("ALLOWED_HOSTS"),
        https=https,
        log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
        web_concurrency=reader.number("WEB_CONCURRENCY", 2, 100),
        web_threads=reader.number("WEB_THREADS", 4, 1000),
        keep_alive_seconds=reader.number("KEEP_ALIVE_SECONDS", 75, 86_400),
        # Fargate kills after 120 s at the latest.
        graceful_seconds=reader.number("GRACEFUL_SECONDS", 8, 119),
        slow_query_milliseconds=reader.number("SLOW_QUERY_MILLISECONDS", 1000, 60_000),
        secrets=secrets_in(variables),
        secret_key=reader.secret(
            "SECRET_KEY", f"a random string of at least {SECRET_KEY_LENGTH} characters", SECRET_KEY_LENGTH
        ),
        database=read_database(reader),
        mail=read_mail(reader),
    )
    if reader.problems:
        count = len(reader.problems)
        heading = f"The environment has {count} problem{'s' if count > 1 else ''}:"
        raise EnvironmentInvalid("\n  - ".join([heading, *reader.problems]))
    return environment


def environment_of_a_build() -> Environment:
    """Return made-up values for `collectstatic` in an image's build: nothing there connects, signs or serves."""
    return read_environment(
        {
            "ALLOWED_HOSTS": "localhost",
            "SECRET_KEY": secrets.token_urlsafe(SECRET_KEY_LENGTH),
            "DATABASE_HOST": "localhost",
            "DATABASE_NAME": "none",
            "DATABASE_SSLMODE": "disable",
            "DATABASE_USER": "nobody",
            "DATABASE_PASSWORD": "none",
        }
    )
