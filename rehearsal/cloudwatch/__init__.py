"""CloudWatch's rules for alarms, as pure functions. Standard library only: both interpreters run it."""
