"""Run MiniStack with the extensions that make it act as AWS does: `python -m rehearsal.emulator`.

It runs in an interpreter of its own (`.venv-emulator`, from `rehearsal/emulator/requirements.txt`) with the project
root as its current directory, takes no arguments, and is told everything by its environment:

| variable | default | what it is |
| --- | --- | --- |
| REHEARSAL_PORT | 4666 | port of the AWS endpoint (and of the image registry) on 127.0.0.1 |
| REHEARSAL_FRONT_PORT | 8000 | port of the front door on 127.0.0.1: the balancer, for a browser; 0 opens none |
| REHEARSAL_DIRECTORY | .rehearsal | scratch directory of this rehearsal; created if missing |
| REHEARSAL_PARENT_PID | (none) | process whose death, however it comes, ends this one too |
| REHEARSAL_RDS_CA_FILE | DIRECTORY/rds-ca.pem | the database CA certificate (PEM), written before it is ready |
| REHEARSAL_IMAGE_PREFIX | (none) | put in front of `postgres:17-alpine`, for example `pactum-standin` |
| REHEARSAL_ACCOUNT_ID | 123456789012 | the account the emulator answers for; the region is us-east-1 |
| REHEARSAL_DATABASE_BASE_PORT | REHEARSAL_PORT + 20000 | first port databases are published on |
| REHEARSAL_LONGEST_GRACE_SECONDS | (none) | cuts longer health check grace periods: bad releases fail sooner |
| REHEARSAL_BAKE_SECONDS | 3 | how long a deployment with alarms goes on once its tasks serve alone; ECS takes minutes |
| REHEARSAL_METRIC_DELAY_SECONDS | 0 | how long after its minute a balancer's metric comes; AWS takes up to minutes |
| REHEARSAL_LOG_LEVEL | INFO | of the log on stderr |

DOCKER_HOST and its companions are passed on to the Docker client. Variables that MiniStack itself reads are set here;
whatever the parent has under those names is overwritten, so that nothing binds beyond loopback by accident.

Ready: `GET http://127.0.0.1:REHEARSAL_PORT/_rehearsal/extensions` answers 200 with
`{"ministack": "1.5.33", "network": name, "label": "pactum.rehearsal=PORT", "front_door": url or null,
"rds_ca_file": path, "longest_grace_seconds": number or null, "bake_seconds": number,
"metric_delay_seconds": number, "extensions": [{"name", "rule", "source"}, ...]}`; nothing answers there before.
Cannot start (wrong MiniStack, no Docker engine, no network to be had, port taken, bad variable): one line on stderr
beginning `emulator: `, exit code 2.
Cannot go on (the scheduler or the probes fail again and again): everything is removed, the log ends with the
traceback, exit code 1.

Log in to the registry `localhost:REHEARSAL_PORT` with the token that ECR hands out, or with none. Task definitions name
images as AWS does (`ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/NAME@sha256:...`).

The balancer answers at the AWS endpoint too: send its DNS name as Host header (`NAME:443` for the HTTPS listener).

SIGTERM, SIGINT and the death of the parent remove every container, volume and network labelled
`pactum.rehearsal=PORT`, then end the process (exit code 0). After a kill -9 of this process the same label finds what
is left: `docker ps -aq --filter label=pactum.rehearsal=PORT`, likewise `docker volume ls` and `docker network ls`
(remove containers with `docker rm -fv`, then volumes, then networks). The next start on the same port does that itself.
"""

import logging
import os
import resource
import signal
import sys
import traceback

import docker
from docker.errors import DockerException

from rehearsal.emulator import labels, temporary
from rehearsal.emulator.patching import check_version
from rehearsal.emulator.ports import check_ports
from rehearsal.emulator.settings import CannotStartError, Settings, from_process

DOCKER_TIMEOUT_SECONDS = 60
ENDING = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until ended; return the exit code."""
    try:
        settings = from_process()
        check_version()
        run(settings)
    except CannotStartError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass  # ended before it served; what had been made is removed
    except Exception:  # noqa: BLE001 - printed in full; raised, it would wait for MiniStack's threads
        traceback.print_exc()
        return 1
    return 0


def run(settings: Settings) -> None:
    """Make what the emulator needs in Docker, serve, and remove everything again."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the server takes both signals over
    settings.directory.mkdir(parents=True, exist_ok=True)
    docker_client = connect()
    # The ports come first: whoever holds them is an emulator of the same label that still needs its containers.
    check_ports(settings)
    labels.sweep(docker_client, settings)
    temporary.provide(settings)
    try:
        # A request that Docker is still carrying out when a signal comes would make a network nobody removes.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        gateway_address = labels.create_network(docker_client, settings)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.environ.update(settings.ministack_environment(gateway_address))
        # MiniStack reads its environment when it is imported, which is now.
        from rehearsal.emulator import server  # noqa: PLC0415

        raise_open_files()
        server.start(settings, docker_client, gateway_address)
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not keep the rest from being removed
        labels.sweep(docker_client, settings)
        temporary.remove(settings)


def connect() -> docker.DockerClient:
    """Return a client of the Docker engine. Raises CannotStartError if none answers."""
    try:
        client = docker.from_env(timeout=DOCKER_TIMEOUT_SECONDS)
        client.ping()
    except DockerException as error:
        raise CannotStartError(f"no Docker engine answers ({error}); start one or set DOCKER_HOST") from error
    return client


def raise_open_files() -> None:
    """Allow as many open files as the machine permits: each request through the balancer holds two."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    logging.getLogger("hypercorn.access").disabled = True
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of MiniStack that still wait for something must not keep the process.
    os._exit(code)
