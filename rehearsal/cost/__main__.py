"""`python -m rehearsal.cost STACK`: what watching a stack costs a month, by its program and list prices, as a table."""

import argparse
import sys

from rehearsal import configuration
from rehearsal.cost import prices
from rehearsal.cost.estimate import Assumptions, Item, estimate, total
from rehearsal.cost.inventory import take
from rehearsal.cost.log_lines import measure
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT
from rehearsal.settings_option import add_configuration

REQUESTS_A_DAY = 100_000
NOT_COUNTED = """\
Not counted: AWS's free allowances; the database's own logs; flow logs, the firewall's and the balancer's logs
(`flowLogs`, `firewall`, `accessLogs`); alarms that autoscaling makes for itself; what workers and jobs log, and
exceptions."""


def main(arguments: list[str] | None = None) -> int:
    """Print the table; answers the exit code."""
    options = _parser().parse_args(arguments)
    assumed = Assumptions(requests_a_day=options.requests_a_day, line=measure())
    try:
        loaded = configuration.load(PROJECT_ROOT, options.stack, dict(options.set), config_file=options.config_file)
        items = estimate(take(loaded), assumed)
    except RehearsalError as error:
        print(f"cost: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(options.stack, items, assumed)))
    return 0


def table(stack: str, items: list[Item], assumed: Assumptions) -> list[str]:
    """The bill as Markdown, with what it rests on."""
    line = f"{assumed.line.sent:.0f} bytes of log each ({assumed.line.kept:.0f} kept)"
    return [
        f"Watching {stack}, USD a month, at {assumed.requests_a_day:,} requests a day of {line}.",
        f"Prices: {prices.AS_OF}.",
        "",
        "| what | how many | USD | what lowers it |",
        "|---|---:|---:|---|",
        *(f"| {item.what} | {item.count} | {item.usd} | {item.less} |" for item in items),
        f"| **together** | | **{total(items)}** | |",
        "",
        NOT_COUNTED,
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cost", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="the stack whose file says what there is")
    parser.add_argument(
        "--requests-a-day",
        type=_positive,
        metavar="N",
        default=REQUESTS_A_DAY,
        help="users' requests, each of which is a line in the log (default: %(default)s)",
    )
    add_configuration(parser)
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number of requests: write a whole one, such as 100000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
