"""rehearsal-report/report.json: what a rehearsal found, for people and pipelines."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.progress import Phase


@dataclass(kw_only=True)
class Report:
    """Filled while the rehearsal goes on, and written whatever its end.

    `changed` is how many resources a second update with nothing new changed (None when there was none), `smoke` maps a
    check to `ok` or to what it found, `drills` are the outcomes of rehearsal/drills/, `declared` and `not_rehearsed`
    say what was accepted without effect, and why; `operator_values` which secrets a person would have given a value.
    """

    stack: str
    ok: bool = False
    url: str = ""
    digest: str = ""
    resources: dict[str, int] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    not_rehearsed: dict[str, str] = field(default_factory=dict)
    extensions: list[dict[str, Any]] = field(default_factory=list)
    overrides: dict[str, str] = field(default_factory=dict)
    operator_values: dict[str, str] = field(default_factory=dict)
    changed: int | None = None
    smoke: dict[str, str] = field(default_factory=dict)
    releases: list[dict[str, Any]] = field(default_factory=list)
    drills: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    def write(self, path: Path, phases: list[Phase]) -> None:
        """Write the report as JSON."""
        content = {**asdict(self), "phases": [{"name": phase.name, "seconds": phase.seconds} for phase in phases]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def rows(self, phases: list[Phase]) -> dict[str, str]:
        """The same for the table at the end, short."""
        slowest = sorted(phases, key=lambda phase: -phase.seconds)[:4]
        rows = {
            "URL": self.url,
            "digest": self.digest,
            "resources": f"{sum(self.resources.values())} resources of {len(self.resources)} types",
            "smoke": ", ".join(f"{name} {'ok' if found == 'ok' else 'FAILED'}" for name, found in self.smoke.items()),
            "time": f"{sum(phase.seconds for phase in phases):.0f} s; longest: "
            + ", ".join(f"{phase.name} {phase.seconds:.0f} s" for phase in slowest),
            "second up": "" if self.changed is None else f"{self.changed} resources changed",
            "operator's secrets": ", ".join(f"{name} ({source})" for name, source in self.operator_values.items()),
            "declared only": "; ".join(f"{name} ({reason})" for name, reason in sorted(self.declared.items()))
            or "nothing",
            "not rehearsed": "; ".join(sorted(self.not_rehearsed)),
            "extensions": ", ".join(str(extension.get("name")) for extension in self.extensions),
        }
        return {name: value for name, value in rows.items() if value}
