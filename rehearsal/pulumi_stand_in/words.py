"""What the CLI writes about a preview and an update, as far as people and stages read it."""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.program import SECRET, UNKNOWN
from rehearsal.state import Tally


def events(stack: str, project: str, tally: Tally) -> str:
    """What the engine writes to the file of --event-log, one event a line: every change, of some type and name."""
    changes = [
        *(("create", *_type_and_name(each)) for each in sorted(tally.coming)),
        *(("update", *_type_and_name(reason)) for reason in sorted(tally.reasons)),
        *(("delete", *_type_and_name(each)) for each in sorted(tally.going)),
        *(("same", type_, "") for type_, count in sorted(tally.unchanged.items()) for _ in range(count)),
    ]
    lines = [
        {"op": operation, "type": type_, "urn": f"urn:pulumi:{stack}::{project}::{type_}::{name}"}
        for operation, type_, name in changes
    ]
    return "".join(f"{json.dumps({'resourcePreEvent': {'metadata': line}})}\n" for line in lines)


def _type_and_name(reason: str) -> tuple[str, str]:
    type_, _, rest = reason.partition(" ")
    return type_, rest.partition(":")[0]


def error_event(message: str) -> str:
    """What the engine writes there of a program that failed."""
    said = {"diagnosticEvent": {"prefix": "error: ", "message": message, "color": "never", "severity": "error"}}
    return f"{json.dumps(said)}\n"


def previewed(stack: str, project: str, tally: Tally) -> str:
    """The rows of what would change, and their number."""
    rows = [
        *(_row("+", type_, count, "create") for type_, count in sorted(tally.created.items())),
        *(f" ~  {_short(reason)} update" for reason in sorted(tally.reasons)),
        *(_row("-", type_, count, "delete") for type_, count in sorted(tally.deleted.items())),
    ]
    return "\n".join([f"    pulumi:pulumi:Stack {project}-{stack}", *rows, _numbers(tally, "to ")])


def outputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The outputs that would be others, as --diff shows them; empty where there are none."""
    rows = [
        *(f"  + {name}: {_value(value)}" for name, value in after.items() if name not in before),
        *(
            f"  ~ {name}: {_value(before[name])} => {_value(value)}"
            for name, value in after.items()
            if name in before and before[name] != value and value != UNKNOWN
        ),
        *(f"  - {name}: {_value(value)}" for name, value in before.items() if name not in after),
    ]
    return "\n".join(["    --outputs:--", *sorted(rows, key=lambda row: row[4:])]) if rows else ""


def _value(value: Any, depth: int = 1) -> str:  # noqa: ANN401 - any output
    if isinstance(value, dict | list):
        named = value.items() if isinstance(value, dict) else ((f"[{at}]", each) for at, each in enumerate(value))
        inner = "".join(f"\n{'    ' * (depth + 1)}{name}: {_value(each, depth + 1)}" for name, each in named)
        opened, closed = "{}" if isinstance(value, dict) else "[]"
        return f"{opened}{inner}\n{'    ' * depth}{closed}"
    return str(value) if value in {SECRET, UNKNOWN} else json.dumps(value)


def updated(outputs: Mapping[str, Any], tally: Tally) -> str:
    """The outputs, and how much was changed."""
    shown = "".join(f"\n    {name}: {value!r}" for name, value in sorted(outputs.items()))
    return f"Outputs:{shown}\n\n{_numbers(tally, '')}"


def _row(sign: str, type_: str, count: int, verb: str) -> str:
    return f" {sign}  {_short(type_)} {verb}{f' ({count})' if count > 1 else ''}"


def _short(text: str) -> str:
    """`aws:ecs/service:Service` as the CLI shows it: `aws:ecs:Service`."""
    type_, separator, rest = text.partition(" ")
    package, _, member = type_.partition("/")
    return f"{package}:{member.rpartition(':')[2]}{separator}{rest}" if member else text


def _numbers(tally: Tally, to: str) -> str:
    kinds = {"+": tally.created, "~": tally.updated, "-": tally.deleted}
    verbs = {"+": "create", "~": "update", "-": "delete"} if to else {"+": "created", "~": "updated", "-": "deleted"}
    rows = [f"    {sign} {kind.total()} {to}{verbs[sign]}" for sign, kind in kinds.items() if kind]
    same = tally.unchanged.total()
    summary = [f"    {tally.changed} change{'' if tally.changed == 1 else 's'}. {same} unchanged"] if rows else []
    return "\n".join(["Resources:", *(rows or [f"    {same} unchanged"]), *summary])
