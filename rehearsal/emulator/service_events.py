"""The events of an ECS service, in the words of ECS, where operators and `ops verify` read them."""

import logging
from typing import Any

from ministack.services import ecs

logger = logging.getLogger("rehearsal.services")
KEPT = 100  # as ECS keeps them


def event(service: dict[str, Any], text: str) -> None:
    """Add a service event in the words of ECS."""
    message = f"(service {service['serviceName']}) {text}"
    logger.info("%s", message)
    service["events"].insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": message})
    del service["events"][KEPT:]
