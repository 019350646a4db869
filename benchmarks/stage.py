"""The scene of a benchmark: a network, a PostgreSQL with TLS and data; all of it removed in the end."""

import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import certificates
from benchmarks.errors import MeasurementError
from benchmarks.sides import CA_IN_CONTAINER, Side, common_environment
from rehearsal import processes
from rehearsal.docker_client import DockerClient, last_lines

NAME = "pactum-benchmark"
DATABASE_SECONDS = 60
MIGRATION_SECONDS = 90
MASTER = {"DATABASE_MASTER_USER": "master", "DATABASE_MASTER_PASSWORD": "benchmark-master-password"}
DATA = """
INSERT INTO agreements_agreement (title, terms, status, created_at)
  SELECT 'Agreement ' || n, repeat('The parties agree on what is written here. ', 20), 'active', now()
  FROM generate_series(1, 50) n;
INSERT INTO agreements_party (agreement_id, name)
  SELECT id, 'Party ' || p || ' of ' || title FROM agreements_agreement, generate_series(1, 2) p;
ANALYZE;
"""
COUNT = "SELECT count(DISTINCT agreement_id) || ' with ' || count(*) FROM agreements_party"
COUNTED = "50 with 100"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A network with a database in it."""

    docker: DockerClient
    label: str
    postgres_image: str
    scratch: Path
    secret_key: str

    @property
    def database(self) -> str:
        return f"{self.label}-database"

    def run_options(self, side: Side, **changes: str) -> list[str]:
        """Options of `docker create` for a container of one side."""
        environment = {**common_environment(self.secret_key), **side.environment, **changes}
        return [
            f"--label={self.label}",
            f"--network={self.label}",
            f"--volume={self.scratch / 'ca.pem'}:{CA_IN_CONTAINER}:ro",
            *side.options,
            *(f"--env={name}={value}" for name, value in environment.items()),
        ]

    def sql(self, statement: str) -> str:
        """Run SQL as the superuser and return the bare rows."""
        return self.docker.run("exec", *self.psql(), "-tAc", statement, timeout_seconds=30).strip()

    def psql(self) -> list[str]:
        """The arguments of `docker exec` for psql."""
        login = ["--env=PGPASSWORD=root-password", self.database, "psql", "-h", "127.0.0.1", "-U", "postgres", "pactum"]
        return [*login, "--quiet", "--set=ON_ERROR_STOP=1"]

    def wait_for_database(self) -> None:
        deadline = time.monotonic() + DATABASE_SECONDS
        while True:
            asked = self.docker.attempt("exec", *self.psql(), "-tAc", "SELECT 1", timeout_seconds=30)
            if asked.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise MeasurementError(f"PostgreSQL does not answer:\n{last_lines(asked.stderr)}")
            time.sleep(0.2)


@contextmanager
def staged(docker: DockerClient, label: str, postgres_image: str) -> Iterator[Stage]:
    """Set the stage; whatever happens, nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="pactum-benchmark-") as directory:
        scratch = Path(directory)
        stage = Stage(docker=docker, label=label, postgres_image=postgres_image, scratch=scratch,
                      secret_key=secrets.token_urlsafe(60))  # fmt: skip
        try:
            certificates.make(scratch, "database")
            scratch.chmod(0o755)
            _start_database(stage)
            yield stage
        finally:
            clear(docker, label)


def _start_database(stage: Stage) -> None:
    run, label = stage.docker.run, stage.label
    run("network", "create", "--label", label, label)
    run("volume", "create", "--label", label, label)
    # The key must belong to the server's user, which this machine does not have.
    run(
        "run", "--rm", "--label", label, "--user", "0", "--entrypoint", "sh", "--volume", f"{label}:/tls",
        "--volume", f"{stage.scratch}:/made:ro", stage.postgres_image,
        "-c", "cp /made/server.* /tls && chown -R postgres /tls && chmod 600 /tls/server.key",
    )  # fmt: skip
    run(
        "run", "--detach", "--label", label, "--name", stage.database, "--network", label,
        "--network-alias", "database", "--volume", f"{label}:/tls:ro", "--tmpfs", "/dev/shm",  # noqa: S108 - PostgreSQL's own
        "--env", "POSTGRES_USER=postgres", "--env", "POSTGRES_DB=pactum", "--env", "POSTGRES_PASSWORD=root-password",
        stage.postgres_image, "postgres", "-c", "fsync=off", "-c", "ssl=on", "-c", "ssl_cert_file=/tls/server.pem",
        "-c", "ssl_key_file=/tls/server.key", "-c", "max_connections=200",
    )  # fmt: skip
    stage.wait_for_database()
    # As on RDS: the master may create roles and owns the database, and is no superuser.
    stage.sql(f"CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD '{MASTER['DATABASE_MASTER_PASSWORD']}'")
    stage.sql("ALTER DATABASE pactum OWNER TO master")


def fill(stage: Stage, side: Side, image: str) -> None:
    """Migrate by our image, which also makes the login that both sides use, and add the data."""
    stage.docker.run(
        "run", "--rm", *stage.run_options(side, **MASTER), image, "python", "manage.py", "migrate_safely",
        timeout_seconds=MIGRATION_SECONDS,
    )  # fmt: skip
    stage.sql(DATA)
    if (found := stage.sql(COUNT)) != COUNTED:
        raise MeasurementError(f"The database has agreements and parties {found} instead of {COUNTED}.")


def label_of_this_run() -> str:
    return f"{NAME}-{os.getpid()}"


def clear_ended(docker: DockerClient) -> None:
    """Remove what runs left that were killed, or whose engine was."""
    listings = (
        ("ps", "--all", "--format", "{{.Labels}}"),
        ("image", "ls", "--format", "{{.Repository}}"),
        ("network", "ls", "--format", "{{.Name}}"),
        ("volume", "ls", "--format", "{{.Name}}"),
    )
    text = "\n".join(docker.attempt(*listing, timeout_seconds=30).stdout for listing in listings)
    for label in sorted(set(re.findall(rf"\b{NAME}-\d+\b", text))):
        if processes.started_at(int(label.rpartition("-")[2])) is None:
            clear(docker, label)


def clear(docker: DockerClient, label: str) -> None:
    """Remove containers, volumes, networks and images of a run."""
    listing = ["ps", "--all", "--quiet", "--filter", f"label={label}"]
    if containers := docker.attempt(*listing, timeout_seconds=30).stdout.split():
        docker.attempt("rm", "--force", "--volumes", *containers, timeout_seconds=120)
    docker.attempt("network", "rm", label, timeout_seconds=60)
    docker.attempt("volume", "rm", label, timeout_seconds=60)
    listing = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={label}-*"]
    for reference in docker.attempt(*listing, timeout_seconds=30).stdout.split():
        docker.attempt("image", "rm", "--force", reference, timeout_seconds=60)
