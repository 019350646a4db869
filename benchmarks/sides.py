"""The two sides: what each is built from, and how its container is run."""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.errors import MeasurementError
from benchmarks.samples import OURS, USUAL, USUAL_KEPT
from infra.serving import serving
from rehearsal.place import PROJECT_ROOT

PORT = 8000
HOST = "pactum.example"
CA_IN_CONTAINER = "/made/ca.pem"
# A user that is in no image's list, as clusters choose one.
ARBITRARY_USER = "54321:54321"
HARDENED = ("--read-only", f"--user={ARBITRARY_USER}", "--cap-drop=ALL", "--security-opt=no-new-privileges")
LOGIN = {"DATABASE_USER": "pactum_app", "DATABASE_PASSWORD": "benchmark-app-password"}
# What any PostgreSQL can give one task of this size.
DATABASE_CONNECTIONS = 100
MEMORY_MIB_PER_CORE = 2048
# The file and the line that the rebuild changes, on both sides.
CHANGED_FILE, CHANGED_LINE = Path("agreements/views.py"), "    paginate_by = 25\n"
# Of the app's directory, what a developer's working copy has besides.
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc", ".ruff_cache", "staticfiles")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the two sides' files are."""

    app: Path = PROJECT_ROOT / "app_image"
    usual: Path = PROJECT_ROOT / "benchmarks" / "usual"

    def frozen(self, directory: Path) -> "Sources":
        """A copy, so that all runs measure the same, whatever is edited meanwhile."""
        copy = Sources(app=directory / "app_image", usual=directory / "usual")
        _copy(self.app, copy.app)
        _copy(self.usual, copy.usual)
        return copy


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to package the app. `lay_out` writes its build context into an empty directory."""

    name: str
    lay_out: Callable[[Path], None]
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> AbstractContextManager[str]:
        """A fresh copy of the build context, removed in the end."""
        return _Context(self.lay_out)


class _Context(AbstractContextManager[str]):
    def __init__(self, lay_out: Callable[[Path], None]) -> None:
        self._lay_out = lay_out
        self._directory = tempfile.TemporaryDirectory(prefix="pactum-benchmark-")

    def __enter__(self) -> str:
        name = self._directory.__enter__()
        self._lay_out(Path(name))
        return name

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()


def change_one_line(context: Path) -> None:
    """Change one line of the app's code, never twice to the same: a cached layer of an earlier run would be found."""
    path = context / CHANGED_FILE
    text = path.read_text(encoding="utf-8")
    if text.count(CHANGED_LINE) != 1:
        raise MeasurementError(
            f"{CHANGED_FILE} does not have the line {CHANGED_LINE!r} once: choose another to change."
        )
    path.write_text(text.replace(CHANGED_LINE, f"    paginate_by = 25 + {uuid.uuid4().int}\n"), encoding="utf-8")


def common_environment(secret_key: str) -> dict[str, str]:
    """What both sides are told alike."""
    return {
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": HOST,
        "DATABASE_HOST": "database",
        "DATABASE_NAME": "pactum",
        "DATABASE_SSLROOTCERT": CA_IN_CONTAINER,
        **LOGIN,
    }


def ours(sources: Sources, cores: int) -> Side:
    """Our image as a task definition runs it: hardened, and sized by infra/serving.py for a task like this machine."""
    size = serving(cpu=1024 * cores, memory_mib=MEMORY_MIB_PER_CORE * cores, connections=DATABASE_CONNECTIONS, tasks=1)
    return Side(
        name=OURS,
        lay_out=lambda directory: _copy(sources.app, directory),
        options=HARDENED,
        environment={
            "RELEASE": "sha256:benchmark",
            "HTTPS": "false",
            "WEB_CONCURRENCY": str(size.processes),
            "WEB_THREADS": str(size.threads),
            "DATABASE_POOL_MAX": str(size.connections),
        },
    )


def usual(sources: Sources) -> Side:
    return Side(name=USUAL, lay_out=lambda directory: _lay_out_usual(sources, directory))


def usual_kept(same: Side) -> Side:
    """The usual way as cookiecutter-django's settings have it: connections to the database are kept for a minute."""
    return replace(same, name=USUAL_KEPT, environment={"CONN_MAX_AGE": "60"})


def _lay_out_usual(sources: Sources, directory: Path) -> None:
    _copy(sources.usual, directory)
    _copy(sources.app / "agreements", directory / "agreements")
    shutil.copy2(sources.app / "requirements.txt", directory)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=LEFT_BEHIND, dirs_exist_ok=True)
