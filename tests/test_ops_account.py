"""Whose account a command may act in: the one of the stack's file, unless another is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.account import ARN
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "999999999999"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: pactum\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def world() -> World:
    world = World()
    world.secret(ARN.format("secretsmanager", "secret:k"), kind="secret-key")
    return world


def test_another_account_than_the_stack_files_is_refused(
    directory: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.staging.yaml").write_text(f'config:\n  aws:allowedAccountIds: ["{OTHER}"]\n')
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--json")
    assert seen.code == 2
    assert f"is in account {OTHER} (Pulumi.staging.yaml). Nothing was done" in seen.err
    assert json.loads(seen.out)["ok"] is False, "a program must be able to read that it went wrong"
    assert [name for name, _ in world.calls] == ["GetCallerIdentity"]


def test_a_named_account_stands_above_the_stack_files(
    directory: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.staging.yaml").write_text(f'config:\n  aws:allowedAccountIds: ["{OTHER}"]\n')
    assert run_ops(world, capsys, "seed", "--stack", "staging", "--account", "123456789012").code == 0


@pytest.mark.parametrize("accounts", ["[]", '["1"]', "[123456789012, 999999999999]", "123456789012", "null"])
def test_a_stack_file_that_names_no_one_account_is_refused(
    accounts: str, directory: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.staging.yaml").write_text(f"config:\n  aws:allowedAccountIds: {accounts}\n")
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 2
    assert "Pulumi.staging.yaml: aws:allowedAccountIds" in seen.err
    assert "--account" in seen.err, "the person must read how to go on"
    assert not world.calls


def test_a_broken_stack_file_is_one_message(directory: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "Pulumi.staging.yaml").write_text("config: [")
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert (seen.code, seen.err.startswith("ops seed: Pulumi.staging.yaml cannot be read")) == (2, True)


def test_beside_another_projects_files_the_account_is_not_checked(
    directory: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.yaml").write_text("name: another\n")
    (directory / "Pulumi.staging.yaml").write_text(f'config:\n  aws:allowedAccountIds: ["{OTHER}"]\n')
    seen = run_ops(world, capsys, "seed", "--stack", "staging")
    assert seen.code == 0
    assert f"account not checked: {directory} is not the directory of project pactum" in seen.out, (
        "who relies on the check must see that there was none"
    )
    assert "--account" in seen.out


def test_a_checked_account_is_not_called_unchecked(
    directory: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.staging.yaml").write_text('config:\n  aws:allowedAccountIds: ["123456789012"]\n')
    assert "not checked" not in run_ops(world, capsys, "seed", "--stack", "staging").out
    assert "not checked" not in run_ops(world, capsys, "seed", "--stack", "staging", "--account", "123456789012").out
