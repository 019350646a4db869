"""app_image/sbom.py: what an image holds, and whether that is all."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from app_image import sbom

METADATA = "opt/venv/lib/python3.13/site-packages/some_thing-1.0.dist-info"
INSIDE = '{"components": [{"purl": "pkg:rpm/centos/inside@2"}, {"purl": "pkg:pypi/some_thing@1.0?file_name=a"}]}'
ROOT = Path(__file__).parents[1]
# A client that can build, and has one image: of files that no build of ours made.
CLIENT = """#!/bin/bash
echo "$*" >>"$(dirname "$0")/calls"
case "$1 $2 $3" in
  "version "*) echo "20.10.24 20.10.24" ;;
  "buildx "*) exit 1 ;;
  "image inspect foreign:1") echo '[{"Id": "sha256:1", "Created": "2026-01-02T03:04:05Z", "Config": {}}]' ;;
  "create foreign:1 nothing") echo container ;;
  "export container ") [ -z "$BROKEN" ] || { echo "Error: disk full" >&2; exit 1; }; tar -c -C / etc/passwd ;;
  "rm "*) ;;
  *) echo "Error: No such image: $3" >&2; exit 1 ;;
esac
"""
IMAGE = {"Id": "sha256:1", "Created": "2026-01-02T03:04:05.6Z", "Config": {"Labels": None}}


def contents(**more: str) -> sbom.Contents:
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="13"\n',
        "usr/lib/libz.so.1": "",
        "var/lib/dpkg/status.d/zlib1g": "Package: zlib1g\nArchitecture: amd64\nVersion: 1:1.3\n",
        "var/lib/dpkg/status.d/zlib1g.list": "/usr/lib/libz.so.1\n/etc/os-release\n",
        f"{METADATA}/METADATA": "Name: Some_Thing\nVersion: 1.0\n\nLong.\n",
        f"{METADATA}/RECORD": "some_thing/__init__.py,sha256=x,0\nsome_thing-1.0.dist-info/METADATA,,\n"
        "some_thing-1.0.dist-info/RECORD,,\nsome_thing-1.0.dist-info/sboms/a.cdx.json,,\n../../../bin/thing,,\n",
        f"{METADATA}/sboms/a.cdx.json": INSIDE,
        "opt/venv/lib/python3.13/site-packages/some_thing/__init__.py": "",
        "opt/venv/bin/thing": "",
        "app/manage.py": "",
        **more,
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    file.seek(0)
    return sbom.Contents(tarfile.open(fileobj=file))


def purls(**more: str) -> set[str]:
    return {str(component.purl) for component in sbom.bill(contents(**more), IMAGE, "it").components}


def test_a_bill_lists_debians_packages_pythons_and_what_wheels_bring() -> None:
    assert purls() == {
        "pkg:deb/debian/zlib1g@1:1.3?arch=amd64&distro=debian-13",
        "pkg:pypi/some-thing@1.0",
        "pkg:rpm/centos/inside@2",
    }


def test_python_that_no_package_owns_is_listed_with_the_version_of_the_environment() -> None:
    more = {"usr/local/lib/python3.13/os.py": "", "opt/venv/pyvenv.cfg": "home = /usr/local/bin\nversion = 3.13.5\n"}
    assert "pkg:generic/python@3.13.5" in purls(**more)


def test_a_file_of_no_package_is_an_error() -> None:
    with pytest.raises(sbom.NoBillError, match=r"files of no package: usr/lib/libstranger\.so\. Install"):
        purls(**{"usr/lib/libstranger.so": ""})


def test_the_same_image_gives_the_same_bill() -> None:
    first, second = (sbom.bill(contents(), IMAGE, "it") for _ in range(2))
    assert (first.serial_number, first.metadata.timestamp) == (second.serial_number, second.metadata.timestamp)


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ("var/lib/dpkg/status.d", "there is no var/lib/dpkg/status.d/"),
        ("etc/os-release", "it has no os-release"),
        ("opt/venv/pyvenv.cfg", "it has no virtual environment"),
    ],
)
def test_an_image_that_our_dockerfile_did_not_build_is_refused_with_a_sentence(without: str, told: str) -> None:
    more = {"usr/local/lib/python3.13/os.py": "", "opt/venv/pyvenv.cfg": "version = 3.13.5\n"}
    foreign = contents(**more)
    foreign.names = {name: member for name, member in foreign.names.items() if not name.startswith(without)}
    with pytest.raises(sbom.NoBillError, match=rf"not built by app_image/Dockerfile.*{told}"):
        sbom.bill(foreign, IMAGE, "it")


@pytest.mark.parametrize(
    ("image", "broken", "told"),
    [
        ("gone:1", "", "no bill for gone:1: it cannot be read: Error: No such image: gone:1. Is it here? `make image`"),
        ("foreign:1", "", "no bill for foreign:1: it was not built by app_image/Dockerfile"),
        ("foreign:1", "yes", "no bill for foreign:1: it cannot be read: Error: disk full."),
    ],
)
def test_an_image_without_a_bill_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, image: str, broken: str, told: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(CLIENT)
    (tmp_path / "bin/docker").chmod(0o755)
    place = tmp_path / "checkout"
    place.mkdir()
    (place / "app_image").symlink_to(ROOT / "app_image")
    (place / ".venv").symlink_to(sys.prefix)
    (place / "sbom.cdx.json").write_text("of another image")
    made = subprocess.run(
        ["make", "--file", ROOT / "Makefile", "--old-file", ".venv/.installed", "sbom"],
        cwd=place,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PLACES": "", "IMAGE": image, "BROKEN": broken},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode
    (line,) = [line for line in made.stderr.splitlines() if not line.startswith("make:")]
    assert line.startswith(f"sbom: {told}")
    assert sorted(path.name for path in place.iterdir()) == [".venv", "app_image", "sbom.cdx.json"]
    calls = (tmp_path / "bin/calls").read_text()
    assert calls.count("create") == calls.count("rm --force --volumes container") == (image == "foreign:1")
