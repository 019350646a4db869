"""Where Pulumi keeps the state of a stack, and the files there: S3, or a directory of this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from ops.errors import CannotAct
from ops.stack_file import backend_of, stack_file

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from ops.command import Context

BACKEND_VARIABLE = "PULUMI_BACKEND_URL"
HOME_VARIABLE, CREDENTIALS_VARIABLE = "PULUMI_HOME", "PULUMI_CREDENTIALS_PATH"
# What Pulumi's own library writes beside a file in a directory, and never lists.
_ATTRIBUTES = ".attrs"


class Files(Protocol):
    """The files of a backend, by key: `.pulumi/...`."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, in order."""

    def read(self, key: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""

    def delete(self, key: str) -> None:
        """Delete a file; that it is gone already is no failure."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A backend `file://...`."""

    root: Path

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, in order."""
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in (self.root / prefix).glob("*")
            if path.is_file() and path.suffix != _ATTRIBUTES
        )

    def read(self, key: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotAct(f"{self.root / key} cannot be read: {error.strerror}. Nothing was changed.") from error

    def delete(self, key: str) -> None:
        """Delete a file; that it is gone already is no failure."""
        try:
            (self.root / key).unlink(missing_ok=True)
            (self.root / f"{key}{_ATTRIBUTES}").unlink(missing_ok=True)
        except OSError as error:
            raise CannotAct(f"{self.root / key} cannot be deleted: {error.strerror}.") from error


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A backend `s3://BUCKET/FOLDER?region=...`."""

    s3: S3Client
    name: str
    folder: str

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.folder + prefix)
        try:
            return sorted(item["Key"].removeprefix(self.folder) for page in pages for item in page.get("Contents", []))
        except self.s3.exceptions.NoSuchBucket as error:
            raise CannotAct(
                f"there is no bucket {self.name}, where the state should be. Nothing was changed. Say where it is: "
                f"--backend or {BACKEND_VARIABLE}, as `pulumi whoami -v` names it.",
            ) from error

    def read(self, key: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""
        try:
            return self.s3.get_object(Bucket=self.name, Key=self.folder + key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def delete(self, key: str) -> None:
        """Delete a file; that it is gone already is no failure."""
        self.s3.delete_object(Bucket=self.name, Key=self.folder + key)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend, by its address, and who said that it is the one."""

    url: str
    source: str
    files: Files


def find_backend(context: Context, given: str | None) -> Backend:
    """Return the backend of the stack's state: the one given, else the one that Pulumi itself would use here.

    Where nobody has logged in, it is the account's own bucket, as stacks/bootstrap names it.

    Raises:
        CannotAct: it is one that keeps its locks elsewhere, or no address.

    """
    url, source = _address(context, given)
    parts = urlsplit(url)
    if parts.scheme == "file":
        root = Path(url.removeprefix("file://").partition("?")[0]).expanduser().absolute()
        return Backend(url=url, source=source, files=Directory(root=root))
    if parts.scheme == "s3" and parts.netloc:
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        s3 = context.aws.s3(region=query.get("region"), endpoint=query.get("endpoint"))
        folder = f"{parts.path.strip('/')}/".removeprefix("/")
        return Backend(url=url, source=source, files=Bucket(s3=s3, name=parts.netloc, folder=folder))
    shown = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else url
    raise CannotAct(
        f"the state of {context.stack} is at {shown} ({source}), and this reads s3:// and file:// only. Nothing was "
        f"changed. Ask Pulumi itself: `pulumi cancel --stack {context.stack.name}` ends an update there and frees its "
        "lock. If the state is elsewhere, say where: --backend 's3://BUCKET?region=REGION&awssdk=v2'.",
    )


def _address(context: Context, given: str | None) -> tuple[str, str]:
    if given:
        return given, "--backend"
    if context.environment.get(BACKEND_VARIABLE):
        return context.environment[BACKEND_VARIABLE], BACKEND_VARIABLE
    file = stack_file(Path.cwd(), context.stack)
    of_project = backend_of(file.parent) if file else ""
    if of_project:
        return of_project, "Pulumi.yaml"
    credentials = _home(context) / "credentials.json"
    logged_in = _login(credentials)
    if logged_in:
        return logged_in, f"`pulumi login`, in {credentials}"
    bucket = f"{context.stack.project}-state-{context.whereabouts.account}"
    return f"s3://{bucket}?region={context.whereabouts.region}&awssdk=v2", "the account's bucket, for nobody logged in"


def _home(context: Context) -> Path:
    named = (context.environment.get(name) for name in (CREDENTIALS_VARIABLE, HOME_VARIABLE))
    return Path(next((name for name in named if name), "~/.pulumi")).expanduser()


def _login(credentials: Path) -> str:
    try:
        found = json.loads(credentials.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise CannotAct(
            f"{credentials}, where `pulumi login` keeps which backend is in use, cannot be read: {error}. Nothing was "
            f"changed. Log in again, or say where the state is: --backend, or {BACKEND_VARIABLE}.",
        ) from error
    current = found.get("current") if isinstance(found, dict) else None
    return current if isinstance(current, str) else ""
