"""The rules as policies of Pulumi's own kind, which the engine asks besides the program."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pulumi_policy import (
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from infra.guardrails.catalogue import RULES
from infra.guardrails.resource import UNKNOWN, Facts, Graph, Resource, StackFacts
from infra.guardrails.rule import About, GraphRule, ResourceRule
from infra.guardrails.types import canonical

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (ROOT, ROOT / "stacks" / "bootstrap")


def policies() -> list[Policy]:
    """One policy for each rule, called by its id."""
    return [_of_resource(rule) if isinstance(rule, ResourceRule) else _of_stack(rule) for rule in RULES]


def _of_resource(rule: ResourceRule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = _as_resource(args)
        for violation in rule.violations(resource, facts(args.urn)):
            report(str(violation), args.urn)

    return ResourceValidationPolicy(rule.id, _described(rule), validate)


def _of_stack(rule: GraphRule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [
            replace(_as_resource(each), refers_to=_references(each.property_dependencies)) for each in args.resources
        ]
        if resources:
            for violation in rule.violations(Graph(resources), facts(resources[0].urn)):
                report(str(violation), violation.resource.urn)

    return StackValidationPolicy(rule.id, _described(rule), validate)


def _as_resource(asked: ResourceValidationArgs | PolicyResource) -> Resource:
    return Resource(
        type=canonical(asked.resource_type),
        name=asked.name,
        properties=plain(asked.props),
        urn=asked.urn,
        protect=asked.opts.protect,
        provider=_explicit_provider(asked),
    )


def _references(dependencies: Mapping[str, Sequence[PolicyResource]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(other.urn for other in others) for key, others in dependencies.items()}


def _explicit_provider(args: ResourceValidationArgs | PolicyResource) -> str:
    """The provider that the program named; the one that Pulumi makes by itself is called default, or default_7_1_0."""
    name = args.provider.name if args.provider else ""
    return "" if name == "default" or name.startswith("default_") else name


def _described(rule: About) -> str:
    return f"{rule.title}: {rule.reason}"


def facts(urn: str) -> Facts:
    """What the project's files say of the stack whose resource this is; the engine tells a policy pack none of it."""
    _, _, stack, project, *_ = urn.replace("::", ":").split(":")
    return _facts(project, stack)


@cache
def _facts(project: str, stack: str) -> Facts:
    for directory in PROGRAMS:
        declared = yaml.safe_load((directory / "Pulumi.yaml").read_text())
        if declared["name"] == project:
            break
    else:
        raise LookupError(f"The guardrails know no project {project}. Add its directory to PROGRAMS in {__file__}.")
    values = {key: each.get("default") for key, each in declared["config"].items()}
    values |= yaml.safe_load((directory / f"Pulumi.{stack}.yaml").read_text())["config"]
    return StackFacts(
        project=values.get(f"{project}:projectName") or project,
        stack=stack,
        # Pulumi writes truth values as texts. What says nothing of it, as bootstrap, is what production stands on.
        production=str(values.get(f"{project}:production", True)).lower() == "true",
        default_tags=values.get("aws:defaultTags", {}).get("tags", {}),
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - any property value, guarded by the SDK
    """A value without the SDK's guard, which ends a policy that looks at what only AWS knows."""
    if isinstance(value, Mapping):
        return {key: _looked_up(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_looked_up(value, index) for index in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _looked_up(values: Any, key: Any) -> Any:  # noqa: ANN401 - see plain
    try:
        return plain(values[key])
    except UnknownValueError:
        return UNKNOWN
