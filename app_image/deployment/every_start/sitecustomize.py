# ruff: noqa: INP001 - no package: Python imports it by this name from a directory of its path
"""Imported by every Python in the container, before anything else: the image's PYTHONPATH names this directory.

A container's first process has no default actions: the kernel drops a SIGTERM for which it has no handler, and a task
that is stopped while it starts would run on until it is killed. So it gets a handler that does what the default does
elsewhere; gunicorn sets its own later.
"""

# Both are part of the interpreter; `signal` and `os` would be read from their files first.
import _signal
import posix

if posix.getpid() == 1:
    _signal.signal(_signal.SIGTERM, lambda *_: posix._exit(128 + _signal.SIGTERM))  # noqa: SLF001 - nothing to clean up
