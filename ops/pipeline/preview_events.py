"""What a preview found, read from the engine's own events and not from words that a resource's name could forge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CREATE, UPDATE, REPLACE, DELETE = "create", "update", "replace", "delete"
# A replacement has three steps in the engine, and is one change to a person.
_OPERATIONS = {
    "create": CREATE,
    "import": CREATE,
    "update": UPDATE,
    "replace": REPLACE,
    "create-replacement": REPLACE,
    "delete-replaced": REPLACE,
    "import-replacement": REPLACE,
    "delete": DELETE,
    "discard": DELETE,
}
_ROOT = "pulumi:pulumi:Stack"
# What loses what is in it, or what others know it by, when it is made anew. By the beginning of the type.
STATEFUL = (
    *("aws:rds/instance:", "aws:rds/cluster:", "aws:rds/clusterInstance:", "aws:rds/globalCluster:"),
    *("aws:rds/snapshot:", "aws:rds/clusterSnapshot:", "aws:s3/bucket:", "aws:s3/bucketV2:"),
    *("aws:s3/bucketVersioning:", "aws:dynamodb/table", "aws:secretsmanager/secret", "aws:kms/key", "aws:efs/"),
    *("aws:ecr/repository", "aws:elasticache/", "aws:cloudwatch/logGroup", "aws:sqs/queue", "aws:backup/vault"),
    *("aws:opensearch/", "aws:docdb/", "aws:neptune/", "aws:fsx/", "aws:ebs/volume", "aws:kinesis/stream"),
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that an update would change; `keys` are the properties that do not leave it as it is."""

    operation: str
    type: str
    name: str
    keys: tuple[str, ...] = ()

    @property
    def loses_data(self) -> bool:
        """Whether what it holds would be gone, or would have to be brought over."""
        holds = self.type.startswith(STATEFUL)
        return holds and self.operation in {DELETE, REPLACE}


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One rule of the guardrails that a resource breaks."""

    rule: str
    text: str
    mandatory: bool


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """What an update would do. `told` is false when the engine told nothing: then nobody has counted."""

    changes: tuple[Change, ...] = ()
    violations: tuple[Violation, ...] = ()
    rules: tuple[str, ...] = ()
    """The rules that were looked at."""
    errors: tuple[str, ...] = ()
    told: bool = False

    def count(self, operation: str) -> int:
        """How many resources are changed in this way."""
        return sum(change.operation == operation for change in self.changes)


def read(path: Path) -> Previewed:
    """Read the file of `pulumi preview --event-log`; one that is absent or empty tells nothing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Previewed()
    events = [found for line in lines if isinstance(found := _parsed(line), dict)]
    changes: dict[str, Change] = {}
    violations: dict[tuple[str, str], Violation] = {}
    rules: set[str] = set()
    errors: list[str] = []
    for event in events:
        _note_change(changes, (event.get("resourcePreEvent") or {}).get("metadata") or {})
        if policy := event.get("policyEvent"):
            found = _violation(policy)
            violations[(found.rule, str(policy.get("resourceUrn", "")) + found.text)] = found
        for key in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            summary = event.get(key) or {}
            rules |= {*(summary.get("passed") or ()), *(summary.get("failed") or ())}
        said = event.get("diagnosticEvent") or {}
        if said.get("severity") == "error" and str(said.get("message", "")).strip():
            errors.append(str(said["message"]).strip())
    return Previewed(
        changes=tuple(changes.values()),
        violations=tuple(violations.values()),
        rules=tuple(sorted(rules)),
        errors=tuple(dict.fromkeys(errors)),
        told=bool(events),
    )


def _note_change(changes: dict[str, Change], step: dict[str, Any]) -> None:
    urn, operation = str(step.get("urn", "")), _OPERATIONS.get(str(step.get("op", "")))
    type_ = str(step.get("type") or urn.split("::")[2:3] or "")
    if not operation or type_ == _ROOT:
        return
    known = changes.get(urn)
    keys = tuple(str(key) for key in (step.get("keys") or step.get("diffs") or ()))
    changes[urn] = Change(
        operation=operation, type=type_, name=urn.rpartition("::")[2], keys=keys or (known.keys if known else ())
    )


def _violation(policy: dict[str, Any]) -> Violation:
    return Violation(
        rule=str(policy.get("policyName", "")),
        text=str(policy.get("message", "")).strip(),
        mandatory=policy.get("enforcementLevel") == "mandatory",
    )


def _parsed(line: str) -> object:
    try:
        found: object = json.loads(line)
    except ValueError:
        return None
    return found
