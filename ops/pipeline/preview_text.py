"""One stack's part of the comment: what a reviewer must know first, then the counts, then everything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ops.pipeline.markdown import code, fenced, plain, sentence, shortened
from ops.pipeline.migration_plan import Plan
from ops.pipeline.preview_events import CREATE, DELETE, REPLACE, UPDATE, Change, Previewed
from ops.pipeline.pulumi import NOTHING_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ops.pipeline.migration_risks import Risk

# A list longer than this is read by nobody; the whole is in the details, and in the artifact.
_LISTED = 15
# What is lost, and which rules are broken, must not be in the part that a host's limit cuts off.
_MUST_BE_SEEN = 40
_LONGEST = 600
_LONGEST_NAME = 200
# The engine's noise: which provider made a thing, and that it was asked how it is.
_NOISE = re.compile(r"^\s*\[provider=|^warning: using pulumi-resource-")
_REFRESHED = re.compile(r"^\s*~ \S+: \(refresh\)$")
_RULE = re.compile(r"\((G\d+), ")


@dataclass(frozen=True, kw_only=True)
class StackPreview:
    """What was found out about one stack. `text` is the engine's own words; `error`, why there are none."""

    stack: str
    digest: str = NOTHING_RUNS
    code: int = 0
    found: Previewed = field(default_factory=Previewed)
    text: str = ""
    plan: Plan = field(default_factory=Plan)
    error: str = ""

    @property
    def violations(self) -> tuple[str, ...]:
        """Broken rules in words: those of the policy pack, and what the program itself refused."""
        by_pack = [each.text for each in self.found.violations]
        by_program = [line for error in self.found.errors for line in error.splitlines() if _RULE.search(line)]
        return tuple(dict.fromkeys([*by_pack, *by_program]))

    @property
    def fails(self) -> bool:
        """Whether an update would end red, as far as anybody can tell beforehand."""
        return bool(self.code or self.error or self.violations or self.plan.fails)


def head(preview: StackPreview) -> str:
    """What stands above the details: it is never cut, and kept short by itself."""
    return "\n\n".join(each for each in _parts(preview) if each)


def drift_head(preview: StackPreview) -> str:
    """What stands above the details where nothing was to change."""
    changes = preview.found.changes
    if preview.error or not changes:
        return f"### {code(preview.stack)}: could not be looked at\n\n{_failure(preview)}"
    parts = [f"### {code(preview.stack)}: {len(changes)} drifted"]
    if preview.found.errors:
        parts += ["**Not all of it was looked at, so there may be more.**", _failure(preview)]
    if preview.violations:
        parts.append(_guardrails(preview))
    lost = [change for change in changes if change.loses_data]
    listed = _list([_change(each) for each in sorted(changes, key=lambda change: change not in lost)])
    return "\n\n".join([*parts, f"To be again as the program says:\n\n{listed}"])


def details(text: str) -> str:
    """Fold the engine's words away."""
    return f"<details><summary>Preview</summary>\n\n{fenced(text, 'diff')}\n\n</details>"


def told(text: str) -> str:
    """Return the engine's words without noise, and with its marks at the beginning of lines, where they get colours."""
    kept: list[str] = []
    after_refresh = False
    for line in plain(text).splitlines():
        if _REFRESHED.match(line):
            after_refresh = True
        elif after_refresh and line.strip().startswith(("[id=", "[urn=", "[provider=")):
            continue
        elif not _NOISE.match(line):
            after_refresh = False
            kept.append(re.sub(r"^(\s+)([-+~])(?= )", r"\2\1", line))
    return "\n".join(kept)


def _parts(preview: StackPreview) -> Iterator[str]:
    state = "would fail" if preview.fails else "no changes" if not _changes(preview) else "changes"
    yield f"### {code(preview.stack)}: {state}"
    yield _failure(preview)
    yield _losses(preview)
    yield _counts(preview)
    yield _guardrails(preview)
    yield "Migrations: not looked at." if preview.error else migrations(preview.plan)


def _changes(preview: StackPreview) -> bool:
    return bool(preview.found.changes or preview.plan.names or not preview.found.told)


def _failure(preview: StackPreview) -> str:
    if preview.error:
        return f"**The preview could not be made:**\n\n{fenced(preview.error[-_LONGEST * 3 :])}"
    if not preview.code:
        return ""
    errors = "\n".join(each for each in preview.found.errors if not _RULE.search(each)) or ""
    why = errors or ("" if preview.violations else preview.text[-_LONGEST:])
    return f"**The preview fails** (exit code {preview.code})" + (f":\n\n{fenced(why[: _LONGEST * 3])}" if why else ".")


def _losses(preview: StackPreview) -> str:
    lost = [change for change in preview.found.changes if change.loses_data]
    if not lost:
        return ""
    listed = _list([f"**{_change(change)}**" for change in lost], _MUST_BE_SEEN)
    return f"**Data or history would be lost:**\n\n{listed}"


def _change(change: Change) -> str:
    why = f" because of {', '.join(_name(key) for key in change.keys[:5])}" if change.operation == REPLACE else ""
    return f"{change.operation} {_name(change.name)} ({_name(change.type)}){why}"


def _name(text: str) -> str:
    return code(shortened(text, _LONGEST_NAME))


def _counts(preview: StackPreview) -> str:
    found = preview.found
    if preview.error:
        return ""
    if not found.told:
        return "The engine did not say how many resources would change: read its words below."
    first = " It was never deployed: this would make all of it." if preview.digest == NOTHING_RUNS else ""
    line = ", ".join(f"{found.count(operation)} to {operation}" for operation in (CREATE, UPDATE, REPLACE, DELETE))
    # A component is but a name for what is in it.
    things = [change for change in found.changes if not change.loses_data and not change.type.startswith("pactum:")]
    going = [change for change in things if change.operation in {REPLACE, DELETE}]
    return f"Resources: {line}.{first}" + (f"\n\n{_list([_change(each) for each in going])}" if going else "")


def _guardrails(preview: StackPreview) -> str:
    broken = preview.violations
    if broken:
        listed = _list([code(each[:_LONGEST]) for each in broken], _MUST_BE_SEEN)
        return f"**Guardrails: {len(broken)} broken.**\n\n{listed}"
    if preview.error or not preview.found.rules:
        return "Guardrails: not looked at."
    return f"Guardrails: {len(preview.found.rules)} rules looked at, none broken."


def migrations(plan: Plan) -> str:
    """What would be migrated, and what users and the release that runs now would notice of it."""
    if plan.unknown:
        return f"**Migrations: what would be migrated is not known:**\n\n{fenced(plan.unknown[-_LONGEST * 3 :])}"
    if not plan.names:
        return "Migrations: none."
    number = f"{len(plan.names)} migration{'s' * (len(plan.names) != 1)}"
    lines = [f"Migrations: {number}{', in an empty database' if plan.first else f': {_names(plan.names)}'}."]
    if not plan.looked and not plan.first:
        lines.append(
            "What they do was not looked at: the image has no `manage.py migration_plan`. Copy `app_image/deployment/` "
            "into it anew (docs/app-contract.md)."
        )
    elif not plan.risks and not plan.first:
        lines.append("Tried on tables like the stack's: nobody waits for long, and the release that runs now goes on.")
    breaking = [risk for risk in plan.risks if risk.breaks]
    if breaking:
        lines.append("**While it is deployed, users would see errors or wait:**\n\n" + _risks(breaking))
    if others := [risk for risk in plan.risks if not risk.breaks]:
        lines.append("To know beforehand:\n\n" + _risks(others))
    if plan.untried:
        lines.append(f"**Not tried, because of the failure:** {_names(plan.untried)}")
    return "\n\n".join(lines)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(_name(name) for name in names[:_LISTED]) + more


def _risks(found: Sequence[Risk]) -> str:
    return _list([_risk(each) for each in found])


def _risk(risk: Risk) -> str:
    # Names of tables and words of others are in all of it but the remedy, which is ours or squawk's: so it is code.
    statement = f"\n  {code(risk.statement[:_LONGEST])}" if risk.statement else ""
    return f"{_name(risk.migration)}: {code(risk.what[:_LONGEST])}{statement}\n  *What to do:* {sentence(risk.remedy)}"


def _list(items: Sequence[str], most: int = _LISTED) -> str:
    more = [f"and {len(items) - most} more, see below"] if len(items) > most else []
    return "\n".join(f"- {item}" for item in [*items[:most], *more])
