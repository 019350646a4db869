"""The test image's HTTP server: boots slowly, is unwell or works slowly as its environment says."""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("VERSION", "1")
HEALTH = int(os.environ.get("HEALTH", "200"))
ANSWER = int(os.environ.get("ANSWER", "200"))


class Handler(BaseHTTPRequestHandler):
    """Answers every path; /healthz with the status asked for, /go with a redirect to this host."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/go":
            self.answer(302, "", Location=f"http://{self.headers['Host']}/landed", **{"Set-Cookie": "a=1; Secure"})
        elif self.path == "/headers":
            self.answer(200, "\n".join(f"{k.lower()}: {v}" for k, v in self.headers.items()))
        elif self.path == "/slow":
            time.sleep(2)
            self.answer(200, "slow")
        else:
            self.answer(HEALTH if self.path == "/healthz" else ANSWER, f"version {VERSION}")

    def answer(self, status: int, text: str, **headers: str) -> None:
        """Send one response."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


if os.environ.get("CRASH"):
    print("this release cannot start", flush=True)
    sys.exit(7)
time.sleep(float(os.environ.get("BOOT_SECONDS", "0")))
server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)  # noqa: S104
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
