"""The programs' resources as their own guardrails see them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock

import pulumi

from infra.guardrails import program
from infra.guardrails.catalogue import of_graph, of_resource
from stacks import application
from stacks.bootstrap import account
from tests.policies import PIPELINES, bootstrap_config
from tests.recorder import DIGEST, IN_SLACK, IN_TEAMS, configure, record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.guardrails.resource import Facts, Resource
    from infra.guardrails.rule import Violation

DROP = object()
APPLICATION_STACKS = ("staging", "prod")
STACKS = (*APPLICATION_STACKS, "account")
# What stacks do not have as their files stand, and can have.
FURTHER = {
    "mediaBucket": True,
    "workers": {"mail": {"command": ["python", "manage.py", "mail"]}},
    **IN_SLACK,
    **IN_TEAMS,
}


@dataclass(frozen=True)
class Stack:
    """What one stack was asked to be, and what the rules say of it."""

    resources: tuple[Resource, ...]
    facts: Facts

    def named(self, type_: str, name: str) -> Resource:
        found = [each for each in self.resources if each.type == type_ and each.name == name]
        assert len(found) == 1, f"{type_} {name} is not in {sorted(each.name for each in self.resources)}"
        return found[0]

    def violations(self) -> list[Violation]:
        by_itself = [found for each in self.resources for found in of_resource(each, self.facts)]
        return [*by_itself, *of_graph(self.resources, self.facts)]

    def with_changed(self, changed: Resource) -> Stack:
        return Stack(tuple(changed if each.urn == changed.urn else each for each in self.resources), self.facts)

    def with_added(self, *added: Resource) -> Stack:
        return Stack((*self.resources, *added), self.facts)

    def without(self, removed: Resource) -> Stack:
        return Stack(tuple(each for each in self.resources if each.urn != removed.urn), self.facts)


@cache
def stack(name: str) -> Stack:
    """A stack as its guardrails see it when it is made, with everything that it can have."""
    seen: list[tuple[tuple[Resource, ...], Facts]] = []

    def look(resources: Iterable[Resource], facts: Facts) -> list[Violation]:
        seen.append((tuple(resources), facts))
        return []

    if name == "account":
        pulumi.runtime.set_all_config(bootstrap_config(**PIPELINES))
        project, deploy = "pactum-bootstrap", account.deploy
    else:
        configure(name, imageDigest=DIGEST, **FURTHER)
        project, deploy = "pactum", application.deploy
    with mock.patch.object(program, "of_graph", look):
        recorder = record(deploy, project=project, stack=name)
    assert recorder.error is None, recorder.error
    ((resources, facts),) = seen
    assert len(resources) == len(recorder.resources), "a resource that the rules do not see can be anything"
    return Stack(resources, facts)


def changed(resource: Resource, path: str, value: Any) -> Resource:
    """The resource with one property changed; a path leads through mappings, lists and JSON texts."""
    properties = _changed(dict(resource.properties), path.split("."), value)
    return replace(resource, properties=properties)


def _changed(before: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value(before) if callable(value) else value
    if isinstance(before, str):
        return json.dumps(_changed(json.loads(before), path, value))
    key, rest = path[0], path[1:]
    if isinstance(before, list):
        found = [*before]
        found[int(key)] = _changed(found[int(key)], rest, value)
        return [item for item in found if item is not DROP]
    made = {**before, key: _changed(before.get(key), rest, value)}
    return {name: item for name, item in made.items() if item is not DROP}
