"""docker.Image: the context is really built with BuildKit and really pushed, to the emulator's ECR."""

import base64
import hashlib
import os
import re
from pathlib import Path

from docker.utils.build import exclude_paths

from rehearsal.docker_client import DockerClient, last_lines
from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

BUILD_SECONDS = 900
PUSH_SECONDS = 300
# The name of the property that `context_digest` adds.
CONTEXT_DIGEST = "__contextDigest"
AWS_REGISTRY = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


def local_reference(tools: Tools, name: str) -> str:
    """The name under which the emulator takes a push of what AWS calls `name`."""
    if not AWS_REGISTRY.match(name):
        raise RehearsalError(
            f"the image name {name} is not in an ECR repository", remedy="Correct repositoryUrl in the stack file."
        )
    return AWS_REGISTRY.sub(f"{tools.place.registry}/", name)


def logged_in(tools: Tools) -> DockerClient:
    """A docker client that may push to the emulator, with a login file of its own under .rehearsal/."""
    client = tools.docker.with_config(tools.place.scratch / "docker-config")
    authorization = tools.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
    client.run("login", "--username", user, "--password-stdin", tools.place.registry, stdin=password)
    return client


def certificates() -> list[str]:
    """The build secret `ca_bundle`, for pip behind a proxy with certificates of its own.

    The file is the one BUILD_CA_BUNDLE names, else SSL_CERT_FILE; without either, builds get no such secret.
    """
    bundle = os.environ.get("BUILD_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return ["--secret", f"id=ca_bundle,src={bundle}"] if bundle and Path(bundle).is_file() else []


def build(tools: Tools, reference: str, arguments: list[str], context: Path) -> None:
    """Build a context. RehearsalError with the end of the build's own words when it fails."""
    done = tools.docker.attempt(
        "build",
        *certificates(),
        "--label",
        tools.place.docker_label,
        "--tag",
        reference,
        *arguments,
        str(context),
        timeout_seconds=BUILD_SECONDS,
    )
    if done.returncode:
        raise RehearsalError(
            f"the Dockerfile in {context} could not be built:\n{last_lines(done.stdout + done.stderr)}",
            remedy=f"Correct it; `docker build {context}` shows the whole build.",
        )


def push(tools: Tools, reference: str) -> str:
    """Push an image and return its digest, `sha256:...`."""
    done = logged_in(tools).attempt("push", reference, timeout_seconds=PUSH_SECONDS)
    digest = re.search(r"digest: (sha256:[0-9a-f]{64})", done.stdout)
    if done.returncode or not digest:
        raise RehearsalError(f"the image could not be pushed:\n{last_lines(done.stdout + done.stderr)}")
    return digest[1]


def _build_arguments(tools: Tools, inputs: Properties) -> tuple[list[str], Path]:
    settings = inputs.get("build") or {}
    unknown = sorted(settings.keys() - {"context", "dockerfile", "args", "platform", "target", "builderVersion"})
    if unknown:
        raise RehearsalError(f"the rehearsal does not know its build input {', '.join(unknown)}")
    context = tools.directory / settings.get("context", ".")
    dockerfile = tools.directory / settings["dockerfile"] if settings.get("dockerfile") else context / "Dockerfile"
    arguments = ["--file", str(dockerfile)]
    for option in ("platform", "target"):
        if settings.get(option):
            arguments += [f"--{option}", settings[option]]
    for name, value in sorted((settings.get("args") or {}).items()):
        arguments += ["--build-arg", f"{name}={value}"]
    return arguments, context


def _realise(tools: Tools, inputs: Properties) -> Made:
    name = inputs["imageName"]
    reference = local_reference(tools, name)
    arguments, context = _build_arguments(tools, inputs)
    tools.notify("docker build")
    build(tools, reference, arguments, context)
    outputs = {"baseImageName": name}
    if not inputs.get("skipPush"):
        tools.notify("docker push")
        outputs["repoDigest"] = f"{name.rpartition(':')[0]}@{push(tools, reference)}"
    return Made(id=name, outputs=outputs)


def _update(tools: Tools, _: Deployed, inputs: Properties) -> Made:
    return _realise(tools, inputs)


def context_digest(tools: Tools, inputs: Properties) -> Properties:
    """A property for what .dockerignore leaves of the context: to the provider too, a changed file is a change."""
    context = tools.directory / (inputs.get("build") or {}).get("context", ".")
    ignore_file = context / ".dockerignore"
    lines = ignore_file.read_text(encoding="utf-8").splitlines() if ignore_file.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    digest = hashlib.sha256()
    for relative in sorted(exclude_paths(str(context), patterns)):
        path = context / relative
        if path.is_file():
            digest.update(f"\0{relative}\0{path.stat().st_mode & 0o777:o}\0".encode() + path.read_bytes())
    return {CONTEXT_DIGEST: digest.hexdigest()}


IMAGES: dict[str, Realiser] = {
    "docker:index/image:Image": Realiser(
        create=lambda tools, _, inputs: _realise(tools, inputs),
        update=_update,
        properties=frozenset({"imageName", "build", "skipPush"}),
        updatable=frozenset({"imageName", "build", "skipPush", CONTEXT_DIGEST}),
        removable=frozenset({"build", "skipPush"}),
        not_rehearsed={"buildOnPreview": "a rehearsal's preview makes nothing"},
        fingerprint=context_digest,
    ),
}
