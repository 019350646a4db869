"""Spares the engine what Pulumi's SDK says about its own work.

The SDK sends some ten debug messages a resource, each a call to the engine that everything else waits for: a sixth of
prod's preview (https://github.com/pulumi/pulumi/issues/7292). The engine keeps them for `--debug` alone, and does not
tell the program whether it was given; so whoever wants them says so in the environment as well.
"""

import os

import pulumi

WANTED = "SDK_DEBUG_MESSAGES"
LEFT_OUT = f"messages of Pulumi's SDK about its own work are left out: set {WANTED}=1 to have them"


def leave_out() -> None:
    """Send no debug messages from now on but those about a resource, which the SDK itself never sends."""
    if os.environ.get(WANTED):
        return
    send = pulumi.log.debug

    def debug(
        msg: str,
        resource: pulumi.Resource | None = None,
        stream_id: int | None = None,
        ephemeral: bool | None = None,
    ) -> None:
        if resource is not None:
            send(msg, resource, stream_id, ephemeral)

    send(LEFT_OUT)
    pulumi.log.debug = debug
