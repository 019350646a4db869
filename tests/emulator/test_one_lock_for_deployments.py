"""Deployments under UpdateService at the very moment in which another thread changes them."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ministack.services import ecs
from rehearsal.emulator import service_scheduler
from rehearsal.emulator.service_scheduler import Scheduler

NAMES = {"cluster": "locks", "service": "web"}


@pytest.fixture
def service(scheduler: Scheduler) -> Iterator[dict[str, Any]]:
    """A service of no tasks whose first deployment has completed."""
    ecs._create_cluster({"clusterName": "locks"})
    ecs._create_service(NAMES | {"serviceName": "web", "taskDefinition": "one:1", "desiredCount": 0})
    made = ecs._services["locks/web"]
    scheduler.tend("locks", made)
    yield made
    ecs._delete_service(NAMES)


class Interrupted(dict[str, Any]):
    """A deployment that has something else happen while it is looked at for the second time."""

    looks = 0
    happen: Callable[[], None] = staticmethod(lambda: None)

    def get(self, key: str, default: Any = None) -> Any:
        """Let it happen first."""
        if key == "status":
            self.looks += 1
            if self.looks == 2:
                self.happen()
        return super().get(key, default)


def update() -> threading.Thread:
    """Have another thread deploy another revision; wait a little, but not for its end."""
    thread = threading.Thread(target=ecs._update_service, args=(NAMES | {"taskDefinition": "two:1"},), daemon=True)
    thread.start()
    thread.join(timeout=0.3)
    return thread


def test_a_deployment_made_during_a_refresh_is_not_lost(service: dict[str, Any]) -> None:
    updates: list[threading.Thread] = []
    looked_at = Interrupted(service["deployments"][0])
    looked_at.happen = lambda: updates.append(update())  # type: ignore[method-assign]
    service["deployments"] = [looked_at]
    ecs._refresh_service_state("locks", "service:web")
    updates[0].join(timeout=5)
    found = [(d["taskDefinition"], d["status"]) for d in service["deployments"]]
    assert ("two:1", "PRIMARY") in found, "a service without a primary deployment is never tended again"


@pytest.mark.parametrize(
    "change",
    [
        lambda: ecs._update_service(NAMES | {"taskDefinition": "two:1"}),
        lambda: ecs._create_service(NAMES | {"serviceName": "other", "taskDefinition": "one:1", "desiredCount": 0}),
        lambda: ecs._delete_service(NAMES),
        lambda: ecs._refresh_service_state("locks", "service:web"),
    ],
    ids=["update", "create", "delete", "refresh"],
)
@pytest.mark.usefixtures("service")
def test_no_call_changes_a_service_while_the_scheduler_decides(scheduler: Scheduler, change: Any) -> None:
    ecs._services.pop("locks/other", None)
    thread = threading.Thread(target=change, daemon=True)
    with scheduler.lock:
        thread.start()
        thread.join(timeout=0.2)
        assert thread.is_alive(), "what was decided would be done to another deployment"
    thread.join(timeout=5)
    assert not thread.is_alive(), "it only waits for its turn"


def test_completing_a_deployment_that_was_replaced_meanwhile_does_nothing(service: dict[str, Any]) -> None:
    ecs._update_service(NAMES | {"taskDefinition": "two:1"})
    decided = service["deployments"][0]
    ecs._update_service(NAMES | {"taskDefinition": "three:1"})
    service_scheduler.complete(service, decided)
    found = {d["taskDefinition"]: d["rolloutState"] for d in service["deployments"]}
    assert found["three:1"] == "IN_PROGRESS", "no task of it has started yet"
    assert found["one:1"] == "COMPLETED", "this is what a rollback goes back to"


def test_completing_a_deployment_that_has_failed_does_nothing(service: dict[str, Any]) -> None:
    ecs._update_service(NAMES | {"taskDefinition": "two:1"})
    primary = service["deployments"][0]
    primary["rolloutState"] = "FAILED"
    service_scheduler.complete(service, primary)
    assert primary["rolloutState"] == "FAILED", "the circuit breaker's word is final"
