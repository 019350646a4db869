"""What the contract asks of the image itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rehearsal.contract.requirement import MissingError, Requirement
from rehearsal.contract.terms import CA_FILE

if TYPE_CHECKING:
    from rehearsal.contract.trial import Trial

TOPIC = "The image"
SHELLS = {"sh", "bash", "dash", "ash", "zsh"}
SHOWN_PATHS = 5
TMP_MODE = 0o1777
LABELS = tuple(f"org.opencontainers.image.{name}" for name in ("revision", "source", "created"))
SECRET_VALUE = re.compile(
    r"(?<![A-Z_])[A-Z_]*(SECRET|PASSWORD|PASSWD|TOKEN|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY)[A-Z_]*\s*=\s*[^\s$]",
    re.IGNORECASE,
)


def user(trial: Trial) -> None:
    given = trial.contents.config.get("User") or ""
    number = given.partition(":")[0]
    if not number:
        raise MissingError("The image sets no user, so it runs as root")
    if not number.isdigit():
        raise MissingError(f"The image's user is the name {given!r}; whether that is root, only its files could tell")
    if int(number) == 0:
        raise MissingError(f"The image's user is {given}, which is root")


def command(trial: Trial) -> None:
    config = trial.contents.config
    own = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    words = list(trial.application.web_command) or own
    if not words:
        raise MissingError("The image has no command, and the stack file sets no webCommand")
    if words[0].rpartition("/")[2] in SHELLS:
        raise MissingError(f"The command begins with a shell: {' '.join(words)[:120]}")


def volume(trial: Trial) -> None:
    declared = {path.rstrip("/") for path in trial.contents.config.get("Volumes") or {}}
    if "/tmp" not in declared:  # noqa: S108 - the path in the image
        raise MissingError(
            "The image declares no VOLUME /tmp: on Fargate, /tmp belongs to root and cannot be written to"
        )
    mode = trial.contents.mode("/tmp")  # noqa: S108 - the same
    if mode is None or mode & 0o7777 != TMP_MODE:
        raise MissingError(f"Its mode in the image is {'none' if mode is None else format(mode & 0o7777, 'o')}")


def ca_file(trial: Trial) -> None:
    content = trial.contents.content(CA_FILE)
    if content is None:
        raise MissingError(f"There is no file {CA_FILE} in the image")
    if b"BEGIN CERTIFICATE" not in content:
        raise MissingError(f"{CA_FILE} holds no certificate")


def no_secret_files(trial: Trial) -> None:
    found = trial.contents.secretive_paths
    if found:
        more = f" and {len(found) - SHOWN_PATHS} more" if len(found) > SHOWN_PATHS else ""
        raise MissingError(f"In the image's layers: {', '.join(found[:SHOWN_PATHS])}{more}")


def no_secret_values(trial: Trial) -> None:
    variables = "\n".join(trial.contents.config.get("Env") or [])
    for place, text in (("environment", variables), ("history", trial.contents.history)):
        if hit := SECRET_VALUE.search(text):
            raise MissingError(f"In the image's {place}: {hit[0].partition('=')[0].strip()}=...")


def health_check(trial: Trial) -> None:
    test = (trial.contents.config.get("Healthcheck") or {}).get("Test") or []
    if not test or test == ["NONE"]:
        raise MissingError("The image has no HEALTHCHECK")
    if test[0] != "CMD":
        raise MissingError(f"HEALTHCHECK needs a shell: {' '.join(test[1:])[:120]}")
    asked = list(trial.application.health_command)
    if asked and test[1:] != asked:
        raise MissingError(
            f"HEALTHCHECK runs {' '.join(test[1:])!r}, the stack file's healthCommand {' '.join(asked)!r}"
        )


def labels(trial: Trial) -> None:
    found = trial.contents.config.get("Labels") or {}
    lacking = [name for name in LABELS if not found.get(name)]
    if lacking:
        raise MissingError(f"The image lacks {', '.join(lacking)}")


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name="its user is a number, and not root's",
        remedy="End the Dockerfile with `USER 10001:10001`.",
        check=user,
    ),
    Requirement(
        topic=TOPIC,
        name="its command needs no shell, so that SIGTERM reaches the server",
        remedy='Write it as a list: CMD ["gunicorn", "--config", "python:deployment.gunicorn_config"].',
        check=command,
    ),
    Requirement(
        topic=TOPIC,
        name="VOLUME /tmp, mode 1777",
        remedy="`RUN chmod 1777 /tmp` and `VOLUME /tmp` in the Dockerfile's last stage.",
        check=volume,
    ),
    Requirement(
        topic=TOPIC,
        name="Amazon RDS' certificate authorities are in it",
        remedy=f"Copy certs/rds-global-bundle.pem to {CA_FILE}.",
        check=ca_file,
    ),
    Requirement(
        topic=TOPIC,
        name="no file that looks like a secret or a repository",
        remedy="Make .dockerignore a whitelist, and build again; what was in an image that was pushed is no secret any"
        " more: replace it.",
        check=no_secret_files,
    ),
    Requirement(
        topic=TOPIC,
        name="no secret in its variables or its history",
        remedy="Take it out of ENV and ARG. Builds get secrets by `RUN --mount=type=secret`, processes by the task.",
        check=no_secret_values,
    ),
    Requirement(
        topic=TOPIC,
        name="HEALTHCHECK is what the task definition runs",
        remedy='HEALTHCHECK CMD ["python", "-SE", "/app/deployment/probe.py"], or healthCommand as the image has it.',
        check=health_check,
    ),
    Requirement(
        topic=TOPIC,
        name="labels say from which commit it was built",
        remedy="Build with app_image/build, which sets them from git; `source` is its remote `origin`.",
        check=labels,
        advice=True,
    ),
]
