"""Writes what an image holds, as CycloneDX JSON: `python app_image/sbom.py IMAGE > sbom.cdx.json` (`make sbom`).

Debian packages are known by their records in the image, Python packages by their metadata there, and what a
wheel brings of other projects by the SBOM in that wheel. A file that belongs to none of them is an error.
DOCKER names the docker client. The same image gives the same document.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid
from datetime import datetime
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RECORDS = "var/lib/dpkg/status.d/"
# Made by the build itself (app_image/layers/runtime.py) or by Docker when it makes a container.
OURS = re.compile(
    r"(\.dockerenv|etc/(passwd|group|nsswitch\.conf|ld\.so\.cache|hosts|hostname|resolv\.conf|mtab|ssl/certs/[^/]+\.pem)"
    r"|usr/(local/)?lib/ssl/cert\.pem|usr/share/doc/[^/]+(/copyright)?|(app|dev|proc|sys)/.*|"
    rf"{RECORDS}.*|.*/__pycache__/[^/]+\.pyc)$"
)
FOREIGN = "it was not built by app_image/Dockerfile, which records what is inside"
PYTHON_ITSELF = re.compile(r"usr/local/(bin/python|lib/(lib)?python3)")


class NoBillError(Exception):
    """The image cannot be read, or is none whose every file can be accounted for; the message says what to do."""


class Contents:
    """The files of an image. Links are among the names, and have no text."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.names = {member.name: member for member in archive.getmembers() if not member.isdir()}

    def text(self, name: str) -> str:
        file = self._archive.extractfile(self.names[name])
        return file.read().decode() if file else ""

    def matching(self, pattern: str) -> list[str]:
        return sorted(name for name in self.names if re.fullmatch(pattern, name))


def library(purl: PackageURL, parent: str = "") -> Component:
    """Return a component with a reference that is its own, wherever the same library comes twice."""
    return Component(
        type=ComponentType.LIBRARY,
        name=purl.name,
        version=purl.version,
        purl=purl,
        bom_ref="#".join(filter(None, (parent, purl.to_string()))),
    )


def debian_packages(contents: Contents) -> tuple[list[Component], set[str]]:
    """Return Debian's packages and the files they own."""
    release = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)', contents.text(os_release(contents))))
    found: list[Component] = []
    owned: set[str] = set()
    for name in contents.matching(rf"{RECORDS}[^/]+\.list"):
        record = HeaderParser().parsestr(contents.text(name.removesuffix(".list")))
        qualifiers = {"arch": record["Architecture"], "distro": f"{release['ID']}-{release['VERSION_ID']}"}
        found.append(library(PackageURL("deb", release["ID"], record["Package"], record["Version"], qualifiers)))
        owned.update(path.lstrip("/") for path in contents.text(name).splitlines())
    return found, owned


def os_release(contents: Contents) -> str:
    """Return the file that says which Debian it is: one of the two is a link to the other."""
    for name in contents.matching("(usr/lib|etc)/os-release"):
        if contents.names[name].isfile():
            return name
    raise NoBillError(f"{FOREIGN}: it has no os-release")


def python_packages(contents: Contents) -> tuple[list[Component], set[str]]:
    """Return Python's packages, what their wheels say they bring of others, and the files they own."""
    found: list[Component] = []
    owned: set[str] = set()
    for name in contents.matching(r".*/site-packages/[^/]+\.dist-info/METADATA"):
        information = PurePosixPath(name).parent
        metadata = HeaderParser().parsestr(contents.text(name))
        package = library(PackageURL("pypi", None, metadata["Name"].lower().replace("_", "-"), metadata["Version"]))
        found.append(package)
        for line in contents.text(str(information / "RECORD")).splitlines():
            owned.add(os.path.normpath(information.parent / line.rsplit(",", 2)[0].strip('"')))
        for document in contents.matching(rf"{re.escape(str(information))}/sboms/.*\.json"):
            for part in json.loads(contents.text(document)).get("components", []):
                purl = PackageURL.from_string(part["purl"])
                if purl.type != "pypi":
                    found.append(library(purl, package.bom_ref.value or ""))
    return found, owned


def python_itself(contents: Contents) -> Component | None:
    """Return Python where no package of Debian's owns it, as in the official image."""
    if not contents.matching(rf"{PYTHON_ITSELF.pattern}.*"):
        return None
    settings = "".join(contents.text(name) for name in contents.matching(r".*/pyvenv\.cfg")[:1])
    version = re.search(r"(?m)^version = (.*)$", settings)
    if not version:
        raise NoBillError(f"{FOREIGN}: it has no virtual environment, which says the version of its Python")
    return library(PackageURL("generic", None, "python", version[1]))


def bill(contents: Contents, image: Mapping[str, Any], name: str) -> Bom:
    """Return the bill of materials. NoBillError when there is a file that it would not account for."""
    if not contents.matching(rf"{RECORDS}.*"):
        raise NoBillError(f"{FOREIGN}: there is no {RECORDS}")
    debian, debian_files = debian_packages(contents)
    python, python_files = python_packages(contents)
    itself = python_itself(contents)
    strangers = [
        path
        for path in contents.names
        if path not in debian_files | python_files
        and not OURS.fullmatch(path)
        and not (itself and PYTHON_ITSELF.match(path))
        and not re.fullmatch(r".*/pyvenv\.cfg|opt/venv/(lib64|bin/python[0-9.]*)", path)
    ]
    if strangers:
        raise NoBillError(
            f"it holds files of no package: {', '.join(sorted(strangers)[:10])}. Install them as packages, or teach"
            " app_image/sbom.py whose they are"
        )
    labels = image["Config"].get("Labels") or {}
    bom = Bom(components=[*debian, *python, *([itself] if itself else [])], serial_number=serial(image["Id"]))
    created = labels.get("org.opencontainers.image.created") or image["Created"][:19] + "Z"
    bom.metadata.timestamp = datetime.fromisoformat(created)
    revision = labels.get("org.opencontainers.image.revision") or image["Id"]
    bom.metadata.component = Component(type=ComponentType.CONTAINER, name=name, version=revision, bom_ref=image["Id"])
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def serial(image_id: str) -> uuid.UUID:
    """Return a number for the document that is always the same for an image."""
    return uuid.uuid5(uuid.NAMESPACE_URL, image_id)


def export(docker: str, image: str, file: IO[bytes]) -> None:
    """Write the image's files to `file`, as a container sees them."""
    # An image may have no command of its own; this one is never run.
    container = ask(docker, "create", image, "nothing")
    try:
        ask(docker, "export", container, stdout=file)
    finally:
        ask(docker, "rm", "--force", "--volumes", container)
    file.seek(0)


def ask(docker: str, *words: str, stdout: IO[bytes] | int = subprocess.PIPE) -> str:
    """Run docker; answer what it printed. NoBillError with its last words when it fails."""
    try:
        done = subprocess.run([docker, *words], stdout=stdout, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise NoBillError(f"{docker} cannot be run: {error.strerror}. Set DOCKER to a docker client") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoBillError(f"it cannot be read: {told}. Is it here? `make image` builds it")
    return (done.stdout or b"").decode().strip()


def main(arguments: Iterable[str]) -> None:
    docker = os.environ.get("DOCKER") or "docker"
    try:
        (image,) = arguments
    except ValueError:
        sys.exit("Usage: python app_image/sbom.py IMAGE")
    try:
        inspected = json.loads(ask(docker, "image", "inspect", image))[0]
        with tempfile.TemporaryFile() as file:
            export(docker, image, file)
            with tarfile.open(fileobj=file) as archive:
                print(JsonV1Dot6(bill(Contents(archive), inspected, image)).output_as_string(indent=2))
    except NoBillError as error:
        sys.exit(f"sbom: no bill for {image}: {error}.")


if __name__ == "__main__":
    main(sys.argv[1:])
