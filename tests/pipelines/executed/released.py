"""What a push to main has left on both stacks, for tests that go on from there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.pipelines.executed.jobs import PUSH, Ran, Trigger

if TYPE_CHECKING:
    from tests.pipelines.executed.runner import Host
    from tests.pipelines.model import Job

STACKS = ("staging", "prod")


class Released:
    """One commit, tested and deployed to both stacks; `seen` is what ran when somebody was asked for an approval.

    `older` is the commit before it, of which no image was made, and `oldest` the one before that.
    """

    def __init__(self, on: Host) -> None:
        self.host, self.ground = on, on.ground
        self.older = on.scratch.commit("main", {"README.md": "before the release\n"})
        self.oldest = on.scratch.parent(self.older)
        self.commit = on.scratch.commit("main", {"README.md": "a release\n"})
        self.trigger = Trigger(kind=PUSH, branch="main", commit=self.commit)
        self.seen: list[tuple[str, ...]] = []
        self.ran = on.run(self.trigger, approve=self._approve)
        self.digest = self.ground.tested(self.commit)

    def _approve(self, _: Job) -> bool:
        self.seen.append(("asked for approval", *self.runs()))
        return True

    def runs(self) -> tuple[str, ...]:
        return tuple(self.ground.runs(stack) for stack in STACKS)

    def deploy(
        self,
        trigger: Trigger,
        stack: str = "staging",
        claims: dict[str, object] | None = None,
        *,
        shallow: bool = False,
    ) -> Ran:
        """One job that deploys, with a ci/image.json that claims something."""
        files = self.host.files()
        (files / "ci").mkdir()
        if claims is not None:
            (files / "ci/image.json").write_text(json.dumps(claims))
        return self.host.execute(self.host.job(f"deploy-{stack}", trigger), trigger, files, shallow=shallow)
