"""`python -m ops watch`: one pass of the stack's watch by hand, looking at what its function is told to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.balancer import CONNECT_TO
from ops.command import Command
from ops.errors import EXIT_FAILED, EXIT_OK, CannotAct
from ops.transcript import printable
from ops.watch import gauges
from ops.watch.assignment import AssignmentError, read
from ops.watch.clients import Clients
from ops.watch.measure import publish

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from ops.command import Context
    from ops.watch.assignment import Assignment
    from ops.watch.measure import Measure


def _run(context: Context, _options: argparse.Namespace) -> int:
    assignment, aws, now = _assignment(context), context.aws, context.clock.date()
    clients = Clients(
        cloudwatch=aws.cloudwatch,
        dynamodb=aws.dynamodb,
        ecs=aws.ecs,
        scheduler=aws.scheduler,
        secretsmanager=aws.secretsmanager,
    )
    seen = gauges.read(assignment, clients, now, by_hand=True)
    context.answer["measures"] = [
        {"name": one.name, "dimensions": dict(one.dimensions), "value": one.value, "unit": one.unit} for one in seen.all
    ]
    context.answer["failed"] = dict(seen.failed)
    for line in [*table(seen.all), *(f"NOT READ: {name}: {printable(why)}" for name, why in seen.failed.items())]:
        context.transcript.step(line)
    where = f"{len(seen.all)} metrics in {assignment.namespace}"
    if context.dry_run:
        context.transcript.result(f"would publish {where}")
    else:
        publish(clients.cloudwatch, assignment.namespace, now, seen.all)
        context.transcript.result(f"published {where}")
    return EXIT_FAILED if seen.failed else EXIT_OK


def table(measures: Sequence[Measure]) -> list[str]:
    """Name, what it is of, and value, one a line below each other."""
    rows = [
        (one.name, " ".join(one.dimensions.values()), f"{one.value:,.3f}".rstrip("0").rstrip(".")) for one in measures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"{name:<{widths[0]}}  {of:<{widths[1]}}  {value:>{widths[2]}}".rstrip() for name, of, value in rows]


def _assignment(context: Context) -> Assignment:
    """What the stack's own function is told. CannotAct when there is none."""
    functions, name = context.aws.functions, context.stack.watch
    try:
        configuration = functions.get_function_configuration(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException as error:
        raise CannotAct(
            f"there is no function {name} in this account and region. Check --stack, --project, the account and the "
            "region, or deploy the stack first (`pulumi up`), which makes it.",
        ) from error
    told: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    try:
        return read({**told, **{key: value for key, value in context.environment.items() if key == CONNECT_TO}})
    except AssignmentError as error:
        raise CannotAct(f"{name}: {error}. Deploy the stack again (`pulumi up`).") from error


COMMAND = Command(
    name="watch",
    summary="look at a stack as its watch does each minute, and publish what is seen",
    description="Do one pass of the stack's watch (docs/decisions/0016-the-watch.md) now and from here: ask the\n"
    "readiness path, count missing tasks, seconds since each job succeeded and the age of secrets, print them, and\n"
    "publish them as its function does. --dry-run publishes nothing. Exit code 1 when something could not be read.",
    add_options=lambda _parser: None,
    run=_run,
)
