"""How a resource of the program becomes one of the emulator: a boto3 call and a map of fields."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.names import unique_name
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

# A parameter's name, or a function that turns the property's value into parameters.
Field = str | Callable[[Any], Properties]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a realiser answers: the resource's id and what AWS adds to its inputs."""

    id: str
    outputs: Properties


Create = Callable[[Tools, str, Properties], Made]
Update = Callable[[Tools, Deployed, Properties], Made]
Delete = Callable[[Tools, Deployed], None]


@dataclass(frozen=True, kw_only=True)
class Realiser:
    """How one resource type is rehearsed.

    `properties` are the inputs it acts on, `not_rehearsed` those it accepts without effect, with the reason. Any other
    input is an error. `name_property` is auto-named as the provider does it. `refresh` answers inputs as they are in
    the emulator now. `update` acts on a change of the inputs in `updatable`, and on the removal of those that are in
    `removable` too; any other change asks for a fresh rehearsal. `delete` acts when the program no longer has it.
    """

    create: Create
    properties: frozenset[str]
    not_rehearsed: Mapping[str, str] = field(default_factory=dict)
    name_property: str = ""
    name_limit: int = 255
    update: Update | None = None
    delete: Delete | None = None
    updatable: frozenset[str] = frozenset()
    removable: frozenset[str] = frozenset()
    refresh: Callable[[Tools, Deployed], Properties] | None = None
    fingerprint: Callable[[Tools, Properties], Properties] | None = None

    def check(self, inputs: Properties) -> None:
        """RehearsalError for an input that would silently have no effect."""
        unknown = sorted(inputs.keys() - self.properties - self.not_rehearsed.keys() - {self.name_property})
        if unknown:
            raise RehearsalError(
                f"the rehearsal does not know its input {', '.join(f'`{name}`' for name in unknown)}",
                remedy="Map it in rehearsal/realisers/, or list it there as not rehearsed, with the reason.",
            )

    def beyond_update(self, changed: Iterable[str], inputs: Properties) -> list[str]:
        """Those of the changed inputs that `update` would not carry out."""
        removed = {name for name in changed if inputs.get(name) is None}
        return [name for name in changed if name not in (self.removable if name in removed else self.updatable)]

    def named(self, logical_name: str, inputs: Properties) -> Properties:
        """The inputs with a physical name, as the provider's auto-naming gives one."""
        if not self.name_property or inputs.get(self.name_property):
            return inputs
        return {**inputs, self.name_property: unique_name(logical_name, limit=self.name_limit)}


def parameters(fields: Mapping[str, Field], inputs: Properties) -> Properties:
    """The boto3 parameters that the given inputs ask for. Inputs without a value are left out."""
    result: Properties = {}
    for name, target in fields.items():
        value = inputs.get(name)
        if value is None:
            continue
        if isinstance(target, str):
            result[target] = capitalised(value)
        else:
            merge(result, target(value))
    return result


def merge(target: Properties, addition: Mapping[str, Any]) -> None:
    """Add nested parameters to nested parameters, in place."""
    for key, value in addition.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def capitalised(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Nested property names (`fromPort`) as most AWS APIs spell them (`FromPort`)."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: capitalised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [capitalised(item) for item in value]
    return value


def verbatim(parameter: str) -> Callable[[Any], Properties]:
    """A field whose value is passed as it is, nested names included."""
    return lambda value: {parameter: value}


def tag_list(parameter: str = "Tags", *, key: str = "Key", value: str = "Value") -> Callable[[Any], Properties]:
    """A field for tags in an API that takes a list of keys and values."""
    return lambda tags: {parameter: [{key: name, value: text} for name, text in sorted(tags.items())]}


def made_by(
    service: str,
    operation: str,
    fields: Mapping[str, Field],
    answer: Callable[[Properties, Properties], Made],
    *,
    constants: Mapping[str, Any] | None = None,
    afterwards: Callable[[Tools, Properties, Made], None] | None = None,
) -> Create:
    """A creation that is one call: `answer` reads inputs and response, `afterwards` makes further calls."""

    def create(tools: Tools, _: str, inputs: Properties) -> Made:
        request = {**(constants or {}), **parameters(fields, inputs)}
        made = answer(inputs, getattr(tools.client(service), operation)(**request))
        if afterwards:
            afterwards(tools, inputs, made)
        return made

    return create
