"""What the contract asks of the commands that are run beside the web process: ECS's, and those of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.contract.requirement import MissingError, Requirement, UntriedError
from rehearsal.contract.trial import OTHER_PORT

if TYPE_CHECKING:
    from rehearsal.contract.trial import Trial

TOPIC = "Commands beside it"
# What `ops run` and `ops shell` need before they can start anything.
FIND_MANAGE = ("python", "-c", "import os, sys; sys.exit(0 if os.path.isfile('manage.py') else os.getcwd())")


def probe(trial: Trial) -> None:
    test = (trial.contents.config.get("Healthcheck") or {}).get("Test") or []
    command = list(trial.application.health_command) or test[1:]
    if not command:
        raise UntriedError("there is no health command, see above")
    web = trial.needing(trial.alone)
    code, said = web.run(command)
    if code:
        raise MissingError(f"`{' '.join(command)}` ended with exit code {code} beside a healthy process: {said[-200:]}")
    code, said = web.run(command, {"PORT": str(OTHER_PORT + 1)})
    if code == 0:
        raise MissingError("It ends with exit code 0 also where nobody listens on PORT")


def operators(trial: Trial) -> None:
    code, said = trial.needing(trial.alone).run(FIND_MANAGE)
    if code == 1:
        raise MissingError(f"There is no manage.py in the image's working directory, {said[-200:]}")
    if code:
        raise MissingError(f"`python` cannot be started (exit code {code}): {said[-200:]}")


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name="the health command tells a healthy process from none",
        remedy="Make healthCommand a program that asks 127.0.0.1:$PORT for the health path and ends with 0 or 1.",
        check=probe,
    ),
    Requirement(
        topic=TOPIC,
        name="`ops run` and `ops shell`: python on PATH, manage.py in the working directory",
        remedy="Put python on PATH, and end the Dockerfile with WORKDIR where manage.py is. Without it the application"
        " runs, but operators cannot run a command of it.",
        check=operators,
        advice=True,
    ),
]
