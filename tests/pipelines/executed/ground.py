"""What executed pipelines meet in the place of AWS: one rehearsal with staging and prod, and one image repository."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rehearsal import attached, children
from rehearsal.base_images import POSTGRES, STAND_IN_PREFIX
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.realisers.tools import aws_environment
from rehearsal.session import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.pipelines.model import Job

LOCKS = ".pulumi/locks/organization/pactum"
STACKS = ("staging", "prod")
STAND_IN = PROJECT_ROOT / "rehearsal/pulumi_stand_in/bin"
# Which docker a machine has where; nothing of the user's else.
SYSTEM = "/usr/local/bin:/usr/bin:/bin"
# A failing release is given up sooner than in a real stack.
QUICKLY = {"pactum:startSeconds": "4", "pactum:healthGraceSeconds": "15"}
OWN_MACHINE = 10
_OF_THE_MACHINE = ("SSL_CERT_FILE", "DOCKER_HOST", "LANG")


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The rehearsal that is up, and what bootstrap answered."""

    rehearsal: Rehearsal
    outputs: Mapping[str, Any]

    @classmethod
    @contextlib.contextmanager
    def up(cls, place: Place) -> Iterator[Ground]:
        """Start it: the account's bootstrap is done, and no stack was ever deployed."""
        with Rehearsal(stack=STACKS[0], place=place, overrides=dict(QUICKLY)) as rehearsal:
            outputs = rehearsal.bootstrap()
            for stack in STACKS[1:]:
                attached.announce(
                    rehearsal.place, stack=stack, overrides=rehearsal.overrides, docker=rehearsal.tools.docker
                )
            yield cls(rehearsal=rehearsal, outputs=outputs)

    def environment(self, job: Job, home: Path) -> dict[str, str]:
        """A job's environment before its host adds its own: credentials and Pulumi only where the job has a role."""
        place = self.rehearsal.place
        aws = aws_environment(place, self.rehearsal.region)
        given = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
        given |= {
            "HOME": str(home),
            "PATH": f"{STAND_IN}:{SYSTEM}" if job.role else SYSTEM,
            "POSTGRES_IMAGE": f"{STAND_IN_PREFIX}/{POSTGRES}",
            "REPOSITORY_URL": f"{place.registry}/pactum",
            "QA_COMMAND": "env DJANGO_ONLY=1 tests/app/run",
            # A job that rehearses does so on a machine of its own, which here are ports of its own.
            "REHEARSAL_GATEWAY_PORT": str(place.gateway_port + (0 if job.role else OWN_MACHINE)),
            "REHEARSAL_FRONT_PORT": str(place.front_port + (0 if job.role else OWN_MACHINE)),
            "NO_PROXY": aws["NO_PROXY"],
            "no_proxy": aws["no_proxy"],
            children.MARK: place.docker_label,
        }
        if job.role:
            given |= {name: value for name, value in aws.items() if name.startswith("AWS_")}
            given |= {
                "OPS_CONNECT_TO": aws["OPS_CONNECT_TO"],
                "PULUMI_BACKEND_URL": str(self.outputs["state_url"]),
                "REHEARSAL_KEPT": str(place.scratch),
            }
        return given

    def runs(self, stack: str) -> str:
        """The digest that ECS runs for a stack, asked of ECS alone; empty when nothing was ever deployed."""
        definition = self.task_definition(stack)
        if not definition:
            return ""
        described = self._ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        return str(described["containerDefinitions"][0]["image"]).partition("@")[2]

    def task_definition(self, stack: str) -> str:
        """The task definition that a stack's service is told to run; empty where there is no service."""
        try:
            found = self._ecs.describe_services(cluster=f"pactum-{stack}", services=["web"])["services"]
        except self._ecs.exceptions.ClusterNotFoundException:
            return ""
        return next((str(service["taskDefinition"]) for service in found if service["status"] == "ACTIVE"), "")

    def use(self, stack: str, task_definition: str) -> None:
        """Have a stack's service run another task definition, as a person may in AWS's console."""
        self._ecs.update_service(cluster=f"pactum-{stack}", service="web", taskDefinition=task_definition)

    def tested(self, commit: str) -> str:
        """The digest that ECR has under a commit's mark; empty when there is none."""
        ecr = self.rehearsal.tools.client("ecr")
        pages = ecr.get_paginator("describe_images").paginate(repositoryName="pactum")
        marked = [
            image["imageDigest"]
            for page in pages
            for image in page["imageDetails"]
            if f"tested-{commit}" in image.get("imageTags", [])
        ]
        return str(marked[0]) if marked else ""

    def mark(self, digest: str, commit: str, *, as_another: bool = False) -> None:
        """Give a digest the mark of one more commit, as the stage does that has tested it.

        `as_another`: what gets it has the same layers and a digest of its own, which was never deployed.
        """
        ecr = self.rehearsal.tools.client("ecr")
        image = ecr.batch_get_image(repositoryName="pactum", imageIds=[{"imageDigest": digest}])["images"][0]
        manifest = image["imageManifest"]
        which = {"imageManifest": f"{manifest}\n"} if as_another else {"imageManifest": manifest, "imageDigest": digest}
        ecr.put_image(repositoryName="pactum", imageTag=f"tested-{commit}", **which)

    def locks(self, stack: str) -> list[str]:
        """The locks of a stack's state."""
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{LOCKS}/{stack}/")
        return [each["Key"] for each in found.get("Contents", [])]

    def lock(self, stack: str) -> None:
        """Another process has the stack, on another machine."""
        holder = {"pid": 4711, "username": "runner", "hostname": "another", "timestamp": "2026-11-23T03:00:00Z"}
        self._s3.put_object(Bucket=self._bucket, Key=f"{LOCKS}/{stack}/another.json", Body=json.dumps(holder))

    def unlock(self, stack: str) -> None:
        """It has ended."""
        self._s3.delete_object(Bucket=self._bucket, Key=f"{LOCKS}/{stack}/another.json")

    @property
    def _ecs(self) -> Any:
        return self.rehearsal.tools.client("ecs")

    @property
    def _s3(self) -> Any:
        return self.rehearsal.tools.client("s3")

    @property
    def _bucket(self) -> str:
        return urlsplit(str(self.outputs["state_url"])).netloc
