"""app_image/layers: what the stages of the Dockerfile do with files; whole images are in tests/app/."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from app_image.layers import runtime, seal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package = tmp_path / "tree/opt/package"
    package.mkdir(parents=True)
    (package / "module.py").write_text("VALUE = 1\n")
    (package / "tool").write_text("#!/bin/sh\n")
    (package / "tool").chmod(0o700)
    (package / "secretive.txt").write_text("text")
    (package / "secretive.txt").chmod(0o600)
    (package / "link").symlink_to("module.py")
    return tmp_path / "tree"


def test_a_sealed_tree_has_one_time_and_is_readable_by_everybody(tree: Path) -> None:
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    seal.main(tree, "/opt")
    everything = list(tree.rglob("*"))
    assert {path.lstat().st_mtime for path in everything} == {seal.TIME}
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in everything if not path.is_symlink()}
    assert (modes["package"], modes["tool"], modes["secretive.txt"], modes["module.py"]) == (0o755, 0o755, 0o644, 0o644)
    assert modes["tmp"] == 0o1777, "the app could not write where it must"


def test_byte_code_names_the_place_of_the_running_container_and_is_never_checked(tree: Path) -> None:
    seal.main(tree, "/opt")
    (code,) = tree.rglob("*.pyc")
    content = code.read_bytes()
    assert content[4:8] == b"\1\0\0\0", "a start would read the source too"
    assert b"/opt/package/module.py" in content
    assert str(tree).encode() not in content, "a traceback would show a place that is not there"


def test_tidying_removes_what_nothing_reads_and_nothing_else(tree: Path) -> None:
    for name in ("django.po", "ext.pyx", "lib.a", "types.pyi", "django.mo", "lib.so.1", "py.typed"):
        (tree / name).write_text("")
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__/old.pyc").write_text("")
    seal.tidy(tree)
    assert sorted(path.name for path in tree.iterdir()) == ["django.mo", "lib.so.1", "opt", "py.typed"]


def test_taking_a_file_takes_every_link_on_the_way(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "usr/lib/python3").mkdir(parents=True)
    (base / "usr/lib/python3/real").write_text("content")
    (base / "usr/lib/python").symlink_to("python3")
    (base / "lib").symlink_to("usr/lib")
    (base / "name").symlink_to(f"{base}/lib/python/real")
    root = runtime.Root(tmp_path / "tree")
    root.take(f"{base}/name")
    taken = tmp_path / "tree" / str(base).lstrip("/")
    assert (taken / "name").readlink() == base / "lib/python/real"
    assert str((taken / "lib").readlink()) == "usr/lib"
    assert str((taken / "usr/lib/python").readlink()) == "python3"
    assert (taken / "usr/lib/python3/real").read_text() == "content"
    taken_for_the_records = {f"{base}/name", f"{base}/lib", f"{base}/usr/lib/python", f"{base}/usr/lib/python3/real"}
    assert taken_for_the_records <= root.taken


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("/usr/lib/python3.13/test", True),
        ("/usr/lib/python3.13/config-3.13-x86_64-linux-gnu", True),
        ("/usr/local/lib/python3.13/site-packages", True),
        ("/usr/lib/python3.13/lib-dynload/_testcapi.cpython-313-x86_64-linux-gnu.so", True),
        ("/usr/lib/python3.13/lib-dynload/xxlimited.cpython-313-x86_64-linux-gnu.so", True),
        ("/usr/lib/python3.13/ensurepip", True),
        ("/usr/lib/python3.13/unittest", False),
        ("/usr/lib/python3.13/doctest.py", False),
        ("/usr/lib/python3.13/lib-dynload/_sqlite3.cpython-313-x86_64-linux-gnu.so", False),
        ("/usr/lib/python3.13/configparser.py", False),
    ],
)
def test_of_the_standard_library_only_what_no_server_imports_is_left_out(path: str, left_out: bool) -> None:
    assert bool(runtime.LEFT_OUT.search(path)) == left_out


def test_a_library_that_is_not_there_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ldd").write_text('#!/bin/sh\nprintf "/venv/ext.so:\\n\\tlibpq.so.5 => not found\\n"; exit 1\n')
    (tmp_path / "ldd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(runtime.UnfitBaseError, match=r"/venv/ext.so needs libpq.so.5, which is not there: install"):
        runtime.libraries(["/venv/ext.so"])


@pytest.mark.parametrize(
    ("lacking", "told"),
    [("DPKG", "use an image on Debian"), ("BUNDLE", "install ca-certificates"), ("TIME_ZONES", "install tzdata")],
)
def test_a_base_that_lacks_something_ends_the_build_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, told: str
) -> None:
    for name, needed in (("DPKG", "status"), ("BUNDLE", ""), ("TIME_ZONES", "UTC")):
        place = tmp_path / name
        if name != lacking:
            (place / needed).parent.mkdir(parents=True, exist_ok=True)
            (place / needed).write_text("")
        monkeypatch.setattr(runtime, name, place)
    with pytest.raises(SystemExit, match=rf"PYTHON_IMAGE cannot be used: it has no {re.escape(str(tmp_path))}.*{told}"):
        runtime.main(str(tmp_path / "tree"), str(tmp_path / "venv"))
    assert not (tmp_path / "tree").exists(), "nothing half-made"
