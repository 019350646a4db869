"""YAML as Pulumi's engine reads it: PyYAML differs in what it takes for a truth value, in dates and in duplicates."""

import re
from typing import Any

import yaml


class StackLoader(yaml.SafeLoader):
    """Go's yaml.v3, where it and PyYAML would hand different values to a program, or one would refuse a file."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"found {key.value} a second time; the engine takes neither", key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _refuse_date(_: StackLoader, node: yaml.Node) -> None:
    problem = "found a date, which the engine would write out with a time and a zone; put it in quotes"
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


BOOLEAN = "tag:yaml.org,2002:bool"
StackLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# `yes`, `no`, `on` and `off` are texts.
StackLoader.add_implicit_resolver(BOOLEAN, re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))
StackLoader.add_constructor("tag:yaml.org,2002:timestamp", _refuse_date)
