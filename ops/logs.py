"""`python -m ops logs`: what a process of the stack logged, across its tasks: once, as it grows, or by a query."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from collections import deque
from typing import TYPE_CHECKING

from ops import logs_query
from ops.command import Command, Context, count, seconds
from ops.errors import CannotAct, Terminated
from ops.log_lines import LEVELS, Choice
from ops.log_query import LogQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ops.log_lines import Line

SINCE, SINCE_OF_QUERY = "15m", "1h"
PAUSE_SECONDS = 2
# CloudWatch Logs knows no time before it.
_EPOCH = dt.datetime.fromtimestamp(0, tz=dt.UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_PROCESS = re.compile(r"[a-z][a-z0-9-]{0,30}")


def _run(context: Context, options: argparse.Namespace) -> None:
    asks = bool(options.question)
    how_far = options.since or since(SINCE_OF_QUERY if asks else SINCE)
    if asks:
        logs_query.run(context, options, how_far(context.clock.date()))
    else:
        _show_lines(context, options, how_far(context.clock.date()))


def _show_lines(context: Context, options: argparse.Namespace, since: dt.datetime) -> None:
    if options.list:
        raise CannotAct("--list is about saved queries: write `logs query --list`.")
    choice = Choice(text=options.grep, request_id=options.request_id, level=options.level)
    query = LogQuery(context.aws.logs, context.stack, options.process, int(since.timestamp() * 1000), choice.pattern)

    def show(line: Line) -> None:
        print(line.json() if context.json else line.text(), flush=True)

    if not _show(filter(choice.takes, query.new_lines()), options.limit, show):
        asked = " that were asked for" if choice != Choice() else ""
        moment = since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        context.transcript.step(f"no lines of {options.process}{asked} since {moment} (--since)")
    if options.follow:
        _follow(context, query, choice, show)


def _show(lines: Iterable[Line], limit: int | None, show: Callable[[Line], None]) -> bool:
    """Show the lines, or the last of them, and say whether there were any."""
    there = False
    last: deque[Line] = deque(maxlen=limit)
    for line in lines:
        there = True
        if limit is None:
            show(line)
        else:
            last.append(line)
    for line in last:
        show(line)
    return there


def _follow(context: Context, query: LogQuery, choice: Choice, show: Callable[[Line], None]) -> None:
    try:
        while True:
            context.clock.sleep(PAUSE_SECONDS)
            for line in filter(choice.takes, query.new_lines()):
                show(line)
    except Terminated:
        raise
    except KeyboardInterrupt:
        # Ctrl-C is how a person says that it is enough.
        return


def since(text: str) -> Callable[[dt.datetime], dt.datetime]:
    """Parse how far back to look: a duration such as 15m, or a moment in ISO 8601, in UTC unless it says otherwise."""
    duration = _DURATION.fullmatch(text)
    if duration:
        back = dt.timedelta(**{_UNITS[duration.group(2)]: int(duration.group(1))})
        return lambda now: now - min(back, now - _EPOCH)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no duration and no time: give 90s, 15m, 2h, 1d or 2026-01-31T12:00:00Z"
        ) from None
    moment = max(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC), _EPOCH)
    return lambda _now: moment


def process_name(text: str) -> str:
    """Parse the name of a process, which is part of names in AWS."""
    if not _PROCESS.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a process: such as web or migrate")
    return text


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "question", nargs="*", metavar="query NAME", help="ask a saved query instead, over the logs it is about"
    )
    parser.add_argument(
        "--process",
        type=process_name,
        default="web",
        metavar="NAME",
        help="whose log: web, migrate, shell, a worker's or a job's (default: web)",
    )
    parser.add_argument(
        "--since",
        type=since,
        metavar="WHEN",
        help="how far back: 90s, 15m, 2h, 1d, or a time such as 2026-01-31T12:00:00Z (UTC) "
        f"(default: {SINCE}, for a query {SINCE_OF_QUERY})",
    )
    parser.add_argument("--follow", action="store_true", help="go on showing lines as they come, until Ctrl-C")
    parser.add_argument(
        "--grep", default="", metavar="TEXT", help="only lines with this text in them, exactly as given"
    )
    parser.add_argument("--request-id", default="", metavar="ID", help="only lines of the request with this id")
    parser.add_argument("--list", action="store_true", help="with `query`: show which queries are saved")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=logs_query.TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="with `query`: how long to wait for its answer (default: %(default)s)",
    )
    parser.add_argument(
        "--level", default="", type=str.upper, choices=LEVELS, help="only lines of this level and above"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="only the last N of the lines; a query: N rows")


COMMAND = Command(
    name="logs",
    summary="show what a process logged",
    description="Show a process's log across all its tasks, the oldest line first, from CloudWatch Logs.\n"
    "Lines the application logged as JSON are laid out as time, level, message, other fields, [request id], and the\n"
    "exception below; other lines are shown as they are. --level and --request-id choose among the JSON lines.\n"
    "What `ops run` ran is in the log of its process, among the service's own lines.\n"
    "`logs query NAME` runs a Logs Insights query that is saved with the stack (`logs query --list` shows them) and\n"
    "prints a table; AWS charges for the bytes it scans, which are told of.\n"
    "Only lines reach standard output; --json makes each one JSON object: timestamp, stream, fields or message.",
    add_options=_options,
    run=_run,
    changes=False,
    streams=True,
)
