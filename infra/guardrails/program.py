"""How the composition runs the rules: on every resource, on its way from the program to the engine.

`pulumi up` cannot skip it, with or without a policy pack, and neither can a test or the rehearsal: whatever engine the
program talks to, it talks by way of this. See docs/decisions/0011-guardrails.md for why no transform does it.
"""

import threading
from dataclasses import replace
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.settings import SETTINGS

from infra.guardrails.catalogue import of_graph, of_resource
from infra.guardrails.resource import UNKNOWN, Facts, Resource
from infra.guardrails.rule import Violation
from infra.guardrails.types import canonical

# Pulumi's mark of a value that is wrapped: a secret, or one of which it says more than the value.
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"


class GuardrailError(pulumi.RunError):
    """One rule or several are broken; the text names each resource, what is wrong with it and the remedy."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("\n".join(str(violation) for violation in violations))


def guard_program(facts: Facts) -> None:
    """Have every resource that this program makes from here on checked first.

    An update fails before the first resource that breaks a rule by itself, and makes nothing from then on. A preview,
    which makes nothing anyway, goes on and tells of all of them in the end. Rules about several resources are looked
    at when all of them are there.
    """
    SETTINGS.monitor = Guarded(SETTINGS.monitor, facts, collect=pulumi.runtime.is_dry_run())


class Guarded:
    """Pulumi's connection to its engine, which passes everything on but what breaks a rule."""

    def __init__(self, monitor: Any, facts: Facts, *, collect: bool) -> None:  # noqa: ANN401 - generated code, untyped
        self._monitor, self._facts, self._collect = monitor, facts, collect
        self._resources: list[Resource] = []
        self._violations: list[Violation] = []
        # Resources are registered by threads.
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - see __init__
        return getattr(self._monitor, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - the monitor's own name and messages
        resource = as_resource(request)
        violations = of_resource(resource, self._facts)
        with self._lock:
            self._violations += violations
            broken = list(self._violations)
        if broken and not self._collect:
            raise GuardrailError(broken)
        response = self._monitor.RegisterResource(request)
        with self._lock:
            self._resources.append(replace(resource, urn=response.urn))
        return response

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: ANN401, N802 - see RegisterResource
        """What Pulumi says when the program has ended well, and all it has asked for is there."""
        violations = [*self._violations, *of_graph(self._resources, self._facts)]
        if violations:
            raise GuardrailError(violations)
        return self._monitor.SignalAndWaitForShutdown(request)


def as_resource(request: Any) -> Resource:  # noqa: ANN401 - see Guarded
    """A registration as the rules see it; what its URN is, only the engine's answer tells."""
    return Resource(
        type=canonical(request.type),
        name=request.name,
        properties={key: plain(value) for key, value in request.object.fields.items()},
        protect=request.protect,
        refers_to={key: frozenset(found.urns) for key, found in request.propertyDependencies.items()},
        provider=request.provider,
        remote=request.remote,
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - a protobuf value of any kind
    """A value as the program wrote it: secrets unwrapped, whole numbers whole, what only AWS knows as UNKNOWN."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields:
            return plain(fields["value"]) if "value" in fields else UNKNOWN
        return {key: plain(item) for key, item in fields.items()}
    if kind == "list_value":
        return [plain(item) for item in value.list_value.values]
    found = None if kind in (None, "null_value") else getattr(value, kind)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return UNKNOWN if found == rpc.UNKNOWN else found
