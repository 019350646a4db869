"""A stack's state and its lock as the Pulumi CLI leaves them: what a real one (3.259) wrote, cut to what is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ops.release_record import Record
from tests.ops_fakes.account import ACCOUNT
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    import pytest

LOCKS = ".pulumi/locks/organization/pactum/staging"
LOCK = f"{LOCKS}/c1ebd28f-d1de-46be-b991-eee0574b0e09.json"
STATE = ".pulumi/stacks/pactum/staging.json"
MIGRATE = "urn:pulumi:staging::pactum::pactum:index:Migration$command:local:Command::pactum-staging-migrate"
MEDIA = "urn:pulumi:staging::pactum::pactum:index:PrivateBucket$aws:s3/bucket:Bucket::pactum-staging-media"
SERVICE = "urn:pulumi:staging::pactum::pactum:index:Service$aws:ecs/service:Service::pactum-staging-web"
VALUE = "a-value-nobody-may-print"
BUCKET = f"pactum-state-{ACCOUNT}"
BACKEND = {"PULUMI_BACKEND_URL": f"s3://{BUCKET}?region=us-east-1&awssdk=v2"}


def lock(*, host: str = "runner-7", pid: int = 3367, at: str = "2026-11-22T11:45:13.081815503Z") -> bytes:
    """What a process that has the stack says of itself; ten minutes or so before the tests' clock begins."""
    return json.dumps({"pid": pid, "username": "root", "hostname": host, "timestamp": at}).encode()


def state(*pending: tuple[str, str], resources: tuple[str, ...] = ()) -> bytes:
    """A state with operations (what, URN) whose end is not known."""
    latest = {
        "manifest": {"time": "2026-11-22T11:45:20.1Z", "magic": "x", "version": ""},
        "resources": [{"urn": urn, "custom": True, "id": "x", "type": urn.split("::")[2]} for urn in resources],
        "pending_operations": [
            {"resource": {"urn": urn, "custom": True, "inputs": {"password": VALUE}}, "type": what}
            for what, urn in pending
        ],
        "metadata": {},
    }
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/pactum/staging", "latest": latest}}).encode()


GOOD = state(resources=(MEDIA,))


def world_with(**files: bytes) -> World:
    """A stack with a release memory, and these files in the bucket: `held` is a lock, `state` the state."""
    world = World()
    world.remember(Record())
    names = {"held": LOCK, "state": STATE}
    world.objects = {(BUCKET, names.get(name, name)): content for name, content in files.items()}
    return world


def ask(world: World, capsys: pytest.CaptureFixture[str], *options: str) -> Outcome:
    """Run `ops state` on staging."""
    return run_ops(world, capsys, "state", "--stack", "staging", *options, environment=BACKEND)
