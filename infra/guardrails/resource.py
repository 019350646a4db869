"""A resource as the rules see it: its type, its name and what it was asked to be, whoever asked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol


class Unknown:
    """A value that only AWS knows, in a preview before the resource is there. No rule is broken by it."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()
EFFECTS = ("Allow", "Deny", UNKNOWN)


class UnreadableError(ValueError):
    """What a rule looks at is there, and is not written as AWS wants it: nobody can tell what it allows."""

    def __init__(self, resource: "Resource", what: str) -> None:
        super().__init__(what)
        self.resource = resource


class Facts(Protocol):
    """What the rules know of a stack besides its resources: its `Settings`, or whatever else says the same."""

    @property
    def project(self) -> str: ...
    @property
    def stack(self) -> str: ...
    @property
    def production(self) -> bool:
        """Whether users depend on it."""

    @property
    def default_tags(self) -> Mapping[str, object]:
        """Tags that the provider gives to everything."""


@dataclass(frozen=True, kw_only=True)
class StackFacts:
    """The facts by themselves, for who has no Settings."""

    project: str
    stack: str
    production: bool
    default_tags: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """`properties` are named as on the wire, in camelCase. `refers_to`: property -> URNs its value was made with.

    `provider`: the one it names instead of the stack's own. `remote`: a component that another program makes.
    """

    type: str
    name: str
    properties: Mapping[str, Any]
    urn: str = ""
    protect: bool = False
    refers_to: Mapping[str, frozenset[str]] = field(default_factory=dict)
    provider: str = ""
    remote: bool = False

    def value(self, path: str) -> Any:  # noqa: ANN401 - any property value
        """A property, or one inside it (`pointInTimeRecovery.enabled`). None when it is not set."""
        found: Any = self.properties
        for key in path.split("."):
            if isinstance(found, Unknown):
                return UNKNOWN
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def may_be(self, path: str, *wanted: object) -> bool:
        """Whether a property has one of these values, or will have one that is not known yet."""
        value = self.value(path)
        return isinstance(value, Unknown) or value in wanted

    def is_empty(self, path: str) -> bool:
        """Whether a property is not set, or holds nothing."""
        value = self.value(path)
        return not isinstance(value, Unknown) and not value

    def items(self, path: str) -> list[Any]:
        """The known items of a list."""
        value = self.value(path)
        return [item for item in value if not isinstance(item, Unknown)] if isinstance(value, Sequence) else []

    def document(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """What a property says, as JSON text or written out; None when it is not set, or not known."""
        value = self.value(path)
        if value is None or isinstance(value, Unknown):
            return None
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise UnreadableError(self, f"its {path} is no JSON") from None

    def statements(self, path: str) -> list[Mapping[str, Any]]:
        """The known statements of a policy document."""
        document = self.document(path)
        if document is None:
            return []
        if not isinstance(document, Mapping) or "Statement" not in document:
            raise UnreadableError(self, f"its {path} is no policy with a Statement")
        known = [each for each in as_list(document["Statement"]) if not isinstance(each, Unknown)]
        if not all(isinstance(each, Mapping) and each.get("Effect") in EFFECTS for each in known):
            raise UnreadableError(self, f"a statement of its {path} has no Effect, Allow or Deny")
        return known


@dataclass(frozen=True)
class Graph:
    """All resources of a stack, and which was made with which."""

    resources: Sequence[Resource]

    def of_type(self, *types: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type in types]

    def referred(self, resource: Resource, property_: str, *types: str) -> list[Resource]:
        """The resources of these types that a property was made with."""
        urns = resource.refers_to.get(property_, frozenset())
        return [other for other in self.of_type(*types) if other.urn in urns]

    def referring(self, resource: Resource, type_: str, property_: str) -> list[Resource]:
        """The resources of a type whose property was made with this one."""
        return [other for other in self.of_type(type_) if resource.urn in other.refers_to.get(property_, ())]

    def users_of(self, type_: str, property_: str) -> frozenset[str]:
        """URNs of everything that this property of this type was made with."""
        return frozenset(urn for user in self.of_type(type_) for urn in user.refers_to.get(property_, ()))


def as_list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    """IAM's way of writing lists: one thing stands for a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def texts(values: Iterable[Any]) -> list[str]:
    """Those of the values that are texts."""
    return [value for value in values if isinstance(value, str)]
