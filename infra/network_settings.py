"""What a stack file says of the network: zones, addresses, and how tasks get out."""

import ipaddress
import re
from dataclasses import dataclass

from infra.config_reader import ConfigReader

# Always open to tasks: AWS is reached by it.
HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Zones, addresses and ways out. `zones` are full zone names, `cidr` is cut into thirty-two blocks."""

    zones: tuple[str, ...]
    cidr: str
    nat_mode: str
    outbound_ports: tuple[int, ...] = ()
    """TCP ports on which tasks may reach anybody, besides 443."""


def read_network(config: ConfigReader, region: str) -> NetworkSettings:
    """Read the network's keys; what is wrong with them is left with `config`."""
    letters = config.texts("zones")
    if config.is_refused("zones"):
        letters = []
    elif len(letters) not in (2, 3) or len(set(letters)) != len(letters) or not all(map(_is_zone_letter, letters)):
        config.refuse("zones", "must be two or three different zone letters.", 'Write them like ["a", "b"].')
    cidr = config.text("vpcCidr", example="10.20.0.0/16", required=True)
    try:
        block = ipaddress.IPv4Network(cidr or "10.0.0.0/16")
        if not block.is_private or not 16 <= block.prefixlen <= 22:  # noqa: PLR2004 - AWS allows /16; a /23 leaves no /27
            config.refuse("vpcCidr", "is not a private block of /16 to /22.", "Choose one such as 10.20.0.0/16.")
    except ValueError as error:
        config.refuse("vpcCidr", f"is not an address block: {error}.", "Choose one such as 10.20.0.0/16.")
    nat_mode = config.choice("natMode", ["none", "single", "per_zone"])
    return NetworkSettings(
        zones=tuple(f"{region}{letter}" for letter in letters),
        cidr=cidr,
        nat_mode=nat_mode,
        outbound_ports=_outbound_ports(config, nat_mode),
    )


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
