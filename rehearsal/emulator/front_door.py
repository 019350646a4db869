"""The balancer for a browser: http://127.0.0.1:PORT/ with the names in the headers translated on the way.

A browser cannot resolve the balancer's DNS name, and the application must see that name: as Host (ALLOWED_HOSTS), as
Origin and Referer (CSRF), and it may redirect to it. So requests get the name, and answers lose it again. Cookies lose
`Secure`, because the way to this door is plain HTTP even where the balancer's listener is HTTPS.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from ministack.services import alb

from rehearsal.emulator.balancer import Balancers, Receive, Scope, Send
from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="front door",
    rule="A browser reaches the balancer on loopback; the HTTPS listener's rules apply where there is one",
    source="none: a door into the rehearsal, not of AWS",
)
HTTPS_PORT = 443
HTTP_PORT = 80
Headers = list[tuple[bytes, bytes]]
NO_BALANCER = b"There is no load balancer yet.\n"
LINKS_HOME = (b"origin", b"referer")
SECURE = re.compile(rb";\s*secure\b", re.IGNORECASE)


def listener(ports: set[int]) -> int:
    """HTTPS if the balancer listens there (port 80 then only redirects to it), else HTTP."""
    return HTTPS_PORT if HTTPS_PORT in ports else min(ports, default=HTTP_PORT)


def inbound(headers: Headers, name: str, scheme: str) -> Headers:
    """Speak of the balancer's name where the browser spoke of this door."""
    translated = [(b"host", name.encode())]
    for key, value in headers:
        low = key.lower()
        if low in LINKS_HOME and value != b"null":
            translated.append((low, _at(value.decode("latin-1"), f"{scheme}://{name}").encode("latin-1")))
        elif low != b"host":
            translated.append((low, value))
    return translated


def outbound(headers: Headers, name: str) -> Headers:
    """Keep the browser at this door: redirects become relative, cookies work over HTTP, HSTS is dropped."""
    translated = []
    for key, value in headers:
        low = key.lower()
        if low == b"location" and urlsplit(value.decode("latin-1")).hostname == name.lower():
            translated.append((key, _at(value.decode("latin-1"), "").encode("latin-1") or b"/"))
        elif low == b"set-cookie":
            translated.append((key, SECURE.sub(b"", value)))
        elif low != b"strict-transport-security":
            translated.append((key, value))
    return translated


def _at(url: str, base: str) -> str:
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{base}{parts.path}{query}{fragment}"


class FrontDoor:
    """An ASGI application that passes everything on to the first load balancer."""

    def __init__(self, balancers: Balancers) -> None:
        self._balancers = balancers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._balancers.first()
        if found is None:
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(NO_BALANCER)).encode())]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": NO_BALANCER})
            return
        balancer = found[1]
        port = listener(listener_ports(balancer["LoadBalancerArn"]))
        scheme = "https" if port == HTTPS_PORT else "http"

        async def send_translated(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": outbound(list(message.get("headers", [])), balancer["DNSName"])}
            await send(message)

        asked = {**scope, "headers": inbound(list(scope["headers"]), balancer["DNSName"], scheme)}
        await self._balancers.serve(found, port, asked, receive, send_translated)


def listener_ports(balancer_arn: str) -> set[int]:
    """The ports that a load balancer listens on."""
    return {
        int(one.get("Port", HTTP_PORT))
        for one in list(alb._listeners._data.values())
        if one["LoadBalancerArn"] == balancer_arn
    }


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
