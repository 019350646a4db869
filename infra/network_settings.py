"""What a stack file says of the network: zones, addresses, and how tasks get out."""

import ipaddress
import re
from dataclasses import dataclass

from infra.aws_rules import most_zones, zone_letters
from infra.config_reader import ConfigReader, listed
from infra.process_settings import ProcessSettings
from infra.serving import GENERATIONS

# Always open to tasks: AWS is reached by it.
HTTPS = 443
# RFC 1918. A VPC takes others too, but then whoever has those addresses on the internet is out of its reach.
PRIVATE = [ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
# Docker's own bridge, and what AWS Cloud9 and SageMaker use inside (AWS documentation, "VPC CIDR blocks").
DOCKER = ipaddress.IPv4Network("172.17.0.0/16")
# AWS keeps the first four addresses of a subnet and the last.
KEPT_BY_AWS = 5
# Interface endpoints where there is no NAT gateway (infra/endpoints.py), and tasks besides those that run all the time:
# a migration and some people's.
ENDPOINTS, ONE_OFF_TASKS = 5, 4
# How many blocks the network is cut into; each subnet is one.
BLOCKS = 32


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Zones, addresses and ways out. `zones` are full zone names, `cidr` is cut into thirty-two blocks."""

    zones: tuple[str, ...]
    cidr: str
    nat_mode: str
    outbound_ports: tuple[int, ...] = ()
    """TCP ports on which tasks may reach anybody, besides 443."""
    flow_logs: bool = False


def read_network(config: ConfigReader, region: str) -> NetworkSettings:
    """Read the network's keys; what is wrong with them is left with `config`."""
    letters = config.texts("zones")
    if config.is_refused("zones"):
        letters = []
    elif len(letters) not in (2, 3) or len(set(letters)) != len(letters) or not all(map(_is_zone_letter, letters)):
        config.refuse("zones", "must be two or three different zone letters.", 'Write them like ["a", "b"].')
    elif missing := sorted(set(letters) - set(zone_letters(region))):
        config.refuse(
            "zones",
            f"has {' and '.join(missing)}, which {region} has not.",
            f"Choose among {listed(zone_letters(region))}.",
        )
    elif len(letters) > most_zones(region):
        config.refuse("zones", f"are three; an account has two zones in {region}.", "Choose the two that yours has.")
    cidr = _cidr(config)
    nat_mode = config.choice("natMode", ["none", "single", "per_zone"])
    return NetworkSettings(
        zones=tuple(f"{region}{letter}" for letter in letters),
        cidr=cidr,
        nat_mode=nat_mode,
        outbound_ports=_outbound_ports(config, nat_mode),
        flow_logs=config.flag("flowLogs"),
    )


def check_room(config: ConfigReader, network: NetworkSettings, web_maximum: int, processes: ProcessSettings) -> None:
    """Refuse a network whose private subnets cannot hold all tasks when one of its zones is lost.

    Each task has an address of its own; so has, where there is no NAT gateway, each interface endpoint in each zone.
    """
    if config.is_refused("vpcCidr", "zones", "natMode", "webMaximum", "workers", "jobs"):
        return
    addresses = ipaddress.IPv4Network(network.cidr).num_addresses // BLOCKS - KEPT_BY_AWS
    room = (addresses - (ENDPOINTS if network.nat_mode == "none" else 0)) * (len(network.zones) - 1)
    running = web_maximum + sum(worker.count for worker in processes.workers) + len(processes.jobs)
    tasks = GENERATIONS * running + ONE_OFF_TASKS
    if tasks > room:
        config.refuse(
            "vpcCidr",
            f"has room for {room} tasks when a zone is lost; during a rollout there may be {tasks}, old and new.",
            "Choose a larger block, or fewer tasks.",
        )


def _cidr(config: ConfigReader) -> str:
    cidr = config.text("vpcCidr", example="10.20.0.0/16", required=True)
    try:
        block = ipaddress.IPv4Network(cidr or "10.0.0.0/16")
    except ValueError as error:
        config.refuse("vpcCidr", f"is not an address block: {error}.", "Choose one such as 10.20.0.0/16.")
        block = None
    reserved = _reserved(config)
    if block is None:
        return cidr
    # AWS allows /16 at most; a /23 would leave no /27, which a load balancer needs.
    if not any(map(block.subnet_of, PRIVATE)) or not 16 <= block.prefixlen <= 22:  # noqa: PLR2004
        config.refuse("vpcCidr", "is not a private block of /16 to /22.", "Choose one such as 10.20.0.0/16.")
    elif block.overlaps(DOCKER):
        config.refuse(
            "vpcCidr", f"overlaps {DOCKER}, which Docker and services of AWS use.", "Choose one such as 10.20.0.0/16."
        )
    for other in reserved:
        if block.overlaps(other):
            config.refuse(
                "vpcCidr",
                f"overlaps {other} of pactum:reservedCidrs: the two could never reach each other.",
                "Choose a block that nobody else has.",
            )
    return cidr


def _reserved(config: ConfigReader) -> list[ipaddress.IPv4Network]:
    blocks = []
    for text in config.texts("reservedCidrs"):
        try:
            blocks.append(ipaddress.IPv4Network(text))
        except ValueError as error:
            config.refuse("reservedCidrs", f"holds no address block: {error}.", "Write blocks such as 10.0.0.0/16.")
    return blocks


def _is_zone_letter(letter: str) -> bool:
    return bool(re.fullmatch("[a-f]", letter))


def _outbound_ports(config: ConfigReader, nat_mode: str) -> tuple[int, ...]:
    ports = config.ports("outboundPorts")
    if HTTPS in ports:
        config.refuse("outboundPorts", "holds 443, which is open already.", "Remove it.")
    if len(set(ports)) != len(ports):
        config.refuse("outboundPorts", "holds a port twice.", "Name each once.")
    if ports and nat_mode == "none" and not config.is_refused("natMode"):
        config.refuse(
            "outboundPorts",
            "are set and pactum:natMode is none: there is no way out.",
            "Remove them, or choose another natMode.",
        )
    return tuple(ports)
