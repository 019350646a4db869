"""Where a command's words go within an update: to a file, the terminal, standard error, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import transcript
from tests.ops_fakes.world import World, run_ops


def test_within_an_update_without_file_and_terminal_words_go_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(transcript, "TERMINAL", tmp_path / "no" / "tty")
    world = World()
    world.secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:k", kind="secret-key")
    seen = run_ops(world, capsys, "seed", "--stack", "staging", environment={"PACTUM_WITHIN_UPDATE": "1"})
    assert (seen.code, seen.out, seen.err) == (0, "seeded: secret-key\n", "")


def test_within_an_update_words_go_to_the_terminal_when_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terminal = tmp_path / "tty"
    monkeypatch.setattr(transcript, "TERMINAL", terminal)
    world = World()
    world.secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:k", kind="secret-key")
    run_ops(world, capsys, "seed", "--stack", "staging", environment={"PACTUM_WITHIN_UPDATE": "1"})
    assert "put a first value" in terminal.read_text()


@pytest.mark.parametrize(
    ("to", "terminal", "expected"),
    [("stderr", "no/tty", True), ("stderr", "tty", False), ("", "no/tty", False)],
)
def test_without_a_terminal_words_go_to_standard_error_where_the_program_allows_it(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    to: str,
    terminal: str,
    expected: bool,
) -> None:
    """In a pipeline there is no terminal, and a verdict takes minutes."""
    monkeypatch.setattr(transcript, "TERMINAL", tmp_path / terminal)
    world = World()
    world.secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:k", kind="secret-key")
    environment = {"PACTUM_WITHIN_UPDATE": "1", "OPS_PROGRESS": to}
    seen = run_ops(world, capsys, "seed", "--stack", "staging", environment=environment)
    assert (seen.code, seen.out) == (0, "seeded: secret-key\n"), "standard output is the command's constant answer"
    assert ("put a first value" in seen.err) is expected
    environment |= {"OPS_TRANSCRIPT": str(tmp_path / "log")}
    assert run_ops(world, capsys, "seed", "--stack", "staging", environment=environment).err == "", "a file is enough"


def test_a_transcript_that_cannot_be_written_is_refused_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = World()
    environment = {"PACTUM_WITHIN_UPDATE": "1", "OPS_TRANSCRIPT": str(tmp_path / "no" / "file")}
    seen = run_ops(world, capsys, "seed", "--stack", "staging", environment=environment)
    assert seen.code == 2
    assert "OPS_TRANSCRIPT" in seen.err
    assert not world.calls


def test_a_terminal_that_goes_away_does_not_end_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/full takes the open and refuses every write, as a closed terminal does."""
    monkeypatch.setattr(transcript, "TERMINAL", Path("/dev/full"))
    world = World()
    world.secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:k", kind="secret-key")
    seen = run_ops(world, capsys, "seed", "--stack", "staging", environment={"PACTUM_WITHIN_UPDATE": "1"})
    assert (seen.code, seen.out) == (0, "seeded: secret-key\n")
