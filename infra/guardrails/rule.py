"""What a rule is, and what a person is told who breaks one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.guardrails.resource import Facts, Graph, Resource, UnreadableError


@dataclass(frozen=True, kw_only=True)
class About:
    """`id` never changes its meaning. `checkov`: ids of Checkov's rules that hold wherever this one does."""

    id: str
    title: str
    reason: str
    remedy: str
    checkov: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ResourceRule(About):
    """A rule that each resource of `types` keeps by itself; empty, every resource. `check` says what is wrong.

    A resource that is not written as AWS documents it breaks the rule that cannot read it, and ends none of them.
    """

    types: frozenset[str]
    check: Callable[[Resource, Facts], Iterable[str]]

    def violations(self, resource: Resource, facts: Facts) -> "list[Violation]":
        if self.types and resource.type not in self.types:
            return []
        found: list[str] = []
        try:
            found += self.check(resource, facts)
        except UnreadableError as error:
            found.append(str(error))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            found.append(f"this rule cannot read what it is asked to be ({type(error).__name__}: {error})")
        return [Violation(rule=self, resource=resource, what=what) for what in found]


@dataclass(frozen=True, kw_only=True)
class GraphRule(About):
    """A rule about how resources stand to each other. `check` says which of them is wrong, and what is."""

    check: Callable[[Graph, Facts], Iterable[tuple[Resource, str]]]

    def violations(self, graph: Graph, facts: Facts) -> "list[Violation]":
        found: list[tuple[Resource, str]] = []
        try:
            found += self.check(graph, facts)
        except UnreadableError as error:
            found.append((error.resource, str(error)))
        return [Violation(rule=self, resource=resource, what=what) for resource, what in found]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One resource that breaks one rule."""

    rule: About
    resource: Resource
    what: str

    def __str__(self) -> str:
        rule = self.rule
        return f"{self.resource.type} {self.resource.name}: {self.what} ({rule.id}, {rule.title}). {rule.remedy}"
