"""`python -m ops state`: who has the lock of a stack's Pulumi state, what was left half done, and freeing the stack.

The one way out of an interrupted update stands in docs/releases.md, "An interrupted update".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.claim import watch
from ops.command import Command, Context
from ops.errors import EXIT_FAILED, EXIT_OK, CannotAct, OpsError
from ops.pending_operations import pending_operations
from ops.release_memory import Memory, NoTable
from ops.state_backend import find_backend
from ops.state_lock import locks_of

if TYPE_CHECKING:
    import argparse

    from ops.pending_operations import PendingOperation
    from ops.release_record import InFlight
    from ops.state_backend import Backend
    from ops.state_lock import Lock

OVERRULE = "--despite-signs-of-life"
SECTION = 'docs/releases.md, "An interrupted update"'


def _run(context: Context, options: argparse.Namespace) -> int:
    backend = find_backend(context, options.backend)
    context.transcript.step(f"state: {backend.url} ({backend.source})")
    locks = locks_of(backend.files, context.stack)
    context.answer.update(backend=backend.url, locks=[lock.as_json() for lock in locks], freed=[])
    for lock in locks:
        context.transcript.step(f"locked by {lock.told(context.clock.date())}")
    _tell_pending(context, backend, locks)
    flight = _in_flight(context)
    if not locks:
        context.transcript.result(f"{context.stack} is not locked")
        return EXIT_OK
    if not options.yes:
        context.transcript.result(_what_to_do(context, locks))
        return EXIT_FAILED
    if not options.despite_signs_of_life:
        _refuse_if_alive(context, locks, flight)
    _free(context, backend, locks)
    return EXIT_OK


def _tell_pending(context: Context, backend: Backend, locks: list[Lock]) -> None:
    """Tell what was begun and has not ended, as far as it can be read: a lock is freed without that, too."""
    try:
        pending = pending_operations(backend.files, context.stack)
    except CannotAct as error:
        context.answer["pending_operations"] = None
        context.transcript.step(f"what was left half done is unknown: {error}. `pulumi stack export` shows it.")
        return
    if pending is None and not locks:
        raise CannotAct(
            f"there is no {context.stack} at {backend.url} ({backend.source}). Nothing was changed. Check --stack and "
            "--project, or say where its state is: --backend, as `pulumi whoami -v` names it.",
        )
    context.answer["pending_operations"] = [each.as_json() for each in pending or []]
    if any(lock.lives for lock in locks):
        for each in pending or []:
            context.transcript.step(f"under way: {each}")
        return
    for each in pending or []:
        context.transcript.step(f"begun, and its end is not known: {each}{_remedy(each)}")
    if any(each.needs_a_person for each in pending or []):
        context.transcript.step(
            "Of a thing that was being created only AWS knows whether it is there. Look; one that no resource of the "
            "stack is, you delete there by hand. Then, with the stack free, forget the creation:\n"
            f"  pulumi refresh --stack {context.stack.name} --clear-pending-creates --yes --skip-preview"
        )


def _remedy(pending: PendingOperation) -> str:
    if not pending.needs_a_person:
        return " (the next update looks it up)"
    if pending.of_a_command:
        return " (a step of the update, nothing in AWS: the next update does it again)"
    return " (made since by a later update; this one may be there, too)" if pending.made_since else ""


def _in_flight(context: Context) -> InFlight | None:
    """Return what the release memory says is under way; nothing where the stack has not got as far as having one."""
    try:
        flight = Memory(context).read().in_flight
    except NoTable as error:
        context.transcript.step(f"no sign of life is known: {error}")
        flight = None
    context.answer["in_flight"] = flight.as_json() if flight else None
    if flight:
        context.transcript.step(f"the release memory: {flight}")
    return flight


def _what_to_do(context: Context, locks: list[Lock]) -> str:
    if any(lock.lives for lock in locks):
        return (
            f"{context.stack} is locked by a process of this machine that runs: wait for it, or interrupt it once "
            "(Ctrl-C, kill -INT), and it ends in order and frees the stack itself"
        )
    return (
        f"{context.stack} is locked, and no update can begin. Make sure that its holder has ended (the job in the "
        f"pipeline, the terminal), then free it: python -m ops state {context.stack.options} --yes ({SECTION})"
    )


def _refuse_if_alive(context: Context, locks: list[Lock], flight: InFlight | None) -> None:
    living = [lock for lock in locks if lock.lives]
    if living:
        raise OpsError(
            f"{context.stack} is locked by a process that runs: {living[0].told(context.clock.date())}.\n"
            f"Nothing was freed. Interrupt it once (kill -INT {living[0].pid}) and wait: it ends in order and frees "
            f"the stack itself. {OVERRULE} frees it all the same, and then two may write one state.",
        )
    if flight is None:
        context.transcript.step(
            "nothing is in flight in the release memory, as in an update before its guard or after its verdict, or in "
            "`pulumi refresh` or `destroy`: there is no sign of life to look for, and that its holder has ended is for "
            "you to know"
        )
        return
    try:
        watch(context, Memory(context), flight)
    except CannotAct:
        raise
    except OpsError as alive:
        raise OpsError(
            f"{alive}\nThe lock was not freed. What an update started may go on after Pulumi was killed, and ends by "
            f"itself. {OVERRULE} frees it all the same.",
        ) from alive


def _free(context: Context, backend: Backend, locks: list[Lock]) -> None:
    """Delete the locks that were shown, and no other: one that came since is somebody's who was not asked about."""
    for lock in locks:
        if not context.dry_run:
            backend.files.delete(lock.key)
            context.answer["freed"].append(lock.key)
        did = "would delete" if context.dry_run else "deleted"
        context.transcript.step(f"{did} {lock.key}")
    if context.dry_run:
        context.transcript.result(f"would free {context.stack}")
        return
    after = locks_of(backend.files, context.stack)
    if after:
        raise OpsError(f"{context.stack} was freed, and is locked again: {after[0].told(context.clock.date())}")
    context.transcript.result(f"{context.stack} is free; go on as {SECTION}, says")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="delete the locks that are shown; without it nothing is")
    parser.add_argument(
        OVERRULE,
        action="store_true",
        help="with --yes: also while the release memory or this machine shows that its holder lives",
    )
    parser.add_argument(
        "--backend",
        metavar="URL",
        help="where Pulumi keeps the state, s3://BUCKET?region=REGION&awssdk=v2 or file://DIRECTORY (default: "
        "PULUMI_BACKEND_URL, else Pulumi.yaml's, else that of `pulumi login`, else the account's bucket)",
    )


COMMAND = Command(
    name="state",
    summary="show who has the lock of a stack's Pulumi state, and free it",
    description="Show who has locked the state of a stack, since when and from which machine, whether that process\n"
    "can still live, and what an interrupted update had begun in AWS without hearing the end of it. With --yes the\n"
    "lock is freed, unless its holder is seen to live: by its process on this machine, or by signs of life in the\n"
    "release memory, which an update gives from its guard to its verdict. At other times another machine's lock is\n"
    'freed without a look. Exit code 1 while it is locked. The whole way out is in docs/releases.md, "An interrupted\n'
    'update".',
    add_options=_options,
    run=_run,
)
