"""Measures our image against the usual way to package the same app, both in one run: `python -m benchmarks`."""
