"""What ends a benchmark."""

from rehearsal.errors import RehearsalError


class MeasurementError(RehearsalError):
    """Something was not measured as it was meant to be. No figure is made of it."""
