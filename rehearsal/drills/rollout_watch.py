"""Watches the ECS service beside a drill, to know when ECS gives a deployment up."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.realisers.tools import emulator_client
from rehearsal.updater import Updater

POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class RolloutWatch:
    """Looks at the service several times a second, from entering to leaving. Times are by the monotonic clock.

    ECS gives a deployment up when it calls it FAILED, or tells at the primary that it is rolling back to that one: it
    may list the other as IN_PROGRESS for a minute more.
    """

    updater: Updater
    given_up_at: float | None = None
    reason: str = ""
    _known: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        # A client of its own: the drill's are used by other threads, and a slow answer must not be waited for there.
        client = emulator_client(self.updater.place, "ecs", self.updater.region)
        self._known = {item["id"] for item in self._given_up(client)}
        self._thread = threading.Thread(target=self._look, args=(client,), name="rollout watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(30)

    def _look(self, client: Any) -> None:  # noqa: ANN401 - a boto3 client
        last = False
        # Once more at the end: the update may have seen it a moment before.
        while not last:
            last = self._stop.wait(POLL_SECONDS)
            try:
                found = [item for item in self._given_up(client) if item["id"] not in self._known]
            except (BotoCoreError, ClientError):
                continue
            if found:
                self.given_up_at, self.reason = time.monotonic(), found[0].get("rolloutStateReason", "")
                return

    def _given_up(self, client: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a boto3 client
        """Deployments that are FAILED, and the one that ECS returns to."""
        live = self.updater.live
        if live is None:
            return []
        service = client.describe_services(cluster=live.cluster, services=[live.service])["services"][0]
        return [item for item in service["deployments"] if _is_failed(item) or _is_returned_to(item)]


def _is_failed(deployment: dict[str, Any]) -> bool:
    return bool(deployment.get("rolloutState") == "FAILED")


def _is_returned_to(deployment: dict[str, Any]) -> bool:
    # What it was returned to earlier is COMPLETED, and may keep the words.
    says = "rolling back" in deployment.get("rolloutStateReason", "").lower()
    return says and deployment.get("status") == "PRIMARY" and deployment.get("rolloutState") == "IN_PROGRESS"
