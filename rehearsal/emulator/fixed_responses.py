"""Answers that a load balancer gives by itself, such as a maintenance page."""

from typing import Any
from xml.sax.saxutils import escape

from ministack.services import alb

from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="fixed responses",
    rule="What a fixed response says has at most 1024 characters, and the API tells it as it was given, HTML too",
    source="Elastic Load Balancing API Reference, FixedResponseActionConfig",
)
LONGEST_MESSAGE = 1024


def install() -> None:
    """Refuse messages that AWS refuses; write the others into XML as text."""
    parse = require(alb, "_parse_actions", "(params, prefix='DefaultActions')")
    refuse = require(alb, "_error", "(code, message, status=400)")

    def action_xml(a: dict[str, Any]) -> str:
        config = a.get("FixedResponseConfig")
        if config:
            a = {**a, "FixedResponseConfig": {**config, "MessageBody": escape(config.get("MessageBody", ""))}}
        return str(original_xml(a))

    def create_rule(params: Any) -> Any:
        messages = [action.get("FixedResponseConfig", {}).get("MessageBody", "") for action in parse(params, "Actions")]
        if any(len(message) > LONGEST_MESSAGE for message in messages):
            return refuse(
                "ValidationError", f"The message of a fixed response has more than {LONGEST_MESSAGE} characters"
            )
        return original_create(params)

    original_xml = replace(alb, "_action_xml", "(a)", action_xml)
    original_create = replace(alb, "_create_rule", "(params)", create_rule)
