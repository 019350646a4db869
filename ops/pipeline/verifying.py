"""Whether a release serves: `python -m ops verify`, then the address that users have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops import tasks
from ops.balancer import PORTS, Balancer, ask_readiness, way_around
from ops.clock import Deadline
from ops.errors import CannotAct, OpsError
from ops.pipeline import child
from ops.pipeline.surroundings import ops_command
from ops.serving import expect
from ops.stack_file import config_value

if TYPE_CHECKING:
    from pathlib import Path

    from ops.command import Context
    from ops.pipeline.pulumi import Pulumi

PATH_KEY = "pactum:readinessPath"
DOMAIN_KEY = "pactum:domainName"
# A domain's record may be new, and so unknown to this machine's resolver for a while.
USERS_SECONDS = 120


def verify(context: Context, digest: str, root: Path, pulumi: Pulumi) -> int:
    """Return 0 when the release serves, else the exit code of `ops verify`.

    Raises:
        OpsError: the address that users have answers with something else.

    """
    ran = child.stream(
        ops_command(context, "verify", "--release", digest),
        directory=root,
        environment=context.environment,
        told=child.NOTHING_CHANGED,
    )
    if ran.code:
        return ran.code
    path = config_value(root, context.stack, PATH_KEY)
    outputs = pulumi.outputs()
    door = users_door(
        context,
        outputs.get("url", ""),
        outputs.get("balancer_dns_name", ""),
        path if isinstance(path, str) else Balancer.readiness_path,
    )
    ask_users(context, digest, door)
    context.transcript.result(f"verified: {door}{door.readiness_path} answers with {digest}")
    return 0


def ask_users(context: Context, digest: str, door: Balancer) -> None:
    """See that what users find is the release.

    Raises:
        OpsError: the address that users have answers with something else.

    """
    deadline = Deadline(context.clock, USERS_SECONDS)
    while not (answer := ask_readiness(door)).serves(digest):
        if deadline.passed:
            raise OpsError(
                f"{door}{door.readiness_path}, where users find {context.stack}, was asked for {digest} for "
                f"{USERS_SECONDS} s, and at the end said: {answer.detail}\n"
                "Users may not reach the release. Check the domain's record (it names the stack's balancer, output "
                "`balancer_dns_name`), its certificate, and whether a firewall refuses this machine.",
            )
        deadline.pause()


def door_of_service(context: Context, root: Path) -> Balancer:
    """Return the way to where users find a stack whose outputs are not for us to read: by its file, and as ECS has it.

    Raises:
        CannotAct: the stack has no service, or the service no balancer.

    """
    ecs, domain = context.aws.ecs, config_value(root, context.stack, DOMAIN_KEY)
    service = tasks.live_service(ecs, context.stack)
    definition = tasks.find_task_definition(ecs, service["taskDefinition"])
    host = domain if isinstance(domain, str) else None
    door = expect(context, service, definition, host=host).balancer
    # Users ask the domain's own record; what goes around the balancer's name goes around that, too.
    return replace(door, connect_host=door.host) if door.host == host else door


def users_door(context: Context, url: str, balancer: str, path: str) -> Balancer:
    """Return the way to where users find a stack; in a rehearsal, where no such name is known, by its gateway.

    Raises:
        CannotAct: the stack does not say where that is.

    """
    address = urlsplit(url)
    port = PORTS.get(address.scheme)
    if port is None or not address.hostname:
        raise CannotAct(
            f"output `url` of {context.stack} is {url!r}, so where users find it is unknown. Deploy it first "
            f"(`make ci-deploy STACK={context.stack.name}`).",
        )
    port = address.port or port
    if around := way_around(context.environment, balancer, port):
        return replace(around, readiness_path=path)
    return Balancer(
        connect_host=address.hostname,
        connect_port=port,
        tls=address.scheme == "https",
        host=address.hostname,
        host_header=address.netloc,
        readiness_path=path,
    )
