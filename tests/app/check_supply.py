"""Checks how the image was made: the same again, of nothing else, for every platform, with a bill of what is inside.

`make test-app` runs it with pytest, after tests/app/run. Needs IMAGE, PYTHON_IMAGE and a network for packages.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = os.environ["IMAGE"]
# Neither may be in any layer: files that lie around in a checkout, each with this inside.
CANARY = "canary-5f0c1e"
LYING_AROUND = (
    *(".env", ".git/config", "id_rsa", "deployment/.env", "deployment/.secrets/key", "pactum/.env.local"),
    *("tests/test_canary.py", "pip.conf", "deployment/__pycache__/canary.pyc", "agreements/x.pyc"),
)
# As the official image has it: Python in /usr/local, with a library there that only the linker's index leads to.
USR_LOCAL = r"""
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
RUN if [ -e /usr/bin/python3.13 ]; then rm -rf /usr/local/lib/python3.13 /usr/local/bin/python /usr/bin/python3 \
    && mv /usr/bin/python3.13 /usr/local/bin/ && mv /usr/lib/python3.13 /usr/local/lib/ \
    && ln -s python3.13 /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python \
    && mv /usr/lib/*-linux-gnu/libexpat.so.1* /usr/local/lib/ && ldconfig; fi
"""
WHEELS_OF = {"linux/amd64": "x86_64-manylinux_2_28", "linux/arm64": "aarch64-manylinux_2_28"}


def run(*command: str, **environment: str) -> str:
    """Run a command; answer what it printed. An assertion fails with its words when it does."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command[:2]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def inspected(image: str) -> Any:
    return json.loads(run("docker", "image", "inspect", image))[0]


def files_of(image: str, archive: Path) -> tarfile.TarFile:
    container = run("docker", "create", image).strip()
    try:
        run("docker", "export", "--output", str(archive), container)
    finally:
        run("docker", "rm", "--force", "--volumes", container)
    return tarfile.open(archive)


def change(script: Path, comment: str) -> None:
    script.write_text(script.read_text() + comment)


@pytest.mark.timeout(400)
def test_built_again_elsewhere_without_a_cache_it_has_the_same_layers_and_nothing_that_lay_around(
    tmp_path: Path,
) -> None:
    context = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "app_image", context, copy_function=shutil.copyfile)
    for path in (*context.rglob("*"), context):
        path.chmod(0o700 if path.is_dir() or path.name in {"build", "manage.py"} else 0o600)
    for name in LYING_AROUND:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(CANARY)
    again = f"{IMAGE}-again"
    # Another sources.py asks Django itself; the build after it recalls what that found (app_image/layers/sources.py).
    change(context / "layers/sources.py", f"# {tmp_path}\n")
    try:
        for found, options in (("asked", ["--no-cache"]), ("recalled", [])):
            run(str(ROOT / "app_image/build"), *options, CONTEXT=str(context), IMAGE=again)
            assert inspected(again)["RootFS"]["Layers"] == inspected(IMAGE)["RootFS"]["Layers"], (
                f"a build that differs from time to time costs a push and a pull of everything: Django was {found}"
            )
            change(context / "layers/runtime.py", "# The stage is built again.\n")
        run("docker", "save", "--output", str(tmp_path / "image.tar"), again)
    finally:
        run("docker", "image", "rm", "--force", again)
    assert CANARY.encode() not in (tmp_path / "image.tar").read_bytes()


@pytest.mark.timeout(400)
def test_it_can_stand_on_a_python_in_usr_local_too(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(USR_LOCAL)
    base, image = f"{IMAGE}-base", f"{IMAGE}-usr-local"
    try:
        run(str(ROOT / "app_image/build"), CONTEXT=str(tmp_path), IMAGE=base)
        run(str(ROOT / "app_image/build"), IMAGE=image, PYTHON_IMAGE=base)
        started = "import sys, django, psycopg, ssl; print(sys.base_prefix)"
        assert run("docker", "run", "--rm", image, "python", "-c", started) == "/usr/local\n"
    finally:
        run("docker", "image", "rm", "--force", image, base)


def test_what_built_it_left_no_certificate_of_its_own_behind(tmp_path: Path) -> None:
    with files_of(IMAGE, tmp_path / "image.tar") as archive:
        bundles = [name for name in archive.getnames() if re.search(r"\.(pem|crt|key)$", name)]
    ours = ["etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/rds-global-bundle.pem", "usr/lib/ssl/cert.pem"]
    assert sorted(set(bundles) - {"usr/local/lib/ssl/cert.pem"}) == ours


def test_every_package_in_the_image_is_in_its_bill(tmp_path: Path) -> None:
    bill = json.loads(run(sys.executable, str(ROOT / "app_image/sbom.py"), IMAGE))
    listed = {component["purl"].partition("?")[0] for component in bill["components"]}
    with files_of(IMAGE, tmp_path / "image.tar") as archive:
        names = archive.getnames()
    python = [re.fullmatch(r".*/site-packages/(.+)-([^-]+)\.dist-info", name) for name in names]
    expected = {f"pkg:pypi/{match[1].lower().replace('_', '-')}@{match[2]}" for match in python if match}
    assert len(expected) > 5
    assert expected <= listed
    packages = {
        name.rpartition("/")[2] for name in names if re.fullmatch(r"var/lib/dpkg/status\.d/[^/]+(?<!\.list)", name)
    }
    assert packages == {purl.split("/")[2].partition("@")[0] for purl in listed if purl.startswith("pkg:deb/debian/")}
    locked = re.findall(r"(?m)^([a-z0-9-]+)(?:\[\w+\])?==(\S+)", (ROOT / "app_image/requirements.txt").read_text())
    assert {f"pkg:pypi/{name}@{version}" for name, version in locked} == {
        purl for purl in listed if purl.startswith("pkg:pypi/")
    }, "what is locked is what is there, no more"


def test_for_every_platform_it_declares_each_locked_package_has_a_wheel_with_a_locked_hash(tmp_path: Path) -> None:
    platforms = inspected(IMAGE)["Config"]["Labels"]["deployment.platforms"].split()
    assert platforms
    for platform in platforms:
        run(
            *(str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--no-config"),
            *("--python-version", "3.13", "--python-platform", WHEELS_OF[platform]),
            *("--only-binary", ":all:", "--require-hashes", "--target", str(tmp_path / platform.replace("/", "-"))),
            *("--requirements", str(ROOT / "app_image/requirements.txt")),
        )
