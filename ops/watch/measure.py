"""What is measured: a number of one moment, as CloudWatch takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One metric's value."""

    name: str
    value: float
    unit: StandardUnitType = "Count"
    dimensions: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        of = ", ".join(f"{name} {value}" for name, value in self.dimensions.items())
        return f"{self.name}{f' ({of})' if of else ''} = {self.value:g}"

    def datum(self, at: dt.datetime) -> MetricDatumTypeDef:
        """The same, as PutMetricData takes it."""
        return {
            "MetricName": self.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            "Timestamp": at,
            "Value": self.value,
            "Unit": self.unit,
        }


def publish(cloudwatch: CloudWatchClient, namespace: str, at: dt.datetime, measures: Sequence[Measure]) -> None:
    """Publish all of one moment in one request: each costs the same, and takes a thousand."""
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[measure.datum(at) for measure in measures])
