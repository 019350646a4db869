"""What it costs a month to watch a stack: `python -m rehearsal.cost STACK`."""
