"""One request to a load balancer, asked the way a user's browser would ask it, on a connection of its own."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass

TIMEOUT_SECONDS = 5
MOST_BYTES = 65536


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where to connect, and whom to ask for there."""

    connect_host: str
    connect_port: int
    tls: bool
    """Whether to speak TLS, and to verify the certificate for `host`."""
    host: str
    host_header: str


def get(door: Door, path: str, *, agent: str) -> tuple[int, bytes]:
    """Return the status and the beginning of what is answered.

    Raises:
        OSError, http.client.HTTPException: there is no answer; ssl.SSLCertVerificationError is one of the first.

    """
    plain = socket.create_connection((door.connect_host, door.connect_port), TIMEOUT_SECONDS)
    with plain:
        connected = plain
        if door.tls:
            connected = ssl.create_default_context().wrap_socket(plain, server_hostname=door.host)
        with connected:
            connection = http.client.HTTPConnection(door.host)
            connection.sock = connected
            headers = {"Host": door.host_header, "Accept": "application/json", "User-Agent": agent}
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            with connection.getresponse() as response:
                return response.status, response.read(MOST_BYTES)
