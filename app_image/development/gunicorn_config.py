"""The server as in production, except that it starts anew when Python code changes."""

from typing import TYPE_CHECKING

from deployment.gunicorn_config import *
from deployment.gunicorn_config import environment, refuse
from deployment.json_logs import logging_config
from deployment.server_hooks import heed_sigterm_at_once
from development import reloading

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

if not environment.development:
    refuse("This configuration is for a developer's machine: set DEVELOPMENT=true, or use deployment.gunicorn_config.")

wsgi_app = "development.wsgi:application"
workers = 1
preload_app = False
# An edit waits no longer than this for a request in flight.
graceful_timeout = 1
logconfig_dict = logging_config(environment.log_level, environment.release, readable=True)


def post_fork(server: "Arbiter", worker: "Worker") -> None:
    """Watch the files, in each worker before it imports the project."""
    heed_sigterm_at_once(server, worker)
    reloading.start()
