"""A stack's configuration as the Pulumi engine hands it to a program: defaults merged, types checked, values as text.

Restores what the engine does before a program starts (pulumi `pkg/workspace/config.go`); under mocks nobody else does.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rehearsal.errors import RehearsalError
from rehearsal.stack_yaml import StackLoader

# How values of the types that are no scalars are written on a command line.
EXAMPLES = {"array": '["a", "b"]', "object": '{"NAME": "text"}'}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a program is started with; `values` maps full keys (`pactum:taskCpu`) to text (JSON if no scalar).

    `defaults` are those of Pulumi.yaml, in the same form.
    """

    project: str
    stack: str
    program: Path
    values: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)


def stacks(directory: Path) -> list[str]:
    """The stacks of a program: those that have a Pulumi.STACK.yaml."""
    names = [re.fullmatch(r"Pulumi\.(.+)\.yaml", path.name) for path in directory.glob("Pulumi.*.yaml")]
    return sorted(match[1] for match in names if match)


def load(
    directory: Path, stack: str, overrides: Mapping[str, str] | None = None, *, config_file: Path | None = None
) -> Configuration:
    """Merge Pulumi.yaml's defaults, Pulumi.STACK.yaml (or `config_file` in its place) and `overrides` (full keys).

    Overrides are texts, and JSON where Pulumi.yaml declares an array or an object.
    RehearsalError for what the engine would refuse: every problem at once.
    """
    project = _read(directory / "Pulumi.yaml")
    stack_file = config_file or directory / f"Pulumi.{stack}.yaml"
    if not stack_file.exists():
        known = stacks(directory)
        raise RehearsalError(
            f"There is no stack `{stack}`: {stack_file} does not exist.",
            remedy=f"Choose one of: {', '.join(known)}." if known else f"Create {stack_file.name}.",
        )
    name = str(project["name"])
    declared = {_full_key(name, key): entry for key, entry in (project.get("config") or {}).items()}
    given = {_full_key(name, key): value for key, value in (_read(stack_file).get("config") or {}).items()}
    defaults = {key: _default(entry) for key, entry in declared.items() if _default(entry) is not None}
    above = {key: _parsed(value, declared.get(key)) for key, value in (overrides or {}).items()}
    values = {**defaults, **given, **above}
    _check(declared, values, above, stack_file.name)
    return Configuration(
        project=name,
        stack=stack,
        program=directory,
        values={key: _as_text(value) for key, value in values.items()},
        defaults={key: _as_text(value) for key, value in defaults.items()},
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StackLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise RehearsalError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise RehearsalError(f"{path} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise RehearsalError(f"{path} does not hold keys and values.")
    return content


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _default(entry: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    # A bare scalar is shorthand for a typed default; `value` is how keys of a provider carry theirs.
    if not isinstance(entry, dict):
        return entry
    return entry.get("default", entry.get("value"))


def _type(entry: Any) -> str | None:  # noqa: ANN401 - whatever YAML holds
    return entry.get("type") if isinstance(entry, dict) else None


def _parsed(value: Any, entry: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """An override in its declared type. What is no JSON stays a text, which is refused then."""
    if not isinstance(value, str) or _type(entry) not in EXAMPLES:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _check(declared: Mapping[str, Any], values: Mapping[str, Any], above: Mapping[str, Any], file: str) -> None:
    problems: dict[str, list[str]] = {file: [], "--set": []}
    for key, entry in declared.items():
        kind = _type(entry)
        if key not in values:
            problems[file].append(f"{key}: is not set, and Pulumi.yaml gives no default")
        elif kind and not _is_a(values[key], kind, entry.get("items")):
            # A mapping where none belongs may hold somebody's secret.
            shown = "..." if isinstance(values[key], dict) else _as_text(values[key])
            rule = f"must be of type {kind}"
            if key in above:
                as_json = f", in JSON, such as --set '{key}={EXAMPLES[kind]}'" if kind in EXAMPLES else ""
                problems["--set"].append(f"--set {key}={shown}: {rule}{as_json}")
            else:
                problems[file].append(f"{key} = {shown}: {rule}")
    problems[file] += [
        f"{key}: is encrypted for a real stack and cannot be read here"
        for key, value in values.items()
        if isinstance(value, dict) and "secure" in value
    ]
    found = [problem for each in problems.values() for problem in each]
    if found:
        listing = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(found, start=1))
        noun = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        where = " and ".join(place for place, each in problems.items() if each)
        raise RehearsalError(
            f"{noun} in {where}:\n{listing}", remedy=f"Correct {where}; Pulumi.yaml describes each key."
        )


def _is_a(value: Any, kind: str, items: Mapping[str, Any] | None) -> bool:  # noqa: ANN401 - whatever YAML holds
    if kind == "array":
        inner = (items or {}).get("type")
        return isinstance(value, list) and all(
            item is not None and (not inner or _is_a(item, inner, (items or {}).get("items"))) for item in value
        )
    if kind == "object":
        return isinstance(value, dict)
    if isinstance(value, (list, dict)):
        return False
    text = _as_text(value)
    patterns = {"integer": r"[+-]?\d+", "boolean": "true|false", "number": r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"}
    return kind == "string" or re.fullmatch(patterns.get(kind, ".*"), text) is not None


def _as_text(value: Any) -> str:  # noqa: ANN401 - whatever YAML holds
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    # As the engine, which warns of a key without a value.
    return "" if value is None else str(value)
