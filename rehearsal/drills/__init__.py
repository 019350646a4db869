"""Failure scenarios, each played in the rehearsal while users keep asking: `python -m rehearsal drills`."""
