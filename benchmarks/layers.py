"""An image's layers: how large each is, raw and compressed, and which of them are the app's own."""

import hashlib
import json
import tarfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.errors import MeasurementError

# What registries are sent: gzip at its usual level.
GZIP_LEVEL = 6
GZIP_WINDOW = 31
CHUNK = 1 << 20
# Where both sides keep the environment and the code; before the first layer with one of them is the runtime.
OF_THE_APP = ("app/", "opt/venv/")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer; `files` is what its files hold, as `docker image ls` counts, `raw` its tar file."""

    digest: str
    files: int
    raw: int
    compressed: int
    is_of_the_app: bool


def read(archive: Path, but_for: Collection[str] = ()) -> list[Layer]:
    """The layers of the one image in a `docker save` file, lowest first, without those with a digest of `but_for`."""
    with tarfile.open(archive) as saved:
        manifests = json.load(_member(saved, "manifest.json"))
        if len(manifests) != 1:
            raise MeasurementError(f"{archive.name} holds {len(manifests)} images instead of one.")
        digests = json.load(_member(saved, manifests[0]["Config"]))["rootfs"]["diff_ids"]
        names = manifests[0]["Layers"]
        if len(names) != len(digests):
            raise MeasurementError(f"{archive.name} has {len(names)} layers, its configuration names {len(digests)}.")
        pairs = zip(names, digests, strict=True)
        return [_layer(saved, name, digest) for name, digest in pairs if digest not in but_for]


def added(layers: list[Layer], base: Collection[str]) -> list[Layer]:
    """What an app puts on top of its runtime.

    That is all that the base image does not have. An image that has none of the base's layers brings its own runtime:
    there it begins with the first layer that holds the app's environment or code.
    """
    above = [layer for layer in layers if layer.digest not in base]
    if len(above) < len(layers):
        return above
    first = next((at for at, layer in enumerate(layers) if layer.is_of_the_app), None)
    if first is None:
        raise MeasurementError(f"no layer holds {' or '.join(OF_THE_APP)}: the app's share cannot be told.")
    return layers[first:]


def _member(saved: tarfile.TarFile, name: str) -> IO[bytes]:
    # extractfile follows the links by which older engines save a layer that occurs twice.
    found = saved.extractfile(name)
    if found is None:
        raise MeasurementError(f"{saved.name!s} lacks {name}.")
    return found


def _layer(saved: tarfile.TarFile, name: str, digest: str) -> Layer:
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
    checksum = hashlib.sha256()
    raw = compressed = 0
    with _member(saved, name) as data:
        while chunk := data.read(CHUNK):
            raw += len(chunk)
            checksum.update(chunk)
            compressed += len(compressor.compress(chunk))
    compressed += len(compressor.flush())
    if f"sha256:{checksum.hexdigest()}" != digest:
        raise MeasurementError(f"layer {digest} was not saved as it is: this engine compresses it, or it is damaged.")
    files, is_of_the_app = 0, False
    with _member(saved, name) as data, tarfile.open(fileobj=data, mode="r:") as layer:
        for entry in layer:
            files += entry.size if entry.isfile() else 0
            is_of_the_app = is_of_the_app or (entry.isfile() and entry.name.removeprefix("./").startswith(OF_THE_APP))
    return Layer(digest=digest, files=files, raw=raw, compressed=compressed, is_of_the_app=is_of_the_app)
