"""What an update had begun when it was killed, read from a state in each form that the CLI writes."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.pending_operations import PendingOperation, pending_operations
from ops.stack import Stack
from ops.state_backend import Directory
from tests.ops_fakes.pulumi_state import MEDIA, MIGRATE, SERVICE, STATE, state

if TYPE_CHECKING:
    from pathlib import Path

STACK = Stack(project="pactum", name="staging")


def read(tmp_path: Path, content: bytes, end: str = "") -> list[PendingOperation] | None:
    file = tmp_path / f"{STATE}{end}"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return pending_operations(Directory(root=tmp_path), STACK)


def test_a_compressed_state_is_read_too(tmp_path: Path) -> None:
    found = read(tmp_path, gzip.compress(state(("creating", MEDIA))), ".gz")
    assert found == [PendingOperation(operation="creating", urn=MEDIA, made_since=False)]


def test_a_form_that_python_cannot_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotAct, match="zstd"):
        read(tmp_path, b"\x28\xb5\x2f\xfd", ".zst")


def test_a_stack_without_a_state_is_none_and_one_that_was_only_begun_has_nothing_pending(tmp_path: Path) -> None:
    assert pending_operations(Directory(root=tmp_path), STACK) is None
    begun = b'{"version": 3, "checkpoint": {"stack": "organization/pactum/staging", "latest": null}}'
    assert read(tmp_path, begun) == []


@pytest.mark.parametrize(
    ("operation", "asks"), [("creating", True), ("updating", False), ("deleting", False), ("reading", False)]
)
def test_only_a_creation_asks_for_a_person(operation: str, asks: bool) -> None:
    """Of all others the next update's refresh asks AWS; a creation has no id yet to ask for."""
    assert PendingOperation(operation=operation, urn=MEDIA, made_since=False).needs_a_person is asks


@pytest.mark.parametrize(
    ("urn", "is_command"),
    [
        (MIGRATE, True),
        ("urn:pulumi:staging::pactum::command:local:Command::x", True),
        (SERVICE, False),
        ("urn:pulumi:staging::pactum::aws:s3/bucket:Bucket::command:local:Command", False),
    ],
)
def test_a_step_of_the_update_is_told_from_a_thing_in_aws(urn: str, is_command: bool) -> None:
    assert PendingOperation(operation="creating", urn=urn, made_since=False).of_a_command is is_command
