"""A recording engine: runs components or a whole program under Pulumi's mocks and keeps what they asked for."""

from __future__ import annotations

import functools
import json
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.mocks import MockMonitor

from infra.operator_command import FAILED
from tests.shipped import defaults, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT, REGION = "123456789012", "us-east-1"
REFUSED = "refused, for this reason"
REFUSED_SAYING = f"some step\n{{}}: {REFUSED}\n"
DIGEST = "sha256:" + "ab" * 32
# What a stack file says of a channel of each kind.
IN_SLACK = {"slackWorkspaceId": "T07EA123LEP", "slackChannelId": "C07EZ1ABC23"}
IN_TEAMS = {
    "teamsTenantId": "2c1b3a4d-0e5f-4a6b-8c7d-9e8f0a1b2c3d",
    "teamsTeamId": "3c1b3a4d-0e5f-4a6b-8c7d-9e8f0a1b2c3d",
    "teamsChannelId": "19:0a1b2c3d4e5f60718293a4b5c6d7e8f9@thread.tacv2",
}


class RefusedError(Exception):
    """What the recording engine answers for a resource it was told to refuse."""


def _is_news(record: logging.LogRecord) -> bool:
    """Asyncio writes a traceback for each resource that waited in vain for what a test refused: thousands of lines."""
    return not (record.exc_info and isinstance(record.exc_info[1], (RefusedError, pulumi.RunError)))


logging.getLogger("asyncio").addFilter(_is_news)


@dataclass(frozen=True)
class Recorded:
    """One resource as the program registered it."""

    type: str
    name: str
    inputs: dict[str, Any]
    urn: str
    waits_for: frozenset[str]
    """URNs of what the engine must have made before, through inputs and `depends_on`."""
    protect: bool = False
    """Whether Pulumi refuses to delete it."""
    ignores: frozenset[str] = frozenset()
    """Inputs whose changes do not update it."""
    retained: bool = False
    """Whether it stays in AWS when the program has it no more."""


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Answers like AWS would, with made-up ids; in a stack's first preview nothing that only AWS would know."""

    unknown: bool = False
    refuse: tuple[str, str] | None = None
    """What fails: a resource by type and name, or a call by token and a part of its command."""
    resources: list[Recorded] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    timeline: list[str] = field(default_factory=list)
    """Resources (type and name) and calls (`ops VERB`) in the order in which they were asked for."""
    error: BaseException | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: threading.local = field(default_factory=threading.local)

    def asked_for(
        self, urn: str, waits_for: frozenset[str], *, protect: bool, ignores: frozenset[str], retained: bool
    ) -> None:
        """What mocks are not told of the resource that this thread is about to make."""
        self._asked.urn, self._asked.waits_for, self._asked.protect = urn, waits_for, protect
        self._asked.ignores, self._asked.retained = ignores, retained

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self.refuse == (args.typ, args.name):
            raise RefusedError(f"{args.typ} {args.name}")
        with self._lock:
            asked = self._asked
            options = {"protect": asked.protect, "ignores": asked.ignores, "retained": asked.retained}
            self.resources.append(Recorded(args.typ, args.name, args.inputs, asked.urn, asked.waits_for, **options))
            self.timeline.append(f"{args.typ} {args.name}")
        if self.unknown:
            return "", dict(args.inputs)
        return f"{args.name}-id", {**computed(args.typ, args.name), **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        with self._lock:
            self.calls.append((args.token, args.args))
            self.timeline.append(" ".join(str(args.args.get("command", args.token)).split()[2:4]))
        if self.refuse and self.refuse[0] == args.token and self.refuse[1] in args.args["command"]:
            said = REFUSED_SAYING.format(self.refuse[1])
            return {**args.args, "stdout": f"{FAILED} 1", "stderr": said}, []
        return {**args.args, "stdout": "", "stderr": ""}, []

    def of_type(self, type_: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.type == type_]

    def only(self, type_: str, name: str = "") -> Recorded:
        found = [resource for resource in self.of_type(type_) if name in ("", resource.name)]
        assert len(found) == 1, f"expected one {type_} {name}, found {[resource.name for resource in found]}"
        return found[0]

    def waits(self, resource: Recorded, other: Recorded) -> bool:
        """Whether `resource` is made only after `other`, directly or by way of others."""
        by_urn = {it.urn: it for it in self.resources}
        open_, seen = set(resource.waits_for), set[str]()
        while open_:
            urn = open_.pop()
            if urn == other.urn:
                return True
            if urn in by_urn and urn not in seen:
                seen.add(urn)
                open_ |= by_urn[urn].waits_for
        return False

    def names(self) -> list[str]:
        return [f"{resource.type} {resource.name}" for resource in self.resources]


class Monitor(MockMonitor):
    """Pulumi's mock monitor, which also tells the recorder what a resource waits for."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the monitor's own name
        urn = self.make_urn(request.parent, request.type, request.name)
        self._recorder.asked_for(
            urn,
            frozenset(request.dependencies),
            protect=request.protect,
            ignores=frozenset(request.ignoreChanges),
            retained=request.retainOnDelete,
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def computed(type_: str, name: str) -> dict[str, Any]:
    """What AWS adds to a resource's inputs, as far as the components use it."""
    service = type_.split(":")[1].partition("/")[0]
    answers: dict[str, Any] = {
        "arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}",
        "name": name,
        "arnSuffix": f"{type_.rpartition(':')[2].lower()}/{name}/0123456789abcdef",
        "dnsName": f"{name}-1.{REGION}.elb.amazonaws.com",
        "zoneId": "Z35SXDOTRQ7X7K",
        "fqdn": f"{name}.example.com",
        "bucket": name,
        "domainValidationOptions": [
            {
                "domainName": "pactum.example.com",
                "resourceRecordName": "_0a1b.pactum.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_2c3d.acm-validations.aws.",
            }
        ],
        "address": f"{name}.abc.{REGION}.rds.amazonaws.com",
        "port": 5432,
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-1"}],
        "stdout": "0a1b2c3d",
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}",
        "repoDigest": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/pactum@{DIGEST}",
    }
    return answers


def record(
    program: Callable[[], object],
    *,
    project: str = "pactum",
    stack: str = "staging",
    preview: bool = False,
    made_before: bool = False,
    refuse: tuple[str, str] | None = None,
) -> Recorder:
    """Run `program` as a Pulumi program would be; an exception in it is kept in `error`.

    A `preview` answers nothing that only AWS knows, unless the stack was `made_before`.
    """
    recorder = Recorder(unknown=preview and not made_before, refuse=refuse)
    pulumi.runtime.set_mocks(recorder, project=project, stack=stack, preview=preview, monitor=Monitor(recorder))

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # pulumi does not type it
    def run() -> None:
        program()

    try:
        run()
    except (Exception, pulumi.RunError) as error:  # noqa: BLE001 - kept for the test to look at
        recorder.error = error
    return recorder


def resolved(output: pulumi.Output[Any]) -> Any:
    """The value of an output after `record()`; None when it is unknown, as in a preview."""
    return pulumi.runtime.sync_await._sync_await(output.future())


def stack_config(stack: str = "staging", **changes: object) -> dict[str, str]:
    """What the engine hands to the program for a stack: Pulumi.yaml's defaults, the shipped file, then `changes`.

    A change to None removes the key.
    """
    own = {key if ":" in key else f"pactum:{key}": value for key, value in changes.items()}
    return as_engine(_unchanged(stack) | own)


@functools.cache
def _unchanged(stack: str) -> dict[str, object]:
    """A stack's configuration before any change; reading YAML takes as long as a small graph."""
    return defaults(ROOT) | written(stack)


def as_engine(values: Mapping[str, object]) -> dict[str, str]:
    """Configuration as texts, the way the engine passes it: JSON for everything that is not a text."""
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


def configure(stack: str = "staging", **changes: object) -> None:
    """Select a stack's configuration for the next `record()` of a whole program."""
    pulumi.runtime.set_all_config(stack_config(stack, **changes))


def container(recorder: Recorder, name: str) -> dict[str, Any]:
    """The one container of a recorded task definition."""
    definition = recorder.only("aws:ecs/taskDefinition:TaskDefinition", name).inputs["containerDefinitions"]
    (one,) = json.loads(definition)
    return dict(one)
