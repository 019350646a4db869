"""The balancer's data plane: requests go to healthy targets only, and never to the emulator's own pages."""

import itertools
import json
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack_app
from ministack.core.responses import StreamingResponse, request_scope
from ministack.services import acm, alb

from rehearsal.emulator.balancer_metrics import Answer, BalancerMetrics
from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.target_health import TargetRegistry, group_by_arn
from rehearsal.emulator.waiting_requests import WaitingRequests

EXTENSION = Extension(
    name="balancer routing",
    rule=(
        "Requests go round robin to healthy targets; to all of them only when all are unhealthy (fail open); a request "
        "for the balancer's DNS name is always the balancer's; X-Forwarded-* and X-Amzn-Trace-Id are added"
    ),
    source="Routing algorithms; Health checks for Application Load Balancer target groups; HTTP headers and ALBs",
)
UNAVAILABLE = (
    b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    b"<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"
)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
under_way: ContextVar[Answer] = ContextVar("under_way")


def eligible(states: list[tuple[Any, str]]) -> list[Any]:
    """Who may get a request: the healthy, or everybody registered if each and every one is unhealthy."""
    healthy = [target for target, state in states if state == "healthy"]
    if healthy:
        return healthy
    return [target for target, _ in states] if all(state == "unhealthy" for _, state in states) else []


def is_users_domain(name: str) -> bool:
    """Whether a host name without port can only be the domain that users type."""
    own = name.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws", ".localhost", ".internal"))
    return "." in name and not own and not name.replace(".", "").isdigit()


class Balancers:
    """Finds load balancers across accounts and regions, and serves their requests."""

    def __init__(self, registry: TargetRegistry, metrics: BalancerMetrics) -> None:
        self._registry = registry
        self._metrics = metrics
        self.waiting = WaitingRequests()
        self._turn = itertools.count()
        self._lock = threading.Lock()

    def find(self, host: str) -> tuple[tuple[str, str], dict[str, Any]] | None:
        """((account, region), load balancer) that this name leads to, port ignored.

        A name that is neither AWS's nor this machine's is the users' domain: it leads to the balancer with a
        certificate for it (Route 53 tells a browser so), and else to the first.
        """
        name = host.rsplit(":", 1)[0].lower()
        for (account, region, _arn), balancer in list(alb._lbs._data.items()):
            if balancer["DNSName"].lower() == name:
                return (account, region), balancer
        return self._certified(name) or self.first() if is_users_domain(name) else None

    def _certified(self, name: str) -> tuple[tuple[str, str], dict[str, Any]] | None:
        """The load balancer whose HTTPS listener has a certificate for this domain, or for the one it is part of."""
        for (account, region, _arn), listener in list(alb._listeners._data.items()):
            for arn in listener.get("Certificates", []):
                domain = acm._certificates._data.get((account, region, arn), {}).get("DomainName", "").lower()
                balancer = alb._lbs._data.get((account, region, listener["LoadBalancerArn"]))
                if balancer and domain and (name == domain or name.endswith(f".{domain}")):
                    return (account, region), balancer
        return None

    def first(self) -> tuple[tuple[str, str], dict[str, Any]] | None:
        """The oldest load balancer there is."""
        for (account, region, _arn), balancer in list(alb._lbs._data.items()):
            return (account, region), balancer
        return None

    async def serve(
        self, found: tuple[tuple[str, str], dict[str, Any]], port: int, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one HTTP request as the balancer's listener on this port would."""
        tenant, balancer = found
        headers = joined_headers(scope)
        body = await ministack_app._read_request_body(receive, scope["method"], headers)
        query = scope.get("query_string", b"").decode("latin-1")
        raw_path = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else None
        answer = Answer(tenant=tenant, balancer=balancer["LoadBalancerArn"])
        under_way.set(answer)
        with request_scope(*tenant):
            response = await alb.dispatch_request(
                balancer,
                scope["method"],
                scope["path"],
                headers,
                body,
                parse_qs(query, keep_blank_values=True),
                port,
                client_ip=(scope.get("client") or ("127.0.0.1",))[0],
                raw_query_string=query,
                raw_path=raw_path,
            )
            answer.status = response[0]
            self._metrics.count(answer)
            await ministack_app._send_if_handled(send, response, receive, head=scope["method"] == "HEAD")

    def choose(self, group: str, registered: list[dict[str, Any]], default_port: int) -> dict[str, Any] | None:
        """The target for the next request."""
        states = [(t, self._registry.state(group, t["Id"], int(t.get("Port") or default_port))) for t in registered]
        candidates = eligible(states)
        if not candidates:
            return None
        with self._lock:
            return candidates[next(self._turn) % len(candidates)]  # type: ignore[no-any-return]


def joined_headers(scope: Scope) -> dict[str, str]:
    """An ASGI request's headers by lower-case name, repeated ones joined as HTTP says."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    return headers


def listener_port(host: str) -> int:
    """The listener that a Host header of `name` or `name:port` asks for at the gateway."""
    _, separator, port = host.rpartition(":")
    return int(port) if separator and port.isdigit() else 80


async def unavailable() -> tuple[int, dict[str, str], bytes]:
    """What a balancer without a target to turn to answers."""
    return 503, {"Content-Type": "text/html"}, UNAVAILABLE


def install(balancers: Balancers) -> None:
    """Replace MiniStack's random choice among all registered targets."""

    async def forward(
        tg_arn: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Any,
        raw_query_string: Any = None,
        raw_path: Any = None,
    ) -> Any:
        group = group_by_arn(tg_arn)
        if group is None or group.get("TargetType") not in ("ip", "instance"):
            return await original(tg_arn, method, path, headers, body, query_params, raw_query_string, raw_path)
        target = balancers.choose(tg_arn, alb._targets.get(tg_arn) or [], int(group.get("Port") or 80))
        if target is None:
            return await unavailable()
        answer = under_way.get()
        answer.target_group, began = tg_arn, time.monotonic()
        # Given an empty body, MiniStack adds `Content-Length: 0`, which no balancer adds to a request without a body.
        content = body or None
        response = await balancers.waiting.answer(
            str(target["Id"]),
            alb._proxy_http_target(
                target, group, method, raw_path or path, headers, content, query_params, raw_query_string
            ),
        )
        # What the target answers is passed on as it comes; anything else is the balancer's own word for its silence.
        if isinstance(response[2], StreamingResponse):
            answer.target_seconds = time.monotonic() - began
        return response

    require(
        alb,
        "dispatch_request",
        "(lb, method, path, headers, body, query_params, port=80, client_ip=None, raw_query_string=None, "
        "raw_path=None)",
    )
    require(alb, "_proxy_http_target", "(target, tg, method, path, headers, body, query_params, raw_query_string=None)")
    require(ministack_app, "_read_request_body", "(receive, method: str, headers: dict) -> bytes")
    require(ministack_app, "_send_if_handled", "(send, response, receive=None, *, head=False) -> bool")
    original = replace(
        alb,
        "_forward_to_tg",
        "(tg_arn, method, path, headers, body, query_params, raw_query_string=None, raw_path=None)",
        forward,
    )


async def send_json(send: Send, status: int, payload: Any) -> None:
    """Answer an ASGI request with JSON."""
    body = json.dumps(payload, indent=2).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
