"""`ci/image.json`: what one job of a pipeline tells the next about the image. It proves nothing (see tested.py)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.pipeline.telling import DIRECTORY, keep

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "image.json"
BILL = "sbom.cdx.json"


def write(root: Path, *, digest: str, image: str, commit: str) -> Path:
    """Write it; a digest is the repository's, or the engine's own id of an image that was not pushed."""
    content = {"digest": digest, "image": image, "commit": commit, "tested": True}
    return root / keep(root, IMAGE, f"{json.dumps(content, indent=2)}\n")


def forget(root: Path) -> None:
    """Remove what an earlier run left."""
    for name in (IMAGE, BILL):
        (root / DIRECTORY / name).unlink(missing_ok=True)


def claimed(root: Path, commit: str) -> str:
    """Return the digest that the file names for a commit; empty where there is no file.

    Raises:
        OpsError: it is about another commit, or says nothing.

    """
    path = root / DIRECTORY / IMAGE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digest, about = str(content["digest"]), str(content["commit"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OpsError(
            f"{path} cannot be read: {error!r}. Nothing was deployed. `make ci-image` writes it: run the pipeline of "
            "this commit again from its first stage; by hand, remove the file.",
        ) from error
    if about != commit:
        raise OpsError(
            f"{path} is about commit {about}, and this pipeline is about {commit}. Nothing was deployed. The file is "
            "another pipeline's, or was tampered with: run the pipeline of this commit again from its first stage.",
        )
    return digest
