"""A web server that is up and never well."""  # noqa: INP001 - copied into an image

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Unhealthy(BaseHTTPRequestHandler):
    """Answers 503 to everything."""

    def do_GET(self) -> None:
        self.send_error(503, "this release never gets healthy")

    def log_request(self, *_: object) -> None:
        """One line for each answer is enough: send_error writes it."""


ThreadingHTTPServer(("", int(os.environ["PORT"])), Unhealthy).serve_forever()
