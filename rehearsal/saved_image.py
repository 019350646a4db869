"""An image as `docker save` gives it: its files, decompressed, whichever way the engine keeps its layers."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.docker_client import DockerClient

SAVE_SECONDS = 180
GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# As much of a file as tells what it is: a tar archive's first header.
HEADER_BYTES = 512


@contextmanager
def saved(docker: DockerClient, reference: str) -> Iterator[IO[bytes]]:
    """Let an image be read as one archive; RehearsalError when it could not be read to its end."""
    with subprocess.Popen([docker.executable, "save", reference], stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RehearsalError("docker save has no output")
        yield process.stdout
        if process.wait(SAVE_SECONDS):
            raise RehearsalError(f"`docker save {reference}` failed, so its layers could not be searched.")


def contents(archive: IO[bytes]) -> Iterator[io.BufferedReader[io.RawIOBase]]:
    """Each file of a saved image, layers and all, one after the other; the next ends the one before."""
    with tarfile.open(fileobj=archive, mode="r|") as members:
        for member in members:
            file = members.extractfile(member)
            if file is None:
                continue
            packed = io.BufferedReader(cast("io.RawIOBase", file))
            start = packed.peek(HEADER_BYTES)
            if start.startswith(ZSTANDARD):
                raise RehearsalError(f"{member.name} of the image is compressed by Zstandard and cannot be searched.")
            if start.startswith(GZIP):
                packed = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=packed)))
            yield packed
