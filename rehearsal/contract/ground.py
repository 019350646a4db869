"""What an image is tried on: a network and a real PostgreSQL, whose certificate nobody but the given CA vouches for."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rehearsal import bounded
from rehearsal.base_images import POSTGRES
from rehearsal.contract.leftovers import LABEL
from rehearsal.contract.terms import MASTER_USER
from rehearsal.errors import RehearsalError
from rehearsal.place import Place

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from rehearsal.base_images import BaseImages
    from rehearsal.contract.terms import Given
    from rehearsal.docker_client import DockerClient

DATABASE, EMPTY_DATABASE = "contract", "contract_empty"
# The server's second name, which its certificate does not have.
OTHER_NAME = "other-name"
START_SECONDS = 60
PAUSE_ATTEMPTS = 5
ROOT = "postgres"
# RDS's own settings are kept; what only costs time is off. The key arrives by the environment: no path of this machine
# need be readable for whoever PostgreSQL runs as.
START = (
    'set -eu; umask 077; printf "%s" "$TLS_KEY" > /tls.key; printf "%s" "$TLS_CERTIFICATE" > /tls.pem;'
    " chown postgres /tls.key /tls.pem; unset TLS_KEY;"
    " exec docker-entrypoint.sh postgres -c fsync=off -c ssl=on -c ssl_cert_file=/tls.pem -c ssl_key_file=/tls.key"
)


@dataclass(kw_only=True)
class Ground:
    """Entering makes it; leaving removes it, and every container that carries `label`."""

    docker: DockerClient
    postgres_image: str
    scratch: Path
    master_password: str
    name: str = field(default_factory=lambda: f"pactum-contract-{os.getpid()}-{secrets.token_hex(2)}")
    _exit: ExitStack = field(default_factory=ExitStack)
    _root_password: str = field(default_factory=lambda: secrets.token_hex(16))

    @classmethod
    def of(cls, docker: DockerClient, images: BaseImages, given: Given) -> Self:
        """The ground for what is given to an image's processes."""
        return cls(
            docker=docker,
            postgres_image=f"{images.prefix}/{POSTGRES}",
            scratch=Place().scratch,
            master_password=given.secrets["DATABASE_MASTER_PASSWORD"],
        )

    @property
    def label(self) -> str:
        return f"{LABEL}={self.name}"

    @property
    def ca_file(self) -> Path:
        return self.scratch / f"{self.name}.pem"

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _make(self) -> None:
        key = self._certificate()
        self._exit.callback(self.docker.attempt, "network", "rm", self.name, timeout_seconds=60)
        self._exit.callback(self._remove_containers)
        self.docker.run("network", "create", "--label", self.label, self.name)
        self.docker.run(
            *("run", "--detach", "--label", self.label, "--name", self._server, "--network", self.name),
            *("--network-alias", "database", "--network-alias", OTHER_NAME, "--entrypoint", "sh"),
            *("--env", f"TLS_KEY={key}", "--env", f"TLS_CERTIFICATE={self.ca_file.read_text(encoding='utf-8')}"),
            *("--env", f"POSTGRES_PASSWORD={self._root_password}", "--env", f"POSTGRES_DB={DATABASE}"),
            *(self.postgres_image, "-c", START),
        )
        self._wait()
        # What RDS' master user is: no superuser, but it may create roles and databases, and owns the app's database.
        self.sql(f"CREATE ROLE {MASTER_USER} LOGIN CREATEROLE CREATEDB PASSWORD '{self.master_password}'")
        self.sql(f"ALTER DATABASE {DATABASE} OWNER TO {MASTER_USER}")
        self.sql(f"CREATE DATABASE {EMPTY_DATABASE} OWNER {MASTER_USER}")

    @property
    def _server(self) -> str:
        return f"{self.name}-database"

    def _certificate(self) -> str:
        """Make the server's certificate, which is its own authority; answers the key."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        key = self.ca_file.with_suffix(".key")
        self._exit.callback(self.ca_file.unlink, missing_ok=True)
        self._exit.callback(key.unlink, missing_ok=True)
        bounded.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", "/CN=database", "-addext", "subjectAltName=DNS:database"),
                *("-keyout", str(key), "-out", str(self.ca_file)),
            ],
            failure="A certificate for the database could not be made",
            remedy="Install openssl 1.1.1 or newer.",
            timeout_seconds=60,
        )
        self.ca_file.chmod(0o644)
        return key.read_text(encoding="utf-8")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                log = self.docker.attempt("logs", "--tail", "5", self._server, timeout_seconds=30)
                raise RehearsalError(
                    f"{self.postgres_image} does not answer after {START_SECONDS} s:\n{log.stdout}{log.stderr}"
                )
            time.sleep(0.3)

    def _answers(self) -> bool:
        return self._psql(DATABASE, ROOT, "SELECT 1").returncode == 0

    def sql(self, statement: str, *, database: str = DATABASE) -> str:
        """Ask the database as its superuser; answers the bare values."""
        done = self._psql(database, ROOT, statement)
        if done.returncode:
            raise RehearsalError(f"The contract's database refused `{statement}`: {done.stderr.strip()}")
        return done.stdout.strip()

    def refusal(self, user: str, statement: str) -> str:
        """What the database says against a statement of this user's; empty when it was carried out."""
        done = self._psql(DATABASE, user, statement)
        return done.stderr.strip() if done.returncode else ""

    def _psql(self, database: str, user: str, statement: str) -> subprocess.CompletedProcess[str]:
        # Inside its container the server trusts everybody.
        return self.docker.attempt(
            *("exec", self._server, "psql", "-h", "127.0.0.1", "-U", user, "-v", "ON_ERROR_STOP=1"),
            *("-d", database, "-tAc", statement),
            timeout_seconds=30,
        )

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """While inside, the database takes connections and answers nothing."""
        self._persist("pause")
        try:
            yield
        finally:
            self._persist("unpause")

    def _persist(self, verb: str) -> None:
        """On a busy machine the kernel's freezer gives up now and then."""
        for _ in range(PAUSE_ATTEMPTS - 1):
            if not self.docker.attempt(verb, self._server, timeout_seconds=60).returncode:
                return
            time.sleep(0.3)
        self.docker.run(verb, self._server)

    def _remove_containers(self) -> None:
        listed = self.docker.attempt(
            "ps", "--all", "--quiet", "--filter", f"label={self.label}", timeout_seconds=60
        ).stdout.split()
        if listed:
            self.docker.attempt("rm", "--force", "--volumes", *listed, timeout_seconds=120)
