"""All rules, in the order of their ids."""

from collections.abc import Iterable

from infra.guardrails import access, buckets, containers, data, functions, letting_in, operations, traffic, types
from infra.guardrails.resource import Facts, Graph, Resource
from infra.guardrails.rule import GraphRule, ResourceRule, Violation

_MODULES = (containers, data, buckets, traffic, access, letting_in, functions, operations, types)
RULES: tuple[ResourceRule | GraphRule, ...] = tuple(
    sorted((rule for module in _MODULES for rule in module.RULES), key=lambda rule: rule.id)
)


def of_resource(resource: Resource, facts: Facts) -> list[Violation]:
    """What is wrong with a resource by itself; known before it is made."""
    return [found for rule in RULES if isinstance(rule, ResourceRule) for found in rule.violations(resource, facts)]


def of_graph(resources: Iterable[Resource], facts: Facts) -> list[Violation]:
    """What is wrong with resources beside each other; known only once all of them are."""
    graph = Graph(tuple(resources))
    return [found for rule in RULES if isinstance(rule, GraphRule) for found in rule.violations(graph, facts)]
