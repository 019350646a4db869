"""app_image/layers: what the stages of the Dockerfile do with files; whole images are in tests/app/."""

from __future__ import annotations

import importlib
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from app_image.layers import seal

if TYPE_CHECKING:
    from collections.abc import Callable


def script(name: str) -> Any:
    """Import a script that finds seal.py beside itself, where it is a script."""
    sys.modules.setdefault("seal", seal)
    return importlib.import_module(f"app_image.layers.{name}")


dependencies, runtime = script("dependencies"), script("runtime")


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


def test_what_is_sealed_is_not_touched_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a layer, each touched file would be in both: sealed by one stage, and again by the next."""
    seal.main(tree, "/opt")
    (tree / "opt/new.txt").write_text("text")
    (tree / "opt/new.txt").chmod(0o600)
    touched: list[str] = []
    touch, change_mode = os.utime, Path.chmod

    def touching(path: Path, times: tuple[int, int], *, follow_symlinks: bool) -> None:
        touched.append(path.name)
        touch(path, times, follow_symlinks=follow_symlinks)

    def changing_mode(path: Path, mode: int) -> None:
        touched.append(path.name)
        change_mode(path, mode)

    monkeypatch.setattr(os, "utime", touching)
    monkeypatch.setattr(Path, "chmod", changing_mode)
    seal.main(tree)
    assert sorted(set(touched)) == ["new.txt", "opt"], "a directory's time changes with what is in it"


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


def test_what_a_stage_before_has_taken_stays_as_it_is_and_is_known(tmp_path: Path) -> None:
    base, tree = tmp_path / "base", tmp_path / "tree"
    base.mkdir()
    (base / "module.py").write_text("content")
    runtime.Root(tree).take(f"{base}/module.py")
    copy = tree / f"{base}/module.py".lstrip("/")
    os.utime(copy, (seal.TIME, seal.TIME))
    later = runtime.Root(tree)
    later.take(f"{base}/module.py")
    assert copy.stat().st_mtime == seal.TIME, "copied again, it would be in two layers"
    assert later.taken == {f"{base}/module.py"}, "else the package that it is of would not be in the bill"


def test_the_standard_library_is_taken_and_compiled_before_there_is_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, tree = tmp_path / "python3.13", tmp_path / "tree"
    (library / "test").mkdir(parents=True)
    for name in ("json.py", "test/support.py", "config.h"):
        (library / name).write_text("")
    monkeypatch.setattr(runtime.sysconfig, "get_path", lambda _: str(library))
    runtime.main(str(tree))
    found = {str(path.relative_to(tree / str(library).lstrip("/"))) for path in tree.rglob("*") if path.is_file()}
    assert found == {"json.py", f"__pycache__/json.{sys.implementation.cache_tag}.pyc"}
    assert {path.lstat().st_mtime for path in tree.rglob("*")} == {seal.TIME}


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


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Where a Python may have its pip: Debian's place, and that of the official image."""
    places = {"debian": tmp_path / "python-wheels", "bundled": tmp_path / "stdlib/ensurepip/_bundled"}
    for place in places.values():
        place.mkdir(parents=True)
    python = SimpleNamespace(
        get_path={"stdlib": str(tmp_path / "stdlib")}.get, get_config_var={"WHEEL_PKG_DIR": str(places["debian"])}.get
    )
    monkeypatch.setattr(dependencies, "sysconfig", python)
    return places


@pytest.mark.parametrize("place", ["debian", "bundled"])
def test_pip_is_the_one_that_python_brings_wherever_it_is(wheels: dict[str, Path], place: str) -> None:
    for name in ("pip-25.1-py3-none-any.whl", "setuptools-78.1-py3-none-any.whl"):
        (wheels[place] / name).write_text("")
    assert dependencies.brought_pip() == wheels[place] / "pip-25.1-py3-none-any.whl"


def test_the_official_image_knows_no_place_of_debians(wheels: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    (wheels["bundled"] / "pip-26.0-py3-none-any.whl").write_text("")
    monkeypatch.setattr(dependencies.sysconfig, "get_config_var", {}.get)
    assert dependencies.brought_pip().parent == wheels["bundled"]


@pytest.mark.usefixtures("wheels")
def test_a_python_without_pip_ends_the_build_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"PYTHON_IMAGE cannot be used: .* brings no pip: .*install python3-venv"):
        dependencies.main(str(tmp_path / "tree"), str(tmp_path / "venv"), "-r", "/requirements.txt")
    assert not (tmp_path / "venv").exists(), "nothing half-made"


@pytest.fixture
def pip(wheels: dict[str, Path]) -> Path:
    """A pip that installs one module, with a type stub, and writes down what it was asked."""
    main = wheels["bundled"] / "pip-26.0-py3-none-any.whl/pip/__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text(
        "import pathlib, sys\n"
        "site = next(pathlib.Path(sys.prefix, 'lib').glob('python3*/site-packages'))\n"
        "(site / 'shop.py').write_text('PRICE = 1')\n"
        "(site / 'shop.pyi').write_text('PRICE: int')\n"
        "(site / 'shop.asked').write_text(' '.join(sys.argv[1:]))\n"
        "sys.exit(3 if '--wrong' in sys.argv else 0)\n"
    )
    return main


@pytest.mark.usefixtures("pip")
def test_the_environment_is_a_sealed_layer_without_pip_and_without_what_shells_read(tmp_path: Path) -> None:
    tree, place = tmp_path / "tree", tmp_path / "opt/venv"
    place.mkdir(parents=True)
    place.chmod(0o1777)
    dependencies.main(str(tree), str(place), "--require-hashes", "-r", "/requirements.txt")
    made = tree / str(place).lstrip("/")
    assert {path.name for path in (made / "bin").iterdir()} == {"python", "python3", f"python3.{sys.version_info[1]}"}
    assert all(path.is_symlink() for path in (made / "bin").iterdir()), "the interpreter would be there twice"
    (site,) = (made / "lib").glob("python3*/site-packages")
    assert sorted(path.name for path in site.iterdir()) == ["__pycache__", "shop.asked", "shop.py"]
    assert (site / "shop.asked").read_text() == "install --quiet --no-compile --require-hashes -r /requirements.txt"
    (code,) = site.rglob("*.pyc")
    assert str(place).encode() in code.read_bytes()
    assert str(tree).encode() not in code.read_bytes(), "a traceback would show a place that is not there"
    assert {path.lstat().st_mtime for path in tree.rglob("*")} == {seal.TIME}
    assert stat.S_IMODE(made.stat().st_mode) == 0o755, "everybody could add a program to PATH"


@pytest.mark.usefixtures("pip")
def test_what_pip_cannot_install_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        dependencies.main(str(tmp_path / "tree"), str(tmp_path / "venv"), "--wrong")
    assert ended.value.code == 3
    assert not (tmp_path / "tree").exists()


@dataclass
class Project:
    """A project whose static files are found, with a Django that only answers what it opened."""

    place: Path
    sources: Any
    asked: int = 0
    brings: Callable[[], object] = bool
    opens: set[str] = field(default_factory=lambda: {"shop/settings.py", "shop/__init__.py"})

    @property
    def memory(self) -> Path:
        return self.place / "cache/inputs.json"

    @property
    def context(self) -> Path:
        return self.place / "context"

    def write(self, name: str, text: str = "") -> None:
        (self.context / name).parent.mkdir(parents=True, exist_ok=True)
        (self.context / name).write_text(text)

    def django(self, root: Path) -> tuple[set[Path], set[Path]]:
        self.asked += 1
        self.brings()
        return {root / name for name in self.opens}, set(root.glob("*/static"))

    def inputs(self) -> list[str]:
        found: list[str] = self.sources.static_inputs(self.context, self.memory)
        return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path, script("sources"))
    monkeypatch.setattr(made.sources, "opened_by_django", made.django)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    for name in ("manage.py", "requirements.txt", "shop/__init__.py", "shop/settings.py", "shop/views.py"):
        made.write(name, f"# {name}\n")
    made.write("shop/static/shop.css")
    made.memory.parent.mkdir()
    assert made.inputs() == ["manage.py", "shop/__init__.py", "shop/settings.py", "shop/static/shop.css"]
    assert made.asked == 1
    return made


def test_what_decides_nothing_leaves_django_alone(project: Project) -> None:
    before = project.inputs()
    project.write("shop/views.py", "changed")
    project.write("shop/page.html")
    (project.context / "shop/page.html").unlink()
    assert project.inputs() == before
    assert project.asked == 1, "importing it is half of a one-line build"


def test_a_new_static_file_in_a_known_place_is_collected_without_asking(project: Project) -> None:
    project.write("shop/static/new.css")
    assert "shop/static/new.css" in project.inputs()
    (project.context / "shop/static/shop.css").unlink()
    assert "shop/static/shop.css" not in project.inputs()
    assert project.asked == 1


@pytest.mark.parametrize(
    "changed",
    ["requirements.txt", "shop/settings.py", "shop/__init__.py", "shop/apps.py", "other/static/a.css", "other/a.html"],
)
def test_django_is_asked_again_when_something_changes_that_may_decide(project: Project, changed: str) -> None:
    project.write(changed, "changed")
    found = project.inputs()
    assert project.asked == 2
    assert ("other/static/a.css" in found) == (changed == "other/static/a.css")
    assert project.inputs() == found
    assert project.asked == 2, "the new answer is remembered"


def test_django_is_asked_again_for_other_settings_and_without_a_file_it_opened(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.others")
    project.inputs()
    assert project.asked == 2
    (project.context / "shop/settings.py").unlink()
    project.opens = {"shop/__init__.py"}
    assert "shop/settings.py" not in project.inputs()
    assert project.asked == 3


def test_django_is_asked_again_by_another_version_of_the_script(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project.sources, "__file__", str(project.context / "manage.py"))
    project.inputs()
    assert project.asked == 2, "builds of all projects on a machine share the memory"


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", "null", "{}", '{"opened": 1}', '{"opened": [], "deciding": ""}', "\xff"]
)
def test_a_damaged_memory_is_no_memory(project: Project, damaged: str) -> None:
    before = project.inputs()
    project.memory.write_text(damaged, encoding="latin-1")
    assert project.inputs() == before
    assert project.asked == 2
    assert [path.name for path in project.memory.parent.iterdir()] == ["inputs.json"], "nothing half-written is left"


def test_a_project_elsewhere_with_the_same_files_is_known(project: Project) -> None:
    """BuildKit may mount the context at another place; layers are the same either way."""
    elsewhere = project.place / "elsewhere"
    project.context.rename(elsewhere)
    assert project.sources.recall(elsewhere, project.memory) is not None


def test_byte_code_is_made_before_django_is_imported(project: Project) -> None:
    """Python 3.13 marshals a class' qualified name otherwise while such a class exists in the process."""
    project.write("deployment/__init__.py")
    compiled: list[Path] = []
    project.brings = lambda: compiled.extend(project.place.glob("sorted/*/app/**/*.pyc"))
    project.sources.main(str(project.context), str(project.place / "sorted"), str(project.memory))
    names = {path.name.partition(".")[0] for path in compiled}
    assert names == {"__init__", "manage", "settings", "views"}, "asked or recalled, the layers must be the same"
