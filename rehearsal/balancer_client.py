"""Asks the application through the emulated load balancer, as a user's browser would."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rehearsal.place import Place

ANSWER_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(kw_only=True)
class BalancerClient:
    """One user: keeps cookies, and reaches the balancer's DNS name at the emulator's port."""

    place: Place
    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Answer:
        """Send one request on a connection of its own. OSError or http.client.HTTPException when none answers."""
        parts = urlsplit(self.url)
        # The emulator tells the HTTPS listener from the HTTP one by the port in the Host header.
        host = f"{parts.hostname}:443" if parts.scheme == "https" else str(parts.hostname)
        sent = {"Host": host, "Connection": "close", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.place.gateway_port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            text = response.read().decode("utf-8", errors="replace")
            for cookie in response.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name.strip()] = value.strip()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, body=text)
        finally:
            connection.close()

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers=headers)
