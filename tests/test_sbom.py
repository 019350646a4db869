"""app_image/sbom.py: what an image holds, and whether that is all."""

from __future__ import annotations

import io
import tarfile

import pytest

from app_image import sbom

METADATA = "opt/venv/lib/python3.13/site-packages/some_thing-1.0.dist-info"
INSIDE = '{"components": [{"purl": "pkg:rpm/centos/inside@2"}, {"purl": "pkg:pypi/some_thing@1.0?file_name=a"}]}'
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
    with pytest.raises(sbom.IncompleteError, match=r"files of no package: usr/lib/libstranger\.so"):
        purls(**{"usr/lib/libstranger.so": ""})


def test_the_same_image_gives_the_same_bill() -> None:
    first, second = (sbom.bill(contents(), IMAGE, "it") for _ in range(2))
    assert (first.serial_number, first.metadata.timestamp) == (second.serial_number, second.metadata.timestamp)
