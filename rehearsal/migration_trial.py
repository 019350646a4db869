"""`python -m rehearsal migrations`: what an image's migrations would do to a stack that runs another image.

The image that the stack runs migrates an empty PostgreSQL, and so makes tables as the stack has them, without a row.
Then the new image tries what is left, one migration after the other, and tells of each (`manage.py migration_plan`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal import base_images, docker_engine
from rehearsal.contract import command as contract
from rehearsal.contract import leftovers, terms
from rehearsal.contract.ground import DATABASE, Ground
from rehearsal.contract.terms import Given
from rehearsal.contract.trial import Trial
from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.settings_option import add_configuration

if TYPE_CHECKING:
    from rehearsal.contract.trial import Ended
    from rehearsal.progress import Progress

# app_image/deployment/management/commands/migration_plan.py asks for it: no database with users' rows has it.
MARK = "migrations are tried here"
COMMAND = ("python", "manage.py", "migration_plan")
UNKNOWN_COMMAND = "Unknown command: 'migration_plan'"


def main(arguments: list[str], progress: Progress) -> int:
    """Try the migrations that a stack lacks, beside a copy of its tables without rows."""
    options = _parser().parse_args(arguments)
    agreed = terms.read(options.stack, dict(options.set), config_file=options.config_file)
    docker = docker_engine.ensure(progress.note)
    images = base_images.provide(docker, Place().scratch, progress.note)
    leftovers.remove(docker)
    given = Given(terms=agreed, database=DATABASE)
    ground = Ground.of(docker, images, given)
    sources = contract.Sources(image=options.image, context=agreed.context, dockerfile=agreed.application.dockerfile)
    with (
        contract.provided(docker, images, sources, agreed, progress) as image,
        progress.phase("a PostgreSQL to try it on"),
        ground,
    ):
        ground.sql(f"COMMENT ON DATABASE {DATABASE} IS '{MARK}'")
        if options.deployed:
            made_by(Trial(image=options.deployed, terms=agreed, given=given, ground=ground))
        plan = tried(Trial(image=image, terms=agreed, given=given, ground=ground))
    options.output.write_text(json.dumps(plan), encoding="utf-8")
    return 0


def made_by(trial: Trial) -> None:
    """Have the image that the stack runs make its tables. RehearsalError where it cannot."""
    ended = trial.migration()
    if ended.code != 0:
        raise RehearsalError(
            f"The image that the stack runs ({trial.image}) could not make its tables in an empty database:\n"
            f"{last_lines(ended.stdout + ended.stderr, 6)}",
            remedy="It was started with this commit's stack file: a variable that it needs may have gone from there."
            " Or one of its migrations needs rows, and here are none: nor could a new stack be made of it. Have that"
            " migration do nothing where there are no rows, and release this once over the red preview: what the stack"
            " runs then can be tried.",
        )


def tried(trial: Trial) -> dict[str, Any]:
    """Have the new image try the rest; answers its account.

    One without the command only migrates, and tells which migrations these were; `looked` is then false.
    """
    ended = trial.as_migration(COMMAND)
    found = _line_with("migration_plan", ended)
    if ended.code == 0 and found:
        return {**found, "looked": True}
    if UNKNOWN_COMMAND not in ended.stdout + ended.stderr:
        raise RehearsalError(
            f"{trial.image} could not tell what its migrations do:\n{last_lines(ended.stdout + ended.stderr, 6)}",
            remedy="Run `make contract`, which tries the same image by itself.",
        )
    migrated = trial.migration()
    account = _line_with("migrations", migrated)
    if migrated.code != 0 or not account:
        raise RehearsalError(
            f"{trial.image} could not be migrated to:\n{last_lines(migrated.stdout + migrated.stderr, 6)}",
            remedy="Run `make contract`, which tells what it lacks.",
        )
    return {"migration_plan": account["migrations"], "untried": [], "looked": False}


def _line_with(key: str, ended: Ended) -> dict[str, Any] | None:
    for line in reversed(ended.stdout.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get(key), list):
            return found
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal migrations", description=__doc__)
    parser.add_argument("--image", metavar="REF", help="the new image, which is here (default: imageContext is built)")
    parser.add_argument("--deployed", metavar="REF", help="the image that the stack runs (default: none, it is new)")
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="where the account goes, as JSON")
    parser.add_argument("--stack", default="staging", help="whose variables and commands hold (%(default)s)")
    add_configuration(parser)
    return parser
