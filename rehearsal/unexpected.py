"""Turns errors nobody foresaw into one a person can act on: the machine's own, and mistakes of the rehearsal."""

import errno
import time
import traceback
from pathlib import Path

from rehearsal.errors import RehearsalError

_REMEDIES = {
    errno.EACCES: 'Make it yours (`sudo chown -R "$USER" PATH`): an earlier run as another user may have left it.',
    errno.EPERM: 'Make it yours (`sudo chown -R "$USER" PATH`): an earlier run as another user may have left it.',
    errno.ENOSPC: "Make room on that disk, for example with `docker builder prune` and `docker image prune`.",
    errno.EDQUOT: "Make room within your quota on that disk.",
    errno.EROFS: "Use a working copy on a disk that can be written to.",
}


def told(error: BaseException, scratch: Path) -> RehearsalError:
    """The error itself if it is a RehearsalError, else what to tell of it.

    An error of the machine (disk full, no permission) is told with its path and remedy; for every other one the
    traceback is written into `scratch`, or shown in the message where that fails.
    """
    if isinstance(error, RehearsalError):
        return error
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        path = error.filename or scratch
        return RehearsalError(f"{path}: {error.strerror}.", remedy=_REMEDIES[error.errno].replace("PATH", str(path)))
    summary = f"An unexpected error, {type(error).__name__}: {error}"
    text = "".join(traceback.format_exception(error))
    log = scratch / "traceback.log"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        log.write_text(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{text}", encoding="utf-8")
    except OSError:
        return RehearsalError(f"{summary}\n{text}")
    return RehearsalError(summary, remedy=f"Report it with {log}.")
