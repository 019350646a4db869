"""Reaching the load balancer as a browser would: by its listeners, by domain, with the certificate verified."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ops.balancer import Balancer, ask_readiness, find_balancer
from ops.errors import CannotAct
from tests.ops_fakes.account import DNS_NAME, RELEASE
from tests.ops_fakes.world import World, connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

HTTP = {"Protocol": "HTTP", "Port": 80}
HTTPS = {"Protocol": "HTTPS", "Port": 443}


def find(
    *listeners: dict[str, Any],
    domain: str | None = None,
    allowed_hosts: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Balancer:
    world = World(listeners=list(listeners))
    service = world.serve(world.deployment(world.define("web", 1), "COMPLETED"))
    return find_balancer(
        connect(world).elbv2,
        service,  # type: ignore[arg-type]
        domain=domain,
        allowed_hosts=allowed_hosts,
        environment=environment or {},
    )


def test_a_plain_balancer_is_asked_by_its_own_name() -> None:
    balancer = find(HTTP)
    assert (balancer.connect_host, balancer.connect_port, balancer.tls) == (DNS_NAME, 80, False)
    assert balancer.host_header == DNS_NAME


def test_https_is_preferred_and_its_certificate_is_the_domains() -> None:
    balancer = find(HTTP, HTTPS, allowed_hosts=["", DNS_NAME, ".pactum.example", "app.pactum.example", "b.example"])
    assert (balancer.connect_host, balancer.connect_port, balancer.tls) == (DNS_NAME, 443, True)
    assert balancer.host == balancer.host_header == "app.pactum.example", "no certificate names the balancer itself"


def test_a_domain_given_by_hand_wins() -> None:
    assert find(HTTPS, domain="given.example", allowed_hosts=["app.pactum.example"]).host == "given.example"
    assert find(HTTP, domain="given.example").host_header == "given.example"


def test_https_without_any_domain_asks_for_one() -> None:
    with pytest.raises(CannotAct, match="--host DOMAIN"):
        find(HTTPS, allowed_hosts=["*"])


@pytest.mark.parametrize(("listener", "header"), [(HTTP, DNS_NAME), (HTTPS, f"{DNS_NAME}:443")])
def test_the_rehearsals_gateway_is_asked_by_the_balancers_name_and_listener(
    listener: dict[str, Any], header: str
) -> None:
    balancer = find(listener, environment={"OPS_CONNECT_TO": "127.0.0.1:4666"})
    assert (balancer.connect_host, balancer.connect_port, balancer.tls) == ("127.0.0.1", 4666, False)
    assert balancer.host_header == header


@pytest.mark.parametrize("value", ["127.0.0.1", ":4666", "127.0.0.1:port"])
def test_a_malformed_override_is_refused(value: str) -> None:
    with pytest.raises(CannotAct, match="HOST:PORT"):
        find(HTTP, environment={"OPS_CONNECT_TO": value})


def test_a_balancer_without_a_listener_is_named() -> None:
    with pytest.raises(CannotAct, match=DNS_NAME):
        find()


def test_nobody_listening_is_an_answer_and_not_an_exception() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        port = taken.getsockname()[1]
        balancer = Balancer(connect_host="127.0.0.1", connect_port=port, tls=False, host="x", host_header="x")
        answer = ask_readiness(balancer)
    assert answer.status is None
    assert "no answer" in answer.detail


class Answer(http.server.BaseHTTPRequestHandler):
    body = json.dumps({"status": "ok", "release": RELEASE}).encode()
    hosts: list[str] = []  # noqa: RUF012 - the test's notebook

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A refused handshake is what the test wants."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=pactum.example", "-addext", "subjectAltName=DNS:pactum.example"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *curve, *subject, *files], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def tls_port(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    Answer.hosts.clear()
    server = QuietServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def tls_balancer(port: int, domain: str) -> Balancer:
    return Balancer(connect_host="127.0.0.1", connect_port=port, tls=True, host=domain, host_header=domain)


def test_tls_is_verified_for_the_domain_and_not_for_the_address(tls_port: int) -> None:
    answer = ask_readiness(tls_balancer(tls_port, "pactum.example"))
    assert answer.serves(RELEASE), answer.detail
    assert Answer.hosts == ["pactum.example"]


def test_a_certificate_for_another_domain_is_never_taken_for_ready(tls_port: int) -> None:
    answer = ask_readiness(tls_balancer(tls_port, "other.example"))
    assert not answer.serves(RELEASE)
    assert "not valid for other.example" in answer.detail
