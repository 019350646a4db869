"""A part of a stage that fails, in words: the other parts are told all the same, and the job is red."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OpsError, explain
from ops.pipeline.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping


def words(error: Exception, environment: Mapping[str, str]) -> str:
    """Return what to tell of an error; where in the program an unforeseen one was is in the log."""
    if isinstance(error, OpsError):
        return str(error)
    if isinstance(error, ClientError | BotoCoreError):
        return str(explain(error))
    told = "".join(traceback.format_exception(error))
    print(redact(told, environment), file=sys.stderr, flush=True)
    return f"A fault of this project's own, {type(error).__name__}: {error}. The job's log says where it is."
