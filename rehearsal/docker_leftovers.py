"""Removes what a rehearsal left in Docker, and looks again: what stays is told with what holds it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.docker_client import DockerClient
from rehearsal.place import Place

REMOVAL_SECONDS = 120
LOOK_SECONDS = 30
# A container that is already being removed refuses a second removal; a moment later it is gone.
ROUNDS = 3
PAUSE_SECONDS = 1.0
NO_NAME = "<none>"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of thing: how to list ours, how to remove one, and how to ask what uses one."""

    name: str
    found: Callable[[], list[str]]
    removal: tuple[str, ...]
    users: Callable[[str], list[str]]


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What of one rehearsal Docker still has, by its label or its registry's name, never by anything else."""

    place: Place
    client: DockerClient

    def remove(self) -> tuple[list[str], list[str]]:
        """Remove everything; answers what was removed and what stayed, in words."""
        removed, stayed = [], []
        for kind in self._kinds():
            before = kind.found()
            left, said = self._remove(kind, before)
            gone = len(before) - len(left)
            if gone > 0:
                removed.append(f"{gone} {kind.name}{'s' if gone > 1 else ''}")
            stayed += [self._held(kind, name, said) for name in left]
        return removed, stayed

    def _remove(self, kind: _Kind, names: list[str]) -> tuple[list[str], str]:
        said = ""
        for turn in range(ROUNDS):
            if not names:
                break
            if turn:
                time.sleep(PAUSE_SECONDS)
            done = self.client.attempt(*kind.removal, *names, timeout_seconds=REMOVAL_SECONDS)
            said = done.stderr.strip()
            names = kind.found()
        return names, said

    def _held(self, kind: _Kind, name: str, said: str) -> str:
        users = kind.users(name)
        if users:
            return f"{kind.name} {name}: used by container {', '.join(users)}"
        return f"{kind.name} {name}: {said.splitlines()[-1] if said else 'Docker did not say why'}"

    def _kinds(self) -> list[_Kind]:
        # `image rm` without --force: it takes a tag away, and refuses an image that a container still needs.
        return [
            _Kind(
                name="container",
                found=lambda: self._list("ps", "--all", "--format", "{{.Names}}", "--filter", self._label),
                removal=("rm", "--force", "--volumes"),
                users=lambda _: [],
            ),
            _Kind(
                name="network",
                found=lambda: self._list("network", "ls", "--format", "{{.Name}}", "--filter", self._label),
                removal=("network", "rm"),
                users=lambda name: self._list(
                    "network", "inspect", "--format", "{{range .Containers}}{{println .Name}}{{end}}", name
                ),
            ),
            _Kind(
                name="volume",
                found=lambda: self._list("volume", "ls", "--quiet", "--filter", self._label),
                removal=("volume", "rm"),
                users=lambda name: self._containers(f"volume={name}"),
            ),
            _Kind(name="image reference", found=self._references, removal=("image", "rm"), users=self._image_users),
            _Kind(name="untagged image", found=self._untagged, removal=("image", "rm"), users=self._image_users),
        ]

    @property
    def _label(self) -> str:
        return f"label={self.place.docker_label}"

    def _list(self, *arguments: str) -> list[str]:
        lines = self.client.run(*arguments, timeout_seconds=LOOK_SECONDS).splitlines()
        return sorted({line.strip() for line in lines if line.strip()})

    def _containers(self, by: str) -> list[str]:
        return self._list("ps", "--all", "--format", "{{.Names}}", "--filter", by)

    def _image_users(self, name: str) -> list[str]:
        return self._containers(f"ancestor={name}")

    def _references(self) -> list[str]:
        """Our registry's names only: the same image may carry a tag of the user's own, and that one stays."""
        wanted = [f"reference={self.place.registry}/{depth}" for depth in ("*", "*/*")]
        filters = [option for each in wanted for option in ("--filter", each)]
        lines = self._list("image", "ls", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}", *filters)
        references = []
        for repository, tag, digest in (line.split() for line in lines):
            if tag != NO_NAME:
                references.append(f"{repository}:{tag}")
            elif digest != NO_NAME:
                references.append(f"{repository}@{digest}")
        return sorted(set(references))

    def _untagged(self) -> list[str]:
        """Images of ours that have no name and that no container uses; an image built from ours has our label too."""
        lines = self._list(
            *("image", "ls", "--no-trunc", "--format", "{{.Repository}} {{.ID}}"),
            *("--filter", "dangling=true", "--filter", self._label),
        )
        named = [line.split() for line in lines]
        return [image for repository, image in named if repository == NO_NAME and not self._image_users(image)]
