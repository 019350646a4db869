"""Building images: cold, and after one changed line; and what is in them."""

import json
import os
import re
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks import layers
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import Side, change_one_line
from rehearsal import bounded
from rehearsal.docker_client import DockerClient, last_lines

# What a person may have told the builder about another image.
NOT_OURS = frozenset({"DOCKERFILE", "TARGET", "PLATFORM", "CACHE", "PUSH"})
BUILD_SECONDS = 540
SAVE_SECONDS = 300
_CACHE_MOUNT = re.compile(r"--mount=(\S*\btype=cache\b\S*)")


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Builds both sides alike; images are named after `label` and belong to this run.

    `builder` is app_image/build: it takes the usual way's context as it takes any other.
    """

    docker: DockerClient
    builder: Path
    python_image: str
    label: str

    def reference(self, side: Side, variant: str = "built") -> str:
        return f"{self.label}-{side.name}:{variant}"

    def build(self, side: Side, context: Path, variant: str = "built", *, cold: bool = False) -> float:
        """Build one image and return the seconds it took.

        A cold build finds no layer and no download of an earlier one: the layer cache is not asked, and what would be
        kept for the next build (pip's downloads) is kept in memory and forgotten.
        """
        options = ["--no-cache"] if cold else []
        if cold:
            dockerfile = context / "Dockerfile"
            dockerfile.write_text(without_cache_mounts(dockerfile.read_text(encoding="utf-8")), encoding="utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if name not in NOT_OURS},
            **self.docker.environment,
            # The builder calls `docker`: it must find the client that works here.
            "PATH": f"{Path(self.docker.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "CONTEXT": str(context),
            "IMAGE": self.reference(side, variant),
            "PYTHON_IMAGE": self.python_image,
            "BUILDKIT_PROGRESS": "plain",
        }
        started = time.monotonic()
        done = bounded.attempt([str(self.builder), *options], timeout_seconds=BUILD_SECONDS, environment=environment)
        seconds = time.monotonic() - started
        if done.returncode:
            raise MeasurementError(f"{side.name} could not be built:\n{last_lines(done.stdout + done.stderr)}")
        return seconds

    def prepare(self, side: Side) -> None:
        """Build the image that is measured, from cache where there is one."""
        with side.context() as context:
            self.build(side, Path(context))

    def measure_cold_build(self, side: Side, samples: Samples) -> None:
        with side.context() as context:
            samples.add("cold_build_seconds", side.name, self.build(side, Path(context), "cold", cold=True))
        self.remove(side, "cold")

    def measure_rebuild(self, side: Side, samples: Samples) -> None:
        """One line changes; everything else is as in the image that was built before."""
        with side.context() as context:
            change_one_line(Path(context))
            samples.add("rebuild_seconds", side.name, self.build(side, Path(context), "rebuilt"))
        changed = self.layers(self.reference(side, "rebuilt"), but_for=self.digests(self.reference(side)))
        if not changed:
            raise MeasurementError(f"{side.name}: the rebuilt image has no new layer, so the change is not in it.")
        samples.add("rebuild_bytes", side.name, sum(layer.raw for layer in changed))
        samples.add("rebuild_compressed_bytes", side.name, sum(layer.compressed for layer in changed))
        self.remove(side, "rebuilt")

    def measure_size(self, side: Side, samples: Samples) -> None:
        """Files in all layers, as `docker image ls` counts them, and what a registry stores of them."""
        found = self.layers(self.reference(side))
        above = layers.added(found, self.digests(self.python_image))
        samples.add("size_bytes", side.name, sum(layer.files for layer in found))
        samples.add("size_added_bytes", side.name, sum(layer.files for layer in above))
        samples.add("size_compressed_bytes", side.name, sum(layer.compressed for layer in found))

    def layers(self, reference: str, but_for: Collection[str] = ()) -> list[layers.Layer]:
        with tempfile.TemporaryDirectory(prefix="pactum-benchmark-") as directory:
            archive = Path(directory) / "image.tar"
            self.docker.run("save", "--output", str(archive), reference, timeout_seconds=SAVE_SECONDS)
            return layers.read(archive, but_for)

    def digests(self, reference: str) -> list[str]:
        """The image's layers by name, without looking into them."""
        found = self.docker.run("image", "inspect", "--format", "{{json .RootFS.Layers}}", reference)
        return [str(digest) for digest in json.loads(found)]

    def remove(self, side: Side, variant: str) -> None:
        self.docker.attempt("image", "rm", "--force", self.reference(side, variant), timeout_seconds=60)


def without_cache_mounts(dockerfile: str) -> str:
    """The same Dockerfile with memory, empty at first, where build caches are mounted."""

    def in_memory(found: re.Match[str]) -> str:
        parts = dict(part.partition("=")[::2] for part in found[1].split(","))
        target = parts.get("target") or parts.get("dst") or parts.get("destination")
        if not target:
            raise MeasurementError(f"the cache mount {found[0]} has no target.")
        return f"--mount=type=tmpfs,target={target}"

    return _CACHE_MOUNT.sub(in_memory, dockerfile)
