"""Stands where the Pulumi engine and its providers stand: every resource the program registers is made here.

It is no Pulumi engine: it keeps what it made for the time of one rehearsal, updates what a deployment changes, and asks
for a fresh rehearsal for everything else.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi.runtime
from pulumi.runtime.mocks import MockMonitor

from rehearsal import children
from rehearsal.errors import RehearsalError
from rehearsal.realisers import commands
from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tables import DECLARED, realiser_of
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties, State, Tally, differing

# Types whose disappearance from the program needs nothing: the image stays in the repository.
FORGETTABLE = frozenset({"docker:index/image:Image"})
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - Pulumi's mark of a wrapped secret, from its SDK
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"

Finder = Callable[[str], Realiser]


class ResourceError(RehearsalError):
    """One resource of the program could not be made; the first of an update is what a person is shown."""


@dataclass
class Engine(pulumi.runtime.Mocks):
    """Makes the resources of one run of a program; `state` outlives the run, `tally` counts what the run did."""

    tools: Tools
    state: State
    preview: bool = False
    find: Finder = realiser_of
    default_tags: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)
    declared: dict[str, str] = field(default_factory=dict)
    not_rehearsed: dict[str, str] = field(default_factory=dict)
    failure: ResourceError | None = None
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _local: threading.local = field(default_factory=threading.local)

    def asked_for(self, urn: str, ignored: list[str]) -> None:
        """What the monitor knows of the resource this thread is about to make, and mocks are not told."""
        self._local.urn, self._local.ignored = urn, ignored

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        if not args.custom:
            return None, inputs
        urn, ignored = self._local.urn, self._local.ignored
        if self.failure or self.stopped:
            raise children.StoppedError
        try:
            deployed = self._realise(urn, args.typ, args.name, inputs, ignored)
        except children.StoppedError:
            raise
        except Exception as error:
            self._fail(f"{args.typ} {args.name}", error)
            raise
        with self._lock:
            self.seen.add(urn)
        return deployed.id, deployed.outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        try:
            return self._call(args.token, plain(args.args)), []
        except (RehearsalError, OSError) as error:
            self._fail(args.token, error)
            raise

    def _call(self, token: str, arguments: Properties) -> Properties:
        if token == commands.RUN:
            return commands.run(self.tools, arguments)
        raise RehearsalError(
            f"the rehearsal does not know the function `{token}`", remedy="Add it to rehearsal/engine.py."
        )

    def refuse(self, what: str, message: str) -> None:
        """Raises the ResourceError that says the program uses something that is not rehearsed."""
        self._fail(what, RehearsalError(message, remedy="Leave it out, or add it to rehearsal/engine.py."))
        if self.failure:
            raise self.failure

    def register_transform(self, transform: Any) -> None:  # noqa: ANN401 - Pulumi's own callback type
        self.refuse(getattr(transform, "__name__", "transform"), "transforms of the whole stack are not rehearsed")

    def register_invoke_transform(self, transform: Any) -> None:  # noqa: ANN401 - see register_transform
        self.refuse(getattr(transform, "__name__", "transform"), "transforms of invokes are not rehearsed")

    def finish(self) -> None:
        """After a run that ended well: delete what the program no longer has. RehearsalError if nobody knows how."""
        for urn in sorted(self.state.resources.keys() - self.seen):
            resource = self.state.resources[urn]
            realiser = None if resource.type in FORGETTABLE else self.find(resource.type)
            if realiser and realiser.delete:
                realiser.delete(self.tools, resource)
            elif realiser:
                raise RehearsalError(
                    f"{resource.type} {resource.name}: the program no longer has it, and deleting is not rehearsed",
                    remedy="Start a fresh rehearsal.",
                )
            self.state.forget(urn)
            self.tally.deleted[resource.type] += 1

    def _realise(self, urn: str, type_: str, name: str, inputs: Properties, ignored: list[str]) -> Deployed:
        if type_ in DECLARED:
            with self._lock:
                self.declared[type_] = DECLARED[type_]
            return Deployed(urn=urn, type=type_, name=name, id=name, inputs=inputs, outputs=inputs)
        realiser = self.find(type_)
        if self.default_tags and type_.startswith("aws:") and "tags" in realiser.properties:
            inputs = {**inputs, "tags": {**self.default_tags, **(inputs.get("tags") or {})}}
        realiser.check(inputs)
        self._note_not_rehearsed(type_, realiser, inputs)
        if realiser.fingerprint:
            inputs = {**inputs, **realiser.fingerprint(self.tools, inputs)}
        before = self.state.get(urn)
        if self.preview:
            return self._planned(
                before,
                Deployed(urn=urn, type=type_, name=name, id="", inputs=inputs, outputs=inputs),
                realiser,
                ignored,
            )
        if before is None:
            named = realiser.named(name, inputs)
            made = realiser.create(self.tools, name, named)
            return self._keep(urn, type_, name, inputs, named, made, self.tally.created)
        return self._update(before, realiser, inputs, ignored)

    def _planned(self, before: Deployed | None, asked: Deployed, realiser: Realiser, ignored: list[str]) -> Deployed:
        """What an update would make of it. What it would change has outputs that nobody knows yet."""
        if before is None:
            with self._lock:
                self.tally.created[asked.type] += 1
                self.tally.coming.append(f"{asked.type} {asked.name}")
            return asked
        _, changed = self._compared(before, realiser, asked.inputs, ignored)
        if not changed:
            return before
        with self._lock:
            self.tally.updated[asked.type] += 1
        return replace(asked, id=before.id)

    def _compared(
        self, before: Deployed, realiser: Realiser, inputs: Properties, ignored: list[str]
    ) -> tuple[Properties, list[str]]:
        """What the resource is now, and the inputs that are to be others."""
        current = realiser.refresh(self.tools, before) if realiser.refresh else before.inputs
        changed = differing(current, inputs, ignored)
        with self._lock:
            if changed:
                self.tally.reasons.append(f"{before.type} {before.name}: {', '.join(changed)}")
            else:
                self.tally.unchanged[before.type] += 1
        return current, changed

    def _update(self, before: Deployed, realiser: Realiser, inputs: Properties, ignored: list[str]) -> Deployed:
        current, changed = self._compared(before, realiser, inputs, ignored)
        if not changed:
            return before
        beyond = realiser.beyond_update(changed, inputs)
        if realiser.update is None or beyond:
            raise RehearsalError(
                f"its input {', '.join(beyond or changed)} changed, and changing that is not rehearsed",
                remedy="Start a fresh rehearsal with it.",
            )
        kept = {key: current[key] for key in ignored if key in current}
        named = {**inputs, **kept}
        if realiser.name_property and not named.get(realiser.name_property):
            named[realiser.name_property] = before.outputs[realiser.name_property]
        made = realiser.update(self.tools, before, named)
        return self._keep(before.urn, before.type, before.name, {**inputs, **kept}, named, made, self.tally.updated)

    def _keep(
        self, urn: str, type_: str, name: str, inputs: Properties, named: Properties, made: Made, count: Counter[str]
    ) -> Deployed:
        deployed = Deployed(
            urn=urn, type=type_, name=name, id=made.id, inputs=inputs, outputs={**named, **made.outputs}
        )
        self.state.put(deployed)
        with self._lock:
            count[type_] += 1
        return deployed

    def _note_not_rehearsed(self, type_: str, realiser: Realiser, inputs: Properties) -> None:
        with self._lock:
            for name in inputs.keys() & realiser.not_rehearsed.keys():
                self.not_rehearsed[f"{type_}.{name}"] = realiser.not_rehearsed[name]

    def _fail(self, what: str, error: Exception) -> None:
        remedy = error.remedy if isinstance(error, RehearsalError) else ""
        message = error.args[0] if isinstance(error, RehearsalError) else f"{type(error).__name__}: {error}"
        with self._lock:
            self.failure = self.failure or ResourceError(f"{what}: {message}", remedy=remedy)


class Monitor(MockMonitor):
    """Pulumi's mock monitor, telling the engine the URN and the `ignore_changes` of what it is about to make."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - the monitor's own name and untyped messages
        urn = self.make_urn(request.parent, request.type, request.name)
        what = f"{request.type} {request.name}"
        if request.type.startswith("pulumi:providers:"):
            self._engine.refuse(what, "explicit providers are not rehearsed: every resource goes to the one emulator")
        if request.remote:
            self._engine.refuse(what, "components of other packages are not rehearsed")
        if request.importId:
            self._engine.refuse(what, "importing is not rehearsed: the emulator starts empty")
        if request.transforms:
            self._engine.refuse(what, "transforms are not rehearsed")
        self._engine.asked_for(urn, list(request.ignoreChanges))
        return super().RegisterResource(request)  # type: ignore[no-untyped-call] # generated code beneath

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - see RegisterResource
        self._engine.refuse(
            f"{request.type} {request.name}", "reading what exists is not rehearsed: the emulator starts empty"
        )


def plain(value: Any) -> Any:  # noqa: ANN401 - any property value
    """Inputs without Pulumi's wrapping: secrets unwrapped, whole numbers as integers (messages know floats only)."""
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
