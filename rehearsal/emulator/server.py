"""One process with everything in it: the gateway, the front door, probes and scheduler, and a clean end."""

import asyncio
import functools
import json
import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack_app
from ministack.services import ecs, rds

from rehearsal.emulator import (
    alarm_messages,
    alarms,
    aws_events,
    balancer,
    balancer_metrics,
    circuit_breaker,
    container_settings,
    container_watch,
    database,
    database_metrics,
    deployment_alarms,
    deployment_events,
    event_targets,
    execute_command,
    fixed_responses,
    front_door,
    images,
    labels,
    log_queries,
    metric_filters,
    ministack_parts,
    minute_metrics,
    parent,
    query_definitions,
    queue_metrics,
    rule_schedules,
    schedules,
    secret_versions,
    service_calls,
    service_metrics,
    service_scheduler,
    target_health,
    target_metrics,
    target_probes,
    task_environment,
    task_events,
    task_permissions,
    task_secrets,
    task_stop,
    waiting_requests,
)
from rehearsal.emulator.gateway import Gateway
from rehearsal.emulator.patching import MINISTACK_VERSION, require
from rehearsal.emulator.repeating import LoopFailedError
from rehearsal.emulator.settings import Settings

logger = logging.getLogger("rehearsal.emulator")

MODULES = (
    container_settings,
    task_environment,
    task_permissions,
    task_secrets,
    execute_command,
    images,
    container_watch,
    task_stop,
    target_health,
    balancer,
    balancer_metrics,
    fixed_responses,
    waiting_requests,
    service_scheduler,
    circuit_breaker,
    task_events,
    deployment_events,
    event_targets,
    metric_filters,
    log_queries,
    query_definitions,
    service_metrics,
    target_metrics,
    queue_metrics,
    database_metrics,
    alarms,
    alarm_messages,
    deployment_alarms,
    schedules,
    rule_schedules,
    database,
    secret_versions,
    front_door,
    labels,
)
KEEP_ALIVE_SECONDS = 75
UNLIMITED = 2**31  # requests on one connection; a balancer ends a connection for its age only


class Emulator:
    """MiniStack with every extension installed."""

    def __init__(self, settings: Settings, docker_client: Any, gateway_address: str) -> None:
        self._settings = settings
        self._docker = docker_client
        self._gateway_address = gateway_address
        self._closing = threading.Event()
        self._failure: LoopFailedError | None = None
        ministack_parts.check_parts()
        # MiniStack's services would each make a client of their own, with a time-out of their own.
        ecs._docker = rds._docker = docker_client
        self._registry = target_health.TargetRegistry(task_stop.deregistration_delay)
        self._metrics = balancer_metrics.BalancerMetrics(settings.metric_delay_seconds)
        self._balancers = balancer.Balancers(self._registry, self._metrics)
        self._filters = metric_filters.MetricFilters()
        of_services, of_targets = service_metrics.ServiceMetrics(docker_client), target_metrics.of(self._registry)
        self._every_minute = minute_metrics.MinuteMetrics(
            [of_targets, queue_metrics.publish, of_services.publish, database_metrics.publish]
        )
        self._install()

    def _install(self) -> None:
        settings, docker_client = self._settings, self._docker
        require(ministack_app, "app", "(scope, receive, send)")
        labels.install(settings)
        container_settings.install(settings, docker_client)
        task_environment.install(self._gateway_address)
        task_permissions.install()
        task_secrets.install()
        images.install(settings, self._closing)
        stopper = task_stop.install(docker_client, self._closing, self._balancers.waiting.target_gone)
        target_health.install(self._registry)
        balancer.install(self._balancers)
        fixed_responses.install()
        self._scheduler = service_scheduler.Scheduler(
            docker_client,
            self._registry,
            stopper,
            settings.longest_grace_seconds,
            deployment_alarms.DeploymentAlarms(settings.bake_seconds),
        )
        service_calls.install(self._scheduler)
        execute_command.install(settings)
        self._alarms = alarms.Alarms()
        alarms.install()
        alarm_messages.install()
        aws_events.install()
        task_events.install()
        event_targets.install()
        metric_filters.install(self._filters)
        log_queries.install()
        query_definitions.install()
        self._schedules = schedules.Schedules()
        schedules.install()
        self._rules = rule_schedules.RuleSchedules()
        rule_schedules.install()
        database.install(docker_client, settings, self._gateway_address)
        secret_versions.install()

    def description(self) -> dict[str, Any]:
        """What `GET /_rehearsal/extensions` answers."""
        door = self._settings.front_port
        return {
            "ministack": MINISTACK_VERSION,
            "network": self._settings.network,
            "label": self._settings.label,
            "front_door": f"http://127.0.0.1:{door}/" if door else None,
            "longest_grace_seconds": self._settings.longest_grace_seconds,
            "bake_seconds": self._settings.bake_seconds,
            "metric_delay_seconds": self._settings.metric_delay_seconds,
            "rds_ca_file": str(self._settings.rds_ca_file),
            "extensions": [asdict(module.EXTENSION) for module in MODULES],
        }

    async def run(self) -> None:
        """Serve until a signal or the parent's death, then remove everything.

        Raises LoopFailedError, after the same end, if the scheduler or the probes cannot go on.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        parent.watch(loop, self._settings.parent_pid, stop)
        stop_task = asyncio.create_task(self._announce_closing(stop))

        def failed(failure: LoopFailedError) -> None:
            self._failure = failure
            loop.call_soon_threadsafe(stop.set)

        self._start_loops(failed)
        servers = [self._serve(Gateway(self._balancers, self.description()), self._gateway_binds(), stop)]
        if self._settings.front_port:
            door = front_door.FrontDoor(self._balancers)
            servers.append(self._serve(door, [f"127.0.0.1:{self._settings.front_port}"], stop))
        await asyncio.gather(*servers)
        await stop_task
        if self._failure is not None:
            raise self._failure

    def _start_loops(self, failed: Callable[[LoopFailedError], None]) -> None:
        loops: dict[str, Callable[..., None]] = {
            "probes": functools.partial(target_probes.run_probes, self._registry),
            "scheduler": self._scheduler.run,
            "alarms": self._alarms.run,
            "schedules": self._schedules.run,
            "rules": self._rules.run,
            "metrics": self._metrics.run,
            "events": aws_events.run,
            "filters": self._filters.run,
            "every-minute": self._every_minute.run,
        }
        for name, run in loops.items():
            threading.Thread(target=run, args=(self._closing, failed), daemon=True, name=name).start()

    def _gateway_binds(self) -> list[str]:
        # Containers on the emulator's own network reach the AWS endpoint at the network's address on this host.
        return [f"127.0.0.1:{self._settings.port}", f"{self._gateway_address}:{self._settings.port}"]

    async def _serve(self, application: Any, binds: list[str], stop: asyncio.Event) -> None:
        config = Config()
        config.bind = binds
        config.keep_alive_timeout = KEEP_ALIVE_SECONDS
        config.keep_alive_max_requests = UNLIMITED
        config.graceful_timeout = 1.0
        config.errorlog = None  # its lines would be on stderr twice
        config.loglevel = self._settings.log_level
        await serve(application, config, shutdown_trigger=stop.wait)

    async def _announce_closing(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._closing.set()
        self._scheduler.wake()
        logger.info("removing containers, volumes and the network")
        await asyncio.to_thread(labels.sweep, self._docker, self._settings)


def start(settings: Settings, docker_client: Any, gateway_address: str) -> None:
    """Run the emulator to its end. Raises LoopFailedError if it could not go on."""
    emulator = Emulator(settings, docker_client, gateway_address)
    logger.info("extensions: %s", json.dumps([module.EXTENSION.name for module in MODULES]))
    # Not asyncio.run: it would wait for threads that still talk to targets and databases that are gone.
    asyncio.new_event_loop().run_until_complete(emulator.run())
