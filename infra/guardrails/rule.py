"""What a rule is, and what a person is told who breaks one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.guardrails.resource import Facts, Graph, Resource


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
    """A rule that each resource of `types` keeps by itself; empty, every resource. `check` says what is wrong."""

    types: frozenset[str]
    check: Callable[[Resource, Facts], Iterable[str]]

    def violations(self, resource: Resource, facts: Facts) -> "list[Violation]":
        if self.types and resource.type not in self.types:
            return []
        return [Violation(rule=self, resource=resource, what=what) for what in self.check(resource, facts)]


@dataclass(frozen=True, kw_only=True)
class GraphRule(About):
    """A rule about how resources stand to each other. `check` says which of them is wrong, and what is."""

    check: Callable[[Graph, Facts], Iterable[tuple[Resource, str]]]

    def violations(self, graph: Graph, facts: Facts) -> "list[Violation]":
        return [Violation(rule=self, resource=resource, what=what) for resource, what in self.check(graph, facts)]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One resource that breaks one rule."""

    rule: About
    resource: Resource
    what: str

    def __str__(self) -> str:
        rule = self.rule
        return f"{self.resource.type} {self.resource.name}: {self.what} ({rule.id}, {rule.title}). {rule.remedy}"
