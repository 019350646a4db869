"""What a task finds around it: the AWS endpoint at an address that its network reaches."""

from typing import Any

from ministack.services import ecs

from rehearsal.emulator.patching import Extension, replace

EXTENSION = Extension(
    name="AWS endpoint inside tasks",
    rule="A task reaches the AWS APIs and its metadata, at the address that AWS_ENDPOINT_URL gives it",
    source="Amazon ECS task metadata endpoint version 4 for tasks on Fargate",
)
SIGNATURE = "(task_arn, cluster_arn, td, cdef, launch_type, env, host_mode, ministack_net_ip)"


def install(gateway_address: str) -> None:
    """Name the address of the emulator's own network in place of host.docker.internal."""

    def register(
        task_arn: str, cluster_arn: str, td: Any, cdef: Any, launch_type: str, env: Any, _host_mode: Any, _address: Any
    ) -> Any:
        return original(task_arn, cluster_arn, td, cdef, launch_type, env, False, gateway_address)

    original = replace(ecs, "_register_metadata", SIGNATURE, register)
