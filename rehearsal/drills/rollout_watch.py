"""Watches the ECS service beside a drill, to know when ECS calls a deployment failed."""

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
    """Looks at the service several times a second, from entering to leaving. Times are by the monotonic clock."""

    updater: Updater
    failed_at: float | None = None
    reason: str = ""
    _known: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        # A client of its own: the drill's are used by other threads, and a slow answer must not be waited for there.
        client = emulator_client(self.updater.place, "ecs", self.updater.region)
        self._known = {item["id"] for item in self._failed(client)}
        self._thread = threading.Thread(target=self._look, args=(client,), name="rollout watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(30)

    def _look(self, client: Any) -> None:  # noqa: ANN401 - a boto3 client
        while not self._stop.wait(POLL_SECONDS):
            try:
                failed = [item for item in self._failed(client) if item["id"] not in self._known]
            except (BotoCoreError, ClientError):
                continue
            if failed:
                self.failed_at, self.reason = time.monotonic(), failed[0].get("rolloutStateReason", "")
                return

    def _failed(self, client: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a boto3 client
        live = self.updater.live
        if live is None:
            return []
        service = client.describe_services(cluster=live.cluster, services=[live.service])["services"][0]
        return [item for item in service["deployments"] if item.get("rolloutState") == "FAILED"]
