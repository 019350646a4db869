"""Removes what a trial that was killed has left: its containers, network and image."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.docker_client import DockerClient

# The number of the process is in every name.
NAME = re.compile(r"pactum-contract[-:](?P<process>\d+)-[0-9a-f]+")
LABEL = "pactum.contract"


def remove(docker: DockerClient) -> None:
    """Remove what belongs to trials whose process is gone; those of others that run are left alone."""
    container = '{{.ID}} {{.Label "' + LABEL + '"}}'
    for kind, removal, listing in (
        (
            "container",
            ["rm", "--force", "--volumes"],
            ["ps", "--all", "--filter", f"label={LABEL}", "--format", container],
        ),
        ("network", ["rm"], ["network", "ls", "--filter", f"label={LABEL}", "--format", "{{.Name}} {{.Name}}"]),
        (
            "image",
            ["rm", "--force"],
            [
                "image",
                "ls",
                "--filter",
                "reference=pactum-contract",
                "--format",
                "{{.Repository}}:{{.Tag}} {{.Repository}}:{{.Tag}}",
            ],
        ),
    ):
        found = docker.attempt(*listing, timeout_seconds=60).stdout.splitlines()
        for each, _, name in (line.partition(" ") for line in found):
            match = NAME.fullmatch(name)
            if match and not _runs(int(match["process"])):
                docker.attempt(kind, *removal, each, timeout_seconds=120)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
