"""`make migrations`: what this checkout's migrations would do to a stack, in a pull request's words, and without AWS.

The image of the commit that the stack runs makes its tables in an empty PostgreSQL; this checkout's image tries on them
what is left, changes that are in no commit included. Exit code 1: a deployment would end with the migration.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CannotAct, OpsError
from ops.pipeline import child, migration_plan, preview_text, worktree
from ops.pipeline.checkout import Checkout
from ops.pipeline.docker import Docker
from ops.pipeline.surroundings import stack_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAIN = "main"
_INTERRUPTED = "Nothing was changed; run it again."


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Try, and tell; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.pipeline.migrations", description=__doc__)
    parser.add_argument("--stack", default="staging", help="whose file says what is built (%(default)s)")
    told = f"what the stack runs: a commit, or an image (default: the commit where this branch left {MAIN})"
    parser.add_argument("--from", dest="base", default="", metavar="COMMIT|IMAGE", help=told)
    options = parser.parse_args(arguments)
    root = Path.cwd()
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            _deployed(options.base, options.stack, root, environment) as image,
        ):
            file = Path(scratch) / "plan.json"
            command = [sys.executable, "-m", "rehearsal", "migrations", "--stack", options.stack]
            command += ["--deployed", image, "--output", str(file)]
            ran = child.stream(command, directory=root, environment=environment, told=_INTERRUPTED)
            if ran.code:
                return ran.code
            plan = migration_plan.understood(json.loads(file.read_text(encoding="utf-8")))
    except OpsError as error:
        print(f"migrations: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        print(f"migrations: {error or 'interrupted'}", file=sys.stderr)
        return EXIT_INTERRUPTED
    print(f"\n{preview_text.migrations(plan)}")
    return EXIT_FAILED if plan.fails else EXIT_OK


@contextmanager
def _deployed(base: str, stack: str, root: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the image that the stack runs; one that is built of a commit is removed afterwards."""
    checkout = Checkout(root)
    commit = checkout.commit_of(base) if base else checkout.left(MAIN)
    if not commit and not base:
        raise CannotAct(
            f"there is no branch {MAIN} here that this one has left. Nothing was done. Fetch it, or say what the stack "
            "runs: `make migrations FROM=...`, a commit or an image.",
        )
    if not commit:
        yield base
        return
    print(f"The stack's tables are those of commit {commit[:12]}, whose image is built first.", flush=True)
    about = stack_of(root, stack)
    image = f"{about.project.lower()}-base:{commit}"
    with worktree.at_commit(root, commit, as_committed=True) as files:
        docker = Docker(files, environment)
        docker.build(about, image)
        try:
            yield image
        finally:
            docker.remove(image)


if __name__ == "__main__":
    sys.exit(main())
