"""app_image/build, with a docker client that only writes down what it is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[1] / "app_image" / "build"
# All that the script may find on its PATH besides: this machine's own docker is not for tests.
TOOLS = ("bash", "dirname", "env", "git", "grep", "head", "sed", "tail", "timeout", "tr")
DOCKERFILE = "ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie\nFROM ${PYTHON_IMAGE}\n"
STAND_IN = "pactum-standin/python:3.13-slim-trixie"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
# $BUILDX, $ENGINE, $CLIENT and $IMAGES say what this client can do, $PUSHING why it cannot push.
CLIENT = """#!/bin/bash
echo "$*" >>"$(dirname "$0")/calls"
case "$1 $2" in
  "version --format") [ "$ENGINE" = none ] && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
    echo "${CLIENT:-20.10.24} 20.10.24" ;;
  "buildx version") [ -n "$BUILDX" ] ;;
  "image inspect") case "$*" in *RepoDigests*) echo "other/name@sha256:1"; echo "registry:5000/app@sha256:2" ;; esac
    for last; do :; done; case " $IMAGES " in *" $last "*) ;; *) exit 1 ;; esac
    case "$*" in *Architecture*) echo "${ARCHITECTURE:-linux/amd64}" ;; esac ;;
  "push "*) echo "The push refers to repository [app]"; [ -z "$PUSHING" ] || { echo "$PUSHING" >&2; exit 1; } ;;
  "pull --quiet") echo "no such host" >&2; exit 1 ;;
esac
"""


@dataclass
class Builder:
    """A machine with one docker client, and a project to build."""

    directory: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        home = {"PATH": str(self.directory / "bin"), "CONTEXT": str(self.directory / "project")}
        home |= {"IMAGES": STAND_IN, "PLACES": "", "GIT_CEILING_DIRECTORIES": str(self.directory)}
        return subprocess.run(
            [str(BUILD), *arguments], capture_output=True, text=True, env=home | environment, timeout=60, check=False
        )

    def built(self, *arguments: str, **environment: str) -> str:
        """Return the command line of the build, which must succeed."""
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        calls = (self.directory / "bin/calls").read_text().splitlines()
        return next(line for line in calls if line.startswith(("build ", "buildx build")))


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(CLIENT)
    (tmp_path / "bin/docker").chmod(0o755)
    for name in TOOLS:
        # A file of its own: a test that puts another in its place must not write through a link.
        (tmp_path / "bin" / name).write_text(f'#!/bin/bash\nexec {shutil.which(name)} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/Dockerfile").write_text(DOCKERFILE)
    return Builder(tmp_path)


def commit(project: Path, origin: str) -> None:
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first"],
        ["remote", "add", "origin", origin],
    ):
        subprocess.run(
            ["git", *command], cwd=project, check=True, env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": "@0 +0200"}
        )


def test_an_old_client_builds_with_buildkit_by_itself_and_a_newer_one_by_its_plugin(builder: Builder) -> None:
    assert builder.built().startswith("build --file")
    (builder.directory / "bin/calls").unlink()
    assert builder.built(CLIENT="28.2.2", BUILDX="1").startswith("buildx build --load --file")


def test_its_output_is_the_images_name_and_after_a_push_the_name_by_digest(builder: Builder) -> None:
    assert builder.run().stdout == "project:local\n", "scripts read it"
    image = "registry:5000/app:1"
    done = builder.run(IMAGE=image, PUSH="1", IMAGES=f"{STAND_IN} {image}")
    assert done.stdout == f"{image}\nregistry:5000/app@sha256:2\n", "one of another repository is no use"


def test_everything_asked_for_reaches_the_build(builder: Builder) -> None:
    (builder.directory / "ca.pem").write_text(CERTIFICATE)
    (builder.directory / "pip.conf").write_text("[global]")
    line = builder.built(
        "--no-cache", TARGET="code", PLATFORM="linux/arm64", BUILD_CA_BUNDLE=f"{builder.directory}/ca.pem",
        PIP_CONF=f"{builder.directory}/pip.conf", CACHE="registry/cache:app", BUILDX="1", ARCHITECTURE="linux/arm64",
    )  # fmt: skip
    for part in (
        "--target code", "--platform linux/arm64", f"--secret id=ca_bundle,src={builder.directory}/ca.pem",
        f"--secret id=pip_conf,src={builder.directory}/pip.conf", "--cache-from type=registry,ref=registry/cache:app",
        "--cache-to type=registry,ref=registry/cache:app,mode=max,image-manifest=true,oci-mediatypes=true",
        "--no-cache",
    ):  # fmt: skip
        assert part in line


def test_where_docker_hub_is_out_of_reach_the_stand_in_is_used_and_named(builder: Builder) -> None:
    done = builder.run(PYTHON_IMAGE="mine:1", IMAGES="mine:1")
    assert "PYTHON_IMAGE=mine:1" in (builder.directory / "bin/calls").read_text(), done.stderr
    (builder.directory / "bin/timeout").write_text("#!/bin/bash\n[ $2 = bash ] && exit 1\nshift; exec $*\n")
    (builder.directory / "bin/timeout").chmod(0o755)
    done = builder.run()
    assert f"building on the stand-in {STAND_IN}" in done.stderr
    assert f"PYTHON_IMAGE={STAND_IN}" in (builder.directory / "bin/calls").read_text()


@pytest.mark.parametrize("asked", [{}, {"PYTHON_IMAGE": STAND_IN}])
def test_a_stand_in_of_another_platform_is_refused(builder: Builder, asked: dict[str, str]) -> None:
    (builder.directory / "bin/timeout").write_text("#!/bin/bash\n[ $2 = bash ] && exit 1\nshift; exec $*\n")
    done = builder.run(PLATFORM="linux/arm64", **asked)
    assert f"PLATFORM is linux/arm64, but the stand-in {STAND_IN} was made for linux/amd64" in done.stderr
    assert "set PYTHON_IMAGE" in done.stderr
    calls = (builder.directory / "bin/calls").read_text()
    assert not re.search("^(build --|buildx build|pull)", calls, re.MULTILINE), "Docker Hub knows no stand-in"
    assert "build --file" in builder.built(PLATFORM="linux/amd64/v2", **asked)


def test_a_base_that_is_here_for_another_platform_is_pulled_for_the_one_asked_for(builder: Builder) -> None:
    done = builder.run(PLATFORM="linux/arm64", PYTHON_IMAGE="mine:1", IMAGES="mine:1")
    assert "pull --quiet --platform linux/arm64 mine:1" in (builder.directory / "bin/calls").read_text()
    assert "mine:1, which is here for linux/amd64 only, cannot be pulled for linux/arm64: no such host" in done.stderr


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ("Get https://nohost/v2/: dial tcp: lookup nohost: no such host", "Is the registry's name in IMAGE right"),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "is it reachable from here"),
        ("denied: requested access to the resource is denied", "Log in with `docker login`"),
        ("no basic auth credentials", "Log in with `docker login`"),
    ],
)
def test_a_push_that_fails_says_what_to_look_at(builder: Builder, answer: str, remedy: str) -> None:
    done = builder.run(IMAGE="nohost/app:1", PUSH="1", PUSHING=answer)
    assert done.returncode == 1
    assert f"nohost/app:1 could not be pushed: {answer}" in done.stderr
    assert remedy in done.stderr
    assert "The push refers to" in done.stderr, "what Docker says meanwhile is seen"
    assert ("Log in" in done.stderr) == ("Log in" in remedy)


@pytest.mark.parametrize(
    ("context", "beside", "name"),
    [
        ("Your Shop_2", "", "your-shop-2"),
        ("shop", "name: pactum", "shop"),
        ("shop/app_image", "", "shop"),
        ("checkout/app_image", 'name: "pactum" # ours', "pactum"),
        ("checkout/app_image", "description: without a name", "checkout"),
    ],
)
def test_an_image_is_named_after_the_project_it_is_built_of(
    builder: Builder, context: str, beside: str, name: str
) -> None:
    """Another project's image under Pactum's name would take its place."""
    place = builder.directory / context
    place.mkdir(parents=True)
    (place / "Dockerfile").write_text(DOCKERFILE)
    if beside:
        (place.parent / "Pulumi.yaml").write_text(f"{beside}\n")
    assert f"--tag {name}:local " in builder.built(CONTEXT=str(place))


@pytest.mark.parametrize(
    "origin",
    [
        "git@github.com:lexy/pactum.git",
        "https://user:token@github.com/lexy/pactum",
        "ssh://git@github.com/lexy/pactum.git",
        "https://github.com/lexy/pactum.git/",
    ],
)
def test_labels_come_from_git_and_hold_no_login(builder: Builder, origin: str) -> None:
    commit(builder.directory / "project", origin)
    line = builder.built()
    assert re.search(r"REVISION=[0-9a-f]{40} ", line)
    assert "CREATED=1970-01-01T00:00:00Z" in line, "the commit's time: without a change, nothing changes"
    assert "SOURCE=https://github.com/lexy/pactum " in line
    assert re.search(r"--tag project:[0-9a-f]{12} ", line)


@pytest.mark.parametrize("origin", ["/srv/git/pactum.git", "../pactum", "file:///srv/git/pactum"])
def test_a_remote_on_this_machine_is_no_label(builder: Builder, origin: str) -> None:
    commit(builder.directory / "project", origin)
    assert "SOURCE= " in builder.built()
    told = re.findall(r".*label `source` stays empty.*", builder.run().stderr)
    assert len(told) == 1
    assert f"is {origin}, which is no URL" in told[0]


def test_without_a_commit_or_a_remote_it_says_once_that_labels_stay_empty(builder: Builder) -> None:
    assert builder.run().stderr.count("labels do not say where it comes from") == 1
    commit(builder.directory / "project", "/srv/git/pactum")
    subprocess.run(["git", "remote", "remove", "origin"], cwd=builder.directory / "project", check=True)
    assert builder.run().stderr.count("is not set: the image's label `source` stays empty") == 1


def test_what_is_not_committed_is_no_release_of_the_commit(builder: Builder) -> None:
    commit(builder.directory / "project", "https://github.com/lexy/pactum")
    (builder.directory / "project/new.py").write_text("")
    line = builder.built()
    assert re.search(r"REVISION=[0-9a-f]{40}-changed ", line)
    assert "--tag project:local " in line


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ENGINE": "none"}, r"no Docker engine answers.*bin/docker: Cannot connect.*Start Docker"),
        ({"CLIENT": "28.2.2"}, r"no client can build with BuildKit.*buildx plugin is missing.*Install buildx"),
        ({"CONTEXT": "/nowhere"}, r"there is no /nowhere/Dockerfile.*Set CONTEXT"),
        ({"PYTHON_IMAGE": "gone:1"}, r"base image gone:1 cannot be pulled: no such host.*set PYTHON_IMAGE"),
        ({"BUILD_CA_BUNDLE": "/nowhere.pem"}, r"BUILD_CA_BUNDLE is /nowhere.pem, which is no file.*unset it"),
        (
            {"BUILD_CA_BUNDLE": str(BUILD)},
            r"BUILD_CA_BUNDLE is .*build, in which there is no certificate.*as a PEM file",
        ),
        ({"SSL_CERT_FILE": str(BUILD)}, r"SSL_CERT_FILE is .*build, in which there is no certificate.*BUILD_CA_BUNDLE"),
        ({"PIP_CONF": "/nowhere"}, r"PIP_CONF is /nowhere, which is no file"),
        ({"CACHE": "registry/cache"}, r"CACHE is set, but .*docker has no buildx.*unset CACHE"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(builder: Builder, environment: dict[str, str], told: str) -> None:
    done = builder.run(**environment)
    assert done.returncode == 1
    assert done.stdout == "", "a script must not take a complaint for a name"
    assert re.search(told, done.stderr, re.DOTALL), done.stderr


def test_without_docker_it_says_so(builder: Builder) -> None:
    (builder.directory / "bin/docker").unlink()
    done = builder.run(PLACES=str(builder.directory / "no-docker"))
    assert "there is no docker command" in done.stderr


def test_a_dockerfile_without_a_stage_never_reaches_the_engine(builder: Builder) -> None:
    """Docker 20.10's daemon panics on it, and takes every container of the machine along."""
    (builder.directory / "project/Dockerfile").write_text("# FROM nothing\nARG PYTHON_IMAGE=python\n")
    done = builder.run()
    assert done.returncode == 1
    assert "has no FROM" in done.stderr
    calls = builder.directory / "bin/calls"
    assert not calls.exists() or not re.search("^build", calls.read_text(), re.MULTILINE)
