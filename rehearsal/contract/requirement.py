"""What docs/app-contract.md asks of an image, one requirement at a time, and what was found of each."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rehearsal.contract.trial import Trial


class MissingError(Exception):
    """The image lacks what a requirement asks; the message says what was found instead, and where."""


class UntriedError(Exception):
    """The requirement could not be tried; the message says why."""


class Verdict(enum.Enum):
    """What was found. A lacking ADVICE prevents no deployment."""

    OK = "ok"
    MISSING = "MISSING"
    ADVICE = "advice"
    UNTRIED = "untried"


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One sentence of the contract. `check` raises MissingError or UntriedError; `remedy` says what to change then."""

    topic: str
    name: str
    remedy: str
    check: Callable[[Trial], None]
    advice: bool = False


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one requirement; `detail` is what was found instead, or why it was not tried."""

    requirement: Requirement
    verdict: Verdict
    detail: str = ""

    @property
    def fails(self) -> bool:
        return self.verdict is Verdict.MISSING

    def lines(self) -> list[str]:
        """How a person is told."""
        first = f"  {self.verdict.value:<8} {self.requirement.name}"
        if self.verdict is Verdict.OK:
            return [first]
        told = [f"           {line}" for line in self.detail.splitlines()]
        if self.verdict is Verdict.UNTRIED:
            return [first, *told]
        return [first, *told, f"           What to do: {self.requirement.remedy}"]


def examine(requirements: Iterable[Requirement], trial: Trial, tell: Callable[[str], None]) -> list[Finding]:
    """Try every requirement, whatever became of those before; each is told as soon as it is known."""
    findings: list[Finding] = []
    topic = ""
    for requirement in requirements:
        if requirement.topic != topic:
            topic = requirement.topic
            tell(f"\n{topic}")
        finding = _finding(requirement, trial)
        findings.append(finding)
        tell("\n".join(finding.lines()))
    return findings


def _finding(requirement: Requirement, trial: Trial) -> Finding:
    try:
        requirement.check(trial)
    except MissingError as missing:
        verdict = Verdict.ADVICE if requirement.advice else Verdict.MISSING
        return Finding(requirement=requirement, verdict=verdict, detail=str(missing))
    except UntriedError as untried:
        return Finding(requirement=requirement, verdict=Verdict.UNTRIED, detail=str(untried))
    return Finding(requirement=requirement, verdict=Verdict.OK)


def summary(findings: list[Finding]) -> str:
    """The last line."""
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    if counts[Verdict.MISSING]:
        return f"The image does not keep the contract: {told}."
    return f"The image keeps the contract: {told}."
