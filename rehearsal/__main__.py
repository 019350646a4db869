"""`python -m rehearsal STACK`: deploy a stack to this machine, try it, and remove it again."""

import argparse
import contextlib
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rehearsal import attached, configuration, environment_file, migration_trial, releases, unexpected
from rehearsal.commands import COMMANDS
from rehearsal.contract import command as contract
from rehearsal.drills import command as drills
from rehearsal.errors import InterruptionError, RehearsalError
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.progress import Progress
from rehearsal.session import Rehearsal
from rehearsal.settings_option import add_configuration

EXIT_FAILED = 1
# Where errors outside a rehearsal are written: its own directory depends on ports that may be what is wrong.
SCRATCH = PROJECT_ROOT / ".rehearsal"
EXIT_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; answers the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    progress = Progress()
    signal.signal(signal.SIGTERM, _interrupt)
    # The terminal was closed. Under nohup it is ignored, and stays so.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    # Also where a shell started us in the background, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if given and given[0] in PROGRAMS:
            return PROGRAMS[given[0]](given[1:], progress)
        return _dispatch(_parser().parse_args(given), progress)
    except KeyboardInterrupt:
        progress.say("Interrupted.")
        return EXIT_INTERRUPTED
    except InterruptionError as error:
        progress.say(str(error))
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets one line, the log the traceback
        with contextlib.suppress(OSError):
            print(f"\nrehearsal: {unexpected.told(error, SCRATCH)}", file=sys.stderr)
        return EXIT_FAILED


def _interrupt(number: int, _: FrameType | None) -> None:
    raise InterruptionError(f"Ended by {signal.Signals(number).name}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", metavar="STACK|COMMAND", help="the stack to deploy to this machine, or a command")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="when all is well, stay until Ctrl-C to click around; "
        "`source .rehearsal/environment` lets `python -m ops` work on it from another shell",
    )
    parser.add_argument("--twice", action="store_true", help="update a second time, and expect nothing to change")
    parser.add_argument(
        "--then",
        metavar="DIR",
        nargs="+",
        type=Path,
        default=[],
        help="afterwards deploy the release each directory's Dockerfile makes of the live image (tests/releases/)",
    )
    add_configuration(parser)
    listing = "\n".join(f"  {name:<20} {command.__doc__}" for name, command in COMMANDS.items())
    programs = "\n".join(f"  {name:<20} {program.__doc__}" for name, program in PROGRAMS.items())
    parser.epilog = f"commands:\n{listing}\n{programs}\n  (`COMMAND --help` tells the options of the last four)"
    return parser


def _dispatch(options: argparse.Namespace, progress: Progress) -> int:
    place = Place()
    if options.target in COMMANDS:
        return COMMANDS[options.target](place, progress)
    known = configuration.stacks(place.root)
    if options.target not in known and not options.config_file:
        raise RehearsalError(
            f"There is no stack `{options.target}`: Pulumi.{options.target}.yaml does not exist.",
            remedy=f"Choose one of: {', '.join(known)}.",
        )
    return _rehearse(options, place, progress)


# Commands with options of their own.
PROGRAMS: dict[str, Callable[[list[str], Progress], int]] = {
    "drills": drills.main,
    "update": attached.main,
    "contract": contract.main,
    "migrations": migration_trial.main,
}


def _rehearse(options: argparse.Namespace, place: Place, progress: Progress) -> int:
    for directory in options.then:
        releases.check(directory)
    # A run that is killed writes none, and an earlier one's must not be taken for its own. What cannot be removed can
    # not be written either, and is told then.
    with contextlib.suppress(OSError):
        place.report.unlink()
    rehearsal = Rehearsal(
        stack=options.target,
        place=place,
        progress=progress,
        overrides=dict(options.set),
        config_file=options.config_file,
    )
    try:
        with rehearsal:
            _deploy(rehearsal, options)
            rehearsal.report.ok = True
            if options.keep:
                _stay(rehearsal)
    except (KeyboardInterrupt, InterruptionError) as error:
        if not rehearsal.report.ok:
            rehearsal.report.error = str(error) or type(error).__name__
            _write_after_failure(rehearsal)
            raise
    except Exception as error:
        told = unexpected.told(error, place.scratch)
        rehearsal.report.ok = False
        rehearsal.report.error = str(told)
        _write_after_failure(rehearsal)
        progress.note(f"logs of the emulator and of operator commands: {place.scratch}")
        raise told from error
    rehearsal.report.write(place.report, progress.phases)
    if not options.keep:
        progress.summary(rehearsal.report.rows(progress.phases))
    progress.say(f"\n{options.target} was rehearsed; everything was removed again. Report: {place.report}")
    return 0


def _write_after_failure(rehearsal: Rehearsal) -> None:
    """Write the report; where that fails too, what went wrong first is still what a person must read."""
    try:
        rehearsal.report.write(rehearsal.place.report, rehearsal.progress.phases)
    except OSError as error:
        rehearsal.progress.note(f"the report could not be written: {error}")


def _deploy(rehearsal: Rehearsal, options: argparse.Namespace) -> None:
    # First, for it needs nothing that bootstrap makes, and tells what is wrong with a stack file at once.
    rehearsal.preview()
    rehearsal.bootstrap()
    rehearsal.up()
    rehearsal.smoke()
    if options.twice:
        tally = rehearsal.up(phase="second up")
        rehearsal.report.changed = tally.changed
        if tally.changed:
            listing = "\n".join(f"    {reason}" for reason in tally.reasons)
            raise RehearsalError(f"A second update, with nothing new, changed {tally.changed} resources:\n{listing}")
    for directory in options.then:
        releases.deploy(rehearsal, directory)
    if options.twice or options.then:
        rehearsal.search_secrets()


def _stay(rehearsal: Rehearsal) -> None:
    rehearsal.report.write(rehearsal.place.report, rehearsal.progress.phases)
    rehearsal.progress.summary(rehearsal.report.rows(rehearsal.progress.phases))
    url = rehearsal.outputs.get("url", "")
    encrypted = f"It stands for {url}: the application sees you come over HTTPS.\n" if url.startswith("https:") else ""
    rehearsal.progress.say(
        f"\nOpen {rehearsal.place.front_url} in a browser. Ctrl-C ends the rehearsal and removes everything.\n"
        f"{encrypted}"
        f"To operate it from another shell: source {shlex.quote(str(environment_file.path(rehearsal.place)))}\n"
        f"  .venv/bin/python -m ops status --stack {rehearsal.stack}\n"
        f"  .venv/bin/python -m rehearsal update {rehearsal.stack} --release tests/releases/good"
    )
    rehearsal.wait()


if __name__ == "__main__":
    sys.exit(main())
