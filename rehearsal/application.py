"""What a rehearsal knows of the application: its paths, and the checks that it brings itself.

An image's context may hold `rehearsal_checks.py`, which .dockerignore keeps out of the image. Its functions named
`check_...` take a `Site` and are smoke tests under the rest of their name: any exception is what they found.
`PATHS` in it are the pages that users ask for while releases are rolled out (default: "/").
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Protocol

from rehearsal.balancer_client import BalancerClient
from rehearsal.errors import RehearsalError

CHECKS_FILE = "rehearsal_checks.py"
PREFIX = "check_"
READINESS_PATH = "/readyz"


class Site(Protocol):
    """The application as users have it, for the checks it brings itself."""

    @property
    def url(self) -> str:
        """Where users reach it."""
        ...

    def user(self) -> BalancerClient:
        """A new user, without cookies, who asks through the load balancer."""
        ...

    def replace_tasks(self) -> None:
        """Stop every task that runs, and wait until others answer in their place."""
        ...


Check = Callable[[Site], None]


@dataclass(frozen=True, kw_only=True)
class Application:
    """Where the readiness is asked, the pages that users ask for, and the application's own checks by name."""

    readiness_path: str = READINESS_PATH
    pages: tuple[str, ...] = ("/",)
    checks: Mapping[str, Check] = field(default_factory=dict)


def read(root: Path, values: Mapping[str, str]) -> Application:
    """The application that a stack's configuration names. RehearsalError where its own checks cannot be loaded."""
    path = root / values.get("pactum:imageContext", "app_image") / CHECKS_FILE
    readiness = values.get("pactum:readinessPath", READINESS_PATH)
    if not path.is_file():
        return Application(readiness_path=readiness)
    module = _load(path)
    checks = {name.removeprefix(PREFIX): found for name, found in vars(module).items() if name.startswith(PREFIX)}
    pages = getattr(module, "PATHS", ("/",))
    if not pages or not all(isinstance(page, str) and page[:1] == "/" for page in pages):
        raise RehearsalError(f"PATHS in {path} must be a list of paths.", remedy='Write it like ("/", "/orders/").')
    return Application(readiness_path=readiness, pages=tuple(pages), checks=checks)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RehearsalError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RehearsalError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}.",
            remedy="Correct it. It runs in the rehearsal's own Python, not in the image: it can import neither Django"
            " nor the application.",
        ) from error
    return module
