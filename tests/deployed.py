"""The whole program, recorded; a configuration that many tests look at is built once."""

from __future__ import annotations

import functools
import json
from typing import Any

from stacks.application import deploy
from tests.recorder import DIGEST, Recorder, configure, record


def deployed(
    stack: str = "staging", *, preview: bool = False, refuse: tuple[str, str] | None = None, **changes: Any
) -> Recorder:
    """What the program registers with an image given and `changes` to the stack's file, up to what AWS would `refuse`.

    To look at only: all who ask for the same get the same recorder. A test about what running the program does (an
    export, a second run) runs it itself, by `record()`.
    """
    return _deployed(stack, preview, refuse, json.dumps(changes))


@functools.cache
def _deployed(stack: str, preview: bool, refuse: tuple[str, str] | None, changes: str) -> Recorder:
    configure(stack, imageDigest=DIGEST, **json.loads(changes))
    return record(deploy, stack=stack, preview=preview, refuse=refuse)
