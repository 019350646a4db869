"""What is in an image: its configuration, and every file of every layer, also what a later layer hides."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from rehearsal.saved_image import HEADER_BYTES, contents, saved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.docker_client import DockerClient

# A tar archive says so in its first header.
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
SECRETIVE = re.compile(
    r"\.env(\..+)?|\.git|id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pgpass|\.aws|\.docker|\.npmrc|\.pypirc|.+\.(key|p12|pfx|kdbx)"
)
# Made for being copied, or nobody's secret.
HARMLESS = re.compile(r"\.env\.(example|sample|template|dist)")
# Where distributions and libraries keep what looks like it.
SYSTEM = re.compile(r"^(usr/(share|lib|include)|lib|proc|sys|etc/(ssl|apt|ca-certificates))/|/(site|dist)-packages/")
PRIVATE_KEY = re.compile(rb"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----")
KEY_BYTES = 65536


@dataclass(kw_only=True)
class Contents:
    """Reads an image; each part once."""

    docker: DockerClient
    image: str
    _files: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the image says of itself."""
        config: dict[str, Any] = json.loads(self.docker.run("image", "inspect", self.image))[0]["Config"] or {}
        return config

    @cached_property
    def history(self) -> str:
        return self.docker.run("history", "--no-trunc", "--format", "{{.CreatedBy}}", self.image)

    @cached_property
    def secretive_paths(self) -> list[str]:
        """Files that look like secrets or a repository, in whatever layer."""
        return sorted(set(self._search()))

    def mode(self, path: str) -> int | None:
        """The mode of a directory or file; None where there is none."""
        member = self._copied(path)
        return None if member is None else member[0].mode

    def content(self, path: str) -> bytes | None:
        """A file's bytes, links followed; None where there is none."""
        member = self._copied(path)
        return None if member is None else member[1]

    def _copied(self, path: str) -> tuple[tarfile.TarInfo, bytes] | None:
        """One path out of a container that never runs: the image need have no program that could tell."""
        container = self.docker.run("create", self.image, "nothing").strip()
        try:
            done = subprocess.run(
                [self.docker.executable, "cp", "--follow-link", f"{container}:{path}", "-"],
                capture_output=True,
                timeout=60,
                check=False,
            )
        finally:
            self.docker.attempt("rm", "--force", "--volumes", container, timeout_seconds=60)
        if done.returncode:
            return None
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            member = archive.next()
            if member is None:
                return None
            file = archive.extractfile(member)
            return member, file.read() if file else b""

    def _search(self) -> Iterator[str]:
        with saved(self.docker, self.image) as archive:
            yield from secretive(archive)


def secretive(archive: IO[bytes]) -> Iterator[str]:
    """Suspicious paths in the layers of a `docker save`."""
    for file in contents(archive):
        start = file.peek(HEADER_BYTES)
        if start[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC:
            yield from _in_layer(file)


def _in_layer(layer: IO[bytes]) -> Iterator[str]:
    with tarfile.open(fileobj=layer, mode="r|") as members:
        for member in members:
            path = member.name.removeprefix("./").removeprefix("/")
            parts = PurePosixPath(path).parts
            if SYSTEM.search(path):
                continue
            suspicious = next(
                (part for part in parts if SECRETIVE.fullmatch(part) and not HARMLESS.fullmatch(part)), ""
            )
            if suspicious:
                yield "/" + "/".join(parts[: parts.index(suspicious) + 1])
            elif member.isfile() and member.size <= KEY_BYTES and _is_private_key(members.extractfile(member)):
                yield f"/{path}"


def _is_private_key(file: IO[bytes] | None) -> bool:
    return file is not None and PRIVATE_KEY.match(file.read(100)) is not None
