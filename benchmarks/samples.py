"""Every single measurement of both sides, and the statistics that are made of them."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.errors import MeasurementError

OURS, USUAL = "ours", "usual"
# The usual way with one setting changed, beside the comparison: database connections kept for a minute.
USUAL_KEPT = "usual-kept"


@dataclass(kw_only=True)
class Samples:
    """`values[metric][side]` in the order of the runs."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, metric: str, side: str, value: float) -> None:
        self.values.setdefault(metric, {}).setdefault(side, []).append(value)

    def of(self, metric: str, side: str) -> list[float]:
        """All values of one side. MeasurementError when there are none: a missing figure is no zero."""
        found = self.values.get(metric, {}).get(side, [])
        if not found:
            raise MeasurementError(f"{metric} was not measured for {side}.")
        return found

    def has(self, metric: str, sides: Iterable[str] = (OURS, USUAL)) -> bool:
        return all(self.values.get(metric, {}).get(side) for side in sides)

    def median(self, metric: str, side: str) -> float:
        return statistics.median(self.of(metric, side))

    def ratio(self, metric: str) -> float | None:
        """Ours to usual, by medians; None where usual is nothing to divide by."""
        usual = self.median(metric, USUAL)
        return self.median(metric, OURS) / usual if usual else None
