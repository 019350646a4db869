"""Series replayed against the alarms that the program registers. `make alarm-scenarios` prints what each one shows."""
