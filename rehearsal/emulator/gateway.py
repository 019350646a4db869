"""The AWS endpoint: MiniStack's application behind two doors of our own (balancer names, list of extensions)."""

from typing import Any

from ministack import app as ministack_app

from rehearsal.emulator.balancer import Balancers, Receive, Scope, Send, joined_headers, listener_port, send_json

EXTENSIONS_PATH = "/_rehearsal/extensions"


class Gateway:
    """An ASGI application that decides who answers."""

    def __init__(self, balancers: Balancers, description: dict[str, Any]) -> None:
        self._balancers = balancers
        self._description = description

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] == "http":
            host = joined_headers(scope).get("host", "")
            found = self._balancers.find(host)
            if found is not None:
                await self._balancers.serve(found, listener_port(host), scope, receive, send)
                return
            if scope["path"] == EXTENSIONS_PATH:
                await send_json(send, 200, self._description)
                return
        await ministack_app.app(scope, receive, send)
