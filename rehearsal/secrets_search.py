"""Searches every secret value in every place where none may be."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.realisers.tools import Tools
from rehearsal.saved_image import contents, saved

# Parts of a login that are no secret: the program itself names the users.
NO_SECRETS = frozenset({"username", "engine", "host", "port", "dbname"})
CHUNK_BYTES = 4 * 2**20


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A value to look for; `name` is all that is ever shown of it."""

    name: str
    value: str

    def forms(self) -> set[bytes]:
        """The ways in which the value could stand somewhere."""
        plain = self.value.encode()
        written = {self.value, json.dumps(self.value)[1:-1], quote(self.value, safe="")}
        return {form.encode() for form in written} | {base64.b64encode(plain)}


def seeded(client: Any) -> list[Secret]:  # noqa: ANN401 - boto3 makes its clients' types at run time
    """Every secret value the emulated Secrets Manager holds."""
    found = []
    for page in client.get_paginator("list_secrets").paginate():
        for entry in page["SecretList"]:
            value = client.get_secret_value(SecretId=entry["ARN"]).get("SecretString", "")
            found += [Secret(name=f"{entry['Name']}{key}", value=part) for key, part in _parts(value)]
    return found


def _parts(value: str) -> Iterator[tuple[str, str]]:
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        yield from ((f" ({key})", str(part)) for key, part in parsed.items() if key not in NO_SECRETS)
    elif value:
        yield "", value


def in_bytes(wanted: list[Secret], chunks: Iterator[bytes]) -> set[str]:
    """Names of the secrets that a stream holds, also across the border of two chunks."""
    forms = [(secret.name, form) for secret in wanted for form in secret.forms()]
    overlap = max((len(form) for _, form in forms), default=1) - 1
    hits, tail = set(), b""
    for chunk in chunks:
        window = tail + chunk
        hits |= {name for name, form in forms if form in window}
        tail = window[-overlap:] if overlap else b""
    return hits


def in_files(wanted: list[Secret], paths: Iterator[Path]) -> dict[str, set[str]]:
    """Files that hold a secret, and which."""
    found = {}
    for path in paths:
        if path.is_file() and (hits := in_bytes(wanted, _chunks_of(path))):
            found[str(path)] = hits
    return found


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def in_logs(wanted: list[Secret], client: Any) -> dict[str, set[str]]:  # noqa: ANN401 - see seeded
    """Log groups in CloudWatch that hold a secret, and which."""
    found = {}
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=name)
        messages = (event["message"].encode() + b"\n" for page in pages for event in page["events"])
        if hits := in_bytes(wanted, messages):
            found[f"log group {name}"] = hits
    return found


def in_image(wanted: list[Secret], docker: DockerClient, reference: str) -> dict[str, set[str]]:
    """The image's history and layers, each if it holds a secret."""
    found = {}
    history = docker.run("history", "--no-trunc", reference)
    if hits := in_bytes(wanted, iter([history.encode()])):
        found[f"docker history of {reference}"] = hits
    if hits := in_bytes(wanted, _layers(docker, reference)):
        found[f"layers of {reference}"] = hits
    return found


def _layers(docker: DockerClient, reference: str) -> Iterator[bytes]:
    with saved(docker, reference) as archive:
        yield from unpacked(archive)


def unpacked(archive: IO[bytes]) -> Iterator[bytes]:
    """The contents of every file of a `docker save`, in pieces."""
    for file in contents(archive):
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def search(tools: Tools, references: list[str], files: list[Path]) -> None:
    """Look for every seeded value everywhere. RehearsalError says where which secret was found, never its value."""
    wanted = seeded(tools.client("secretsmanager"))
    if not wanted:
        raise RehearsalError("Secrets Manager holds no value at all: was nothing seeded?")
    found = in_files(wanted, iter(files)) | in_logs(wanted, tools.client("logs"))
    for reference in references:
        found |= in_image(wanted, tools.docker, reference)
    if found:
        listing = "\n".join(f"    {', '.join(sorted(names))} in {place}" for place, names in found.items())
        raise RehearsalError(f"Secret values stand where none may be:\n{listing}")
