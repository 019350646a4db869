"""Ports that must be free before anything is made."""

import socket

from rehearsal.emulator.settings import CannotStartError, Settings


def check_ports(settings: Settings) -> None:
    """Raise CannotStartError if a port that will be listened on is taken."""
    wanted = {"REHEARSAL_PORT": settings.port, "REHEARSAL_FRONT_PORT": settings.front_port}
    for name, port in wanted.items():
        if not port:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CannotStartError(
                    f"port {port} on 127.0.0.1 is taken; end the process that has it or set {name} to another port"
                ) from error
