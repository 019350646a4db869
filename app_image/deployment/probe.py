"""Asks the server in this container whether it is alive, for HEALTHCHECK and ECS: exits with 0 or 1 and says why not.

It imports as little as it can, for it runs every five seconds: `python -SE /app/deployment/probe.py`.
"""

import os
import socket
import sys

# Below the four seconds after which the health check itself gives up: its output would be lost.
TIMEOUT_SECONDS = 3.5


def ask(port: str, path: str) -> str:
    """Return the status line of the answer. OSError when there is none in time."""
    with socket.create_connection(("127.0.0.1", int(port)), TIMEOUT_SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nUser-Agent: probe\r\n\r\n".encode())
        return connection.recv(4096).decode("latin-1").partition("\r\n")[0]


def main() -> None:
    port = os.environ.get("PORT") or "8000"
    path = os.environ.get("HEALTH_PATH") or "/healthz"
    try:
        status = ask(port, path)
    except (OSError, ValueError) as error:
        sys.exit(f"port {port} does not answer on {path}: {error}")
    if not status.startswith("HTTP/") or status.split(" ")[1:2] != ["200"]:
        sys.exit(f"{path} answers {status!r}, not 200")


if __name__ == "__main__":
    main()
