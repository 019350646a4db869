"""One stack, previewed: the engine's words and events, without secrets."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ops.pipeline import preview_events
from ops.pipeline.preview_text import StackPreview, told
from ops.pipeline.pulumi import NOTHING_RUNS, Pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

PACK = "infra/guardrails/pack"
_LATEST = "release"


def running(stack: str, root: Path, environment: Mapping[str, str]) -> str:
    """Return the digest that the stack's last update made live; zeros before the first."""
    return Pulumi(stack, root=root, environment=environment).output(_LATEST) or NOTHING_RUNS


def preview(stack: str, digest: str, root: Path, environment: Mapping[str, str], *options: str) -> StackPreview:
    """Preview a stack with the program in `root`, which the guardrails' policy pack looks at, too."""
    # The engine has its events in a file for programs that drive it, and shows the option to nobody else.
    pulumi = Pulumi(stack, root=root, environment={**environment, "PULUMI_DEBUG_COMMANDS": "true"})
    with tempfile.TemporaryDirectory(prefix="pactum-preview-") as directory:
        events = Path(directory) / "events.jsonl"
        ran = pulumi.preview(digest, "--diff", "--event-log", str(events), "--policy-pack", PACK, *options)
        found = preview_events.read(events)
    return StackPreview(stack=stack, digest=digest, code=ran.code, found=found, text=told(ran.text))
