"""How gunicorn serves the app on Fargate behind a load balancer; times are seconds."""

import gc
import logging.config
import os
import sys

from deployment.environment import BUILDING, EnvironmentInvalid, read_environment
from deployment.gunicorn_internals import lacking_internals
from deployment.json_logs import logging_config
from deployment.probe_worker import answering
from deployment.probe_worker import worker_connections as connections_for
from deployment.server_hooks import ServerLog, heed_sigterm_at_once, share_what_is_loaded


def refuse(message: str) -> None:
    """End before any worker starts, with one log line instead of a traceback per worker."""
    logging.config.dictConfig(logging_config("INFO", os.environ.get("RELEASE", "")))
    logging.getLogger("deployment.environment").critical(message)
    sys.exit(1)


try:
    environment = read_environment(os.environ)
except EnvironmentInvalid as error:
    refuse(str(error))
if os.environ.get(BUILDING):
    refuse(f"{BUILDING} is set: it belongs to an image's build, where values are made up. Remove it.")
if environment.database.master_login:
    refuse("DATABASE_MASTER_USER is set: only the migration may have the master login. Remove it from the web process.")
if lacking := lacking_internals():
    refuse(
        f"This gunicorn lacks what deployment.probe_worker builds on: {', '.join(lacking)}. Install the version that"
        " requirements.txt names, or adapt deployment/probe_worker.py to this one."
    )

# Nothing is garbage while modules are imported; looking for it takes a tenth of the start.
gc.disable()

wsgi_app = "deployment.wsgi:application"
# One import instead of one for each process, most of whose memory is then shared.
preload_app = True
when_ready = share_what_is_loaded
post_fork = heed_sigterm_at_once
bind = f"0.0.0.0:{environment.port}"

# gthread, with threads kept free for the balancer's probes. Neither has a time limit for a request (`timeout` watches
# the main thread only): what ends one that waits for the database is in deployment/database_settings.py.
worker_class = answering(environment.health_path)
workers = environment.web_concurrency
threads = environment.web_threads
worker_connections = connections_for(environment.web_threads)
# The workers' heartbeat files: in memory, where Fargate has 64 MB, so that a slow disk kills no worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn makes an unguessable name in it

# Longer than the balancer's idle timeout, so that it is never gunicorn that closes a connection the balancer is about
# to use: the user would see a 502.
keepalive = environment.keep_alive_seconds
# Shorter than ECS' stopTimeout, after which the task is killed. The balancer has sent nothing new for the
# deregistration delay by then.
graceful_timeout = environment.graceful_seconds

# The app logs requests itself, with id and duration.
logger_class = ServerLog
logconfig_dict = logging_config(environment.log_level, environment.release, secrets=environment.secrets)

# Trust no header here: Django alone reads X-Forwarded-Proto (SECURE_PROXY_SSL_HEADER), and gunicorn would let a trusted
# peer's SCRIPT_NAME header, which the balancer passes on from users, move the app's paths.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}

# gunicorn's control socket wants a writable home directory; the root filesystem is read-only.
control_socket_disable = True
