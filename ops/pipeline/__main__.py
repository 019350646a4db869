"""The command line: `python -m ops.pipeline STAGE [options]`, which `make ci-STAGE` is.

Exit codes: 0 done; 1 the answer is no (tests failed, a deployment is refused); 2 could not act, because something is
missing or wrong; 130 and 143 interrupted; else the exit code of the program that failed, such as pulumi's.
"""

from __future__ import annotations

from ops import interruption

if __name__ == "__main__":
    interruption.ends_at_once()

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, OpsError, Terminated, explain
from ops.pipeline import choice, event, identity
from ops.stack import STACK_NAME

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: the module in this package that does it, loaded when it is asked for, and one sentence."""

    module: str
    summary: str


STAGES = {
    "image": Stage(module="image", summary="build the commit's image once, test it as it is, and mark it"),
    "preview": Stage(module="preview", summary="say in the pull request what it would change"),
    "deploy": Stage(module="deploy", summary="deploy the image that was tested for this commit"),
    "verify": Stage(module="verify", summary="see that users get it"),
    "drift": Stage(module="drift", summary="see that stacks are as their program made them"),
    "promote": Stage(module="promote", summary="bring to production what staging serves"),
    "rollback": Stage(module="rollback", summary="return a stack to a release that was good"),
}
EPILOG = "stages:\n" + "\n".join(f"  {name:<10}{stage.summary}" for name, stage in STAGES.items())


def main(arguments: Sequence[str] | None = None, environment: MutableMapping[str, str] = os.environ) -> int:
    """Run one stage and return its exit code; the only place where errors become messages."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m ops.pipeline", description=__doc__, epilog=EPILOG, formatter_class=plain, add_help=False
    )
    parser.add_argument("stage", choices=sorted(STAGES), metavar="STAGE")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["--help"], ["-h"]):
        parser.print_help()
        return 0
    name = parser.parse_args(given[:1]).stage
    stage = importlib.import_module(f"ops.pipeline.{STAGES[name].module}")
    own = argparse.ArgumentParser(prog=f"python -m ops.pipeline {name}", description=stage.__doc__, allow_abbrev=False)
    stage.add_options(own)
    options = own.parse_args(given[1:])
    interruption.is_an_error_again()
    about = name
    try:
        choice.complete(name, options, environment, Path.cwd())
        about = " ".join([name, *_stacks(options)])
        with identity.from_token(environment):
            return int(stage.run(options, event.read(environment), environment))
    except OpsError as error:
        return _fail(about, str(error), error.exit_code)
    except (ClientError, BotoCoreError) as error:
        explained = explain(error)
        return _fail(about, str(explained), explained.exit_code)
    except Terminated as error:
        return _fail(about, str(error) or "ended by SIGTERM", EXIT_TERMINATED)
    except KeyboardInterrupt as error:
        return _fail(about, str(error) or "interrupted", EXIT_INTERRUPTED)


def _stacks(options: argparse.Namespace) -> list[str]:
    """Return the stacks that a stage is about, for its errors; what can be no stack's name is told in the error."""
    given = [options.stack] if "stack" in options else options.stacks
    return [each for each in given if STACK_NAME.fullmatch(each)]


def _fail(stage: str, message: str, exit_code: int) -> int:
    # What was said before comes before it, in a log that has both.
    sys.stdout.flush()
    print(f"ci-{stage}: {message}", file=sys.stderr, flush=True)
    return exit_code


if __name__ == "__main__":
    interruption.termination_is_an_error()
    sys.exit(main())
