"""The settings of a container definition, applied to the container.

MiniStack stores them and starts the container as if they were not there.
"""

import os
import resource
from dataclasses import dataclass
from typing import Any

from docker.types import Ulimit
from ministack.services import ecs

from rehearsal.emulator.labels import create_volume
from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.settings import Settings

EXTENSION = Extension(
    name="container settings",
    rule=(
        "user, read-only root, working directory, entry point, capabilities, tmpfs, init process, memory, CPU, "
        "reservations, health check, ulimits, labels and stop timeout apply; a task-scoped volume is new for each "
        "task, and takes the owner and mode of its path only where the image declares VOLUME there (else root, 0755)"
    ),
    source="Amazon ECS task definition parameters for Fargate; Use bind mounts with Amazon ECS",
)
SIGNATURE = "(cdef, td, env, port_bindings, ecs_network, host_mode, task_id, task_arn, ministack_net_ip, cluster_arn)"
NANOSECONDS = 10**9
STOP_TIMEOUT_LABEL = "pactum.stop-timeout"
DEFAULT_STOP_TIMEOUT_SECONDS = 30
CPU_UNITS = 1024  # of one vCPU


def limits(container: dict[str, Any], task: dict[str, Any], host_cpus: int) -> dict[str, Any]:
    """Memory, CPU and ulimits. A task without more CPUs than the host gets what it asks for; one with more gets all."""
    options: dict[str, Any] = {}
    memory = container.get("memory") or task.get("memory")
    if memory:
        # Fargate has no swap: without the second value Docker would allow as much again.
        options["mem_limit"] = options["memswap_limit"] = f"{int(memory)}m"
    if container.get("memoryReservation"):
        options["mem_reservation"] = f"{int(container['memoryReservation'])}m"
    cpu = int(task.get("cpu") or container.get("cpu") or 0)
    if cpu:
        options["nano_cpus"] = min(cpu * NANOSECONDS // CPU_UNITS, host_cpus * NANOSECONDS)
    if container.get("ulimits"):
        options["ulimits"] = [_ulimit(one) for one in container["ulimits"]]
    return options


def _ulimit(asked: dict[str, Any]) -> Ulimit:
    """A limit as asked, except that open files never exceed what this machine lets even root raise."""
    soft, hard = int(asked["softLimit"]), int(asked["hardLimit"])
    if asked["name"] == "nofile":
        highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        soft, hard = min(soft, highest), min(hard, highest)
    return Ulimit(name=asked["name"], soft=soft, hard=hard)


def hardening(container: dict[str, Any]) -> dict[str, Any]:
    """Who the process is and what it may touch."""
    linux = container.get("linuxParameters") or {}
    tmpfs = {
        t["containerPath"]: ",".join([f"size={t['size']}m", *t.get("mountOptions", [])]) for t in linux.get("tmpfs", [])
    }
    options = {
        "user": container.get("user"),
        "read_only": bool(container.get("readonlyRootFilesystem")),
        "working_dir": container.get("workingDirectory"),
        "entrypoint": container.get("entryPoint") or None,
        "init": bool(linux.get("initProcessEnabled")) or None,
        "cap_drop": (linux.get("capabilities") or {}).get("drop") or None,
        "tmpfs": tmpfs or None,
        "tty": bool(container.get("pseudoTerminal")),
        "stdin_open": bool(container.get("interactive")),
        "hostname": container.get("hostname"),
    }
    return {name: value for name, value in options.items() if value}


def health_check(container: dict[str, Any]) -> dict[str, Any]:
    """The container's own health check with ECS's defaults (seconds): interval 30, timeout 5, retries 3, start 0."""
    check = container.get("healthCheck")
    if not check:
        return {}
    return {
        "healthcheck": {
            "test": check["command"],
            "interval": int(check.get("interval") or 30) * NANOSECONDS,
            "timeout": int(check.get("timeout") or 5) * NANOSECONDS,
            "retries": int(check.get("retries") or 3),
            "start_period": int(check.get("startPeriod") or 0) * NANOSECONDS,
        }
    }


def labels(container: dict[str, Any]) -> dict[str, str]:
    """`dockerLabels`, and the stop timeout for whoever stops the container."""
    timeout = container.get("stopTimeout", DEFAULT_STOP_TIMEOUT_SECONDS)
    return {**(container.get("dockerLabels") or {}), STOP_TIMEOUT_LABEL: str(timeout)}


def task_volumes(container: dict[str, Any], task: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(volume, path, read only) of each mount point on a volume that lives as long as its task."""
    scoped = {
        volume["name"]
        for volume in task.get("volumes") or []
        if not (volume.get("host") or {}).get("sourcePath") and not volume.get("efsVolumeConfiguration")
    }
    return [
        (mount["sourceVolume"], mount["containerPath"], bool(mount.get("readOnly")))
        for mount in container.get("mountPoints") or []
        if mount.get("sourceVolume") in scoped
    ]


def bind(volume: str, path: str, *, read_only: bool, declared: set[str]) -> str:
    """Docker's notation of one mount. `nocopy` keeps Docker from taking over an owner that the image never declared."""
    mode = "ro" if read_only else "rw"
    return f"{volume}:{path}:{mode}" if path.rstrip("/") in declared else f"{volume}:{path}:{mode},nocopy"


def trusted_certificate(container: dict[str, Any], environment: dict[str, str], settings: Settings) -> list[str]:
    """Mount the emulator's database CA where this container looks for AWS's (DATABASE_SSLROOTCERT)."""
    path = environment.get("DATABASE_SSLROOTCERT")
    mounted = {mount.get("containerPath") for mount in container.get("mountPoints") or []}
    return [f"{settings.rds_ca_file}:{path}:ro"] if path and path not in mounted else []


@dataclass(frozen=True)
class DeclaredVolumes:
    """The VOLUME paths of an image, asked from Docker."""

    docker_client: Any

    def of(self, image: str) -> set[str]:
        """Paths without a trailing slash. The image must be there already."""
        config = self.docker_client.images.get(image).attrs.get("Config") or {}
        return {path.rstrip("/") for path in config.get("Volumes") or {}}


def volume_name(settings: Settings, task_id: str, volume: str) -> str:
    """Name of a task's own volume."""
    return f"pactum-{settings.port}-{task_id}-{volume}"


def install(settings: Settings, docker_client: Any) -> None:
    """Apply the settings whenever MiniStack works out how to run a container."""
    host_cpus = int(docker_client.info().get("NCPU") or os.cpu_count() or 1)

    def build(
        cdef: dict[str, Any],
        td: dict[str, Any],
        env: dict[str, str],
        port_bindings: Any,
        ecs_network: Any,
        host_mode: Any,
        task_id: str,
        task_arn: str,
        ministack_net_ip: Any,
        cluster_arn: str,
    ) -> dict[str, Any]:
        options = original(
            cdef, td, env, port_bindings, settings.network, False, task_id, task_arn, ministack_net_ip, cluster_arn
        )
        options |= hardening(cdef) | limits(cdef, td, host_cpus) | health_check(cdef)
        options["labels"] |= labels(cdef)
        options["name"] = f"pactum-{settings.port}-{task_id}-{cdef['name']}"
        options["volumes"] = list(options.get("volumes") or []) + trusted_certificate(cdef, env, settings)
        # Mounts on task volumes depend on the image, which is only there once it has been pulled (see images.py).
        options["task_volumes"] = [
            (create_volume(docker_client, volume_name(settings, task_id, volume), settings), path, read_only)
            for volume, path, read_only in task_volumes(cdef, td)
        ]
        return options  # type: ignore[no-any-return]

    original = replace(ecs, "_build_run_kwargs", SIGNATURE, build)
