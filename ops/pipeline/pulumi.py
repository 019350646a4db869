"""The Pulumi CLI, called for one stack: previews, updates and outputs."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.pipeline import child
from ops.pipeline.event import is_on_a_host
from ops.stack_file import backend_of
from ops.state_backend import BACKEND_VARIABLE as BACKEND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ops.pipeline.child import Ran

DIGEST_KEY = "pactum:imageDigest"
NOTHING_RUNS = f"sha256:{'0' * 64}"
"""The digest to preview with, before the first deployment."""


class Pulumi:
    """One stack of the project in `root`, by way of the `pulumi` on PATH."""

    def __init__(self, stack: str, *, root: Path, environment: Mapping[str, str]) -> None:
        self._stack, self._root = stack, root
        self._environment = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def output(self, name: str) -> str | None:
        """Return one output of the last update, as text; None when there was no update, or it had no such output."""
        return self.outputs().get(name)

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the last update by their names, as text; those without a value are left out.

        Raises:
            CannotAct: the backend has no such stack, or cannot be asked.

        """
        asked = self._capture(["stack", "output", "--json", *self._which()], apart=True)
        if asked.code:
            raise CannotAct(self._refusal("stack output", asked))
        try:
            found: dict[str, object] = json.loads(asked.text or "{}")
        except ValueError as error:
            raise CannotAct(f"`pulumi stack output --json` of stack {self._stack} is no JSON: {error}.") from error
        said = {name: value for name, value in found.items() if value is not None}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}

    def preview(self, digest: str, *options: str) -> Ran:
        """Return what an update with that image would change; `options` are the CLI's own."""
        with self._stack_file() as file:
            return self._capture(["preview", *self._which(), *_with(file, digest), *options])

    def up(self, digest: str) -> int:
        """Update the stack with that image, the CLI's words as they come, and return its exit code.

        Raises:
            KeyboardInterrupt: someone asked this process to end; raised when Pulumi had ended.

        """
        told = (
            f"The update of stack {self._stack} may be half done. `python -m ops status --stack {self._stack}` shows "
            'what serves; docs/releases.md, "An interrupted update", says how to go on.'
        )
        with self._stack_file() as file:
            arguments = ["up", *self._which(), "--yes", "--skip-preview", *_with(file, digest)]
            return child.stream(
                self._command(arguments),
                directory=self._root,
                environment=self._environment,
                told=told,
                shielded=True,
            ).code

    def _which(self) -> list[str]:
        return ["--stack", self._stack, "--non-interactive", "--color", "never"]

    def _capture(self, arguments: Sequence[str], *, apart: bool = False) -> Ran:
        return child.capture(
            self._command(arguments),
            directory=self._root,
            environment=self._environment,
            told=child.NOTHING_CHANGED,
            apart=apart,
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        found = shutil.which("pulumi", path=self._environment.get("PATH"))
        if not found:
            raise CannotAct(
                "the Pulumi CLI is not on PATH. Nothing was done. Install it as https://www.pulumi.com/docs/install/ "
                "says; in a pipeline, that is a step before this one.",
            )
        if is_on_a_host(self._environment) and not (self._environment.get(BACKEND) or backend_of(self._root)):
            raise CannotAct(
                f"{BACKEND} is not set, so where Pulumi's state is kept is unknown. Nothing was done. Make it a "
                "variable of the repository's pipelines: the backend that `pulumi login` was told (docs/pipelines.md).",
            )
        return [found, *arguments]

    @contextmanager
    def _stack_file(self) -> Iterator[Path]:
        """Yield a copy of the stack's file, for Pulumi writes --config into it: the checkout stays as it is."""
        own = self._root / f"Pulumi.{self._stack}.yaml"
        with tempfile.TemporaryDirectory(prefix="pactum-stack-") as directory:
            copy = Path(directory) / own.name
            try:
                shutil.copy(own, copy)
            except OSError as error:
                raise CannotAct(
                    f"there is no readable {own.name} in {self._root}: {error.strerror}. Nothing was done. "
                    "Name a stack that has its file there, and run the stage at the top of the checkout.",
                ) from error
            yield copy

    def _refusal(self, what: str, ran: Ran) -> str:
        words = ran.reason
        if "no stack named" in words:
            return (
                f"Pulumi's backend has no stack {self._stack}: {words}\n"
                f"Nothing was done. A person begins it, once: docs/first-deployment.md, step 5. If it was, {BACKEND} "
                "names another backend than that one."
            )
        return (
            f"`pulumi {what}` of stack {self._stack} failed with exit code {ran.code}: {words}\n"
            f"Nothing was done. Check {BACKEND} and the AWS credentials of this job."
        )


def _with(file: Path, digest: str) -> list[str]:
    return ["--config-file", str(file), "--config", f"{DIGEST_KEY}={digest}"]
