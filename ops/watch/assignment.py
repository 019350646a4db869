"""What is watched: read from the environment that infra/observability/watch.py writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class AssignmentError(Exception):
    """The environment does not say what to watch."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One stack: its names, and what of it is looked at."""

    name: str
    """The cluster, the group of its schedules, and what families begin with."""
    namespace: str
    readiness_url: str
    balancer: str
    """The balancer's own name, also where users know it by a domain."""
    connect_to: str
    """Where requests for it are sent instead, as in the rehearsal; mostly empty."""
    services: tuple[str, ...]
    jobs: tuple[str, ...]
    secrets: tuple[str, ...]
    item: str
    """The key under which the watch remembers when jobs succeeded."""

    @property
    def table(self) -> str:
        return f"{self.name}-releases"

    def family(self, job: str) -> str:
        """The family of a job's task definitions, and the name of its schedule."""
        return f"{self.name}-{job}"


def read(environment: Mapping[str, str]) -> Assignment:
    """Read it. Raises AssignmentError."""
    try:
        common, rests = json.loads(environment["SECRETS_BY_NAME"])
        return Assignment(
            name=environment["NAME"],
            namespace=environment["NAMESPACE"],
            readiness_url=environment["READINESS_URL"],
            balancer=environment["BALANCER"],
            connect_to=environment.get("OPS_CONNECT_TO", ""),
            services=_listed(environment["SERVICES"]),
            jobs=_listed(environment["JOBS"]),
            secrets=tuple(f"{common}{rest}" for rest in rests),
            item=environment["ITEM"],
        )
    except KeyError as error:
        raise AssignmentError(f"the function's environment has no {error.args[0]}; an update writes it") from error
    except (ValueError, TypeError) as error:
        raise AssignmentError(f"SECRETS_BY_NAME in the function's environment cannot be read: {error}") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))
