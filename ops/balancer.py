"""A stack's load balancer, asked the way a user's browser would ask it."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.transcript import printable
from ops.watch.asking import Door, get

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_ecs.type_defs import ServiceTypeDef
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

CONNECT_TO = "OPS_CONNECT_TO"
AGENT = "pactum-ops"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Balancer(Door):
    """How to ask an application through its load balancer: where to connect, whom to ask for, and for what."""

    readiness_path: str = "/readyz"

    def __str__(self) -> str:
        via = "" if self.connect_host == self.host else f" (by way of {self.connect_host}:{self.connect_port})"
        return f"{'https' if self.tls else 'http'}://{self.host_header}{via}"


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """One answer of the readiness path, or in words why there was none."""

    status: int | None
    release: str | None
    detail: str

    def serves(self, release: str) -> bool:
        """Whether this is that release, ready."""
        return self.status == http.client.OK and self.release == release


def find_balancer(
    elbv2: ElasticLoadBalancingv2Client,
    service: ServiceTypeDef,
    *,
    domain: str | None,
    allowed_hosts: Sequence[str],
    environment: Mapping[str, str],
) -> Balancer:
    """Find the load balancer in front of a service.

    With an HTTPS listener its certificate is for a domain, not for the balancer's own name: `domain`, or the first
    of `allowed_hosts` that is one name of its own. OPS_CONNECT_TO=host:port sends the requests there instead, in
    plain HTTP, under the balancer's DNS name (the rehearsal's gateway picks the listener by the port in that header).

    Raises:
        CannotAct: the service has no balancer, no listener, or an HTTPS listener and no known domain.

    """
    dns_name, protocol, port = _listener(elbv2, service)
    if around := way_around(environment, dns_name, port):
        return around
    own_port = "" if port == PORTS["http"] else f":{port}"
    if protocol == "HTTPS":
        name = domain or _first_domain(allowed_hosts, dns_name)
        if name is None:
            raise CannotAct(
                f"the balancer {dns_name} speaks HTTPS, and neither --host nor ALLOWED_HOSTS in the task definition "
                "says for which domain. Give --host DOMAIN.",
            )
        own_port = "" if port == PORTS["https"] else f":{port}"
        return Balancer(connect_host=dns_name, connect_port=port, tls=True, host=name, host_header=name + own_port)
    name = domain or dns_name
    return Balancer(connect_host=dns_name, connect_port=port, tls=False, host=name, host_header=name + own_port)


def way_around(environment: Mapping[str, str], dns_name: str, port: int) -> Balancer | None:
    """Return where OPS_CONNECT_TO sends requests to a balancer's listener; None where nothing is said.

    Raises:
        CannotAct: it names no place.

    """
    given = environment.get(CONNECT_TO)
    if not given:
        return None
    host, _, own_port = given.rpartition(":")
    if not host or not own_port.isdigit():
        raise CannotAct(f"{CONNECT_TO}={given}: give HOST:PORT, such as 127.0.0.1:4666, or unset it.")
    header = dns_name if port == PORTS["http"] else f"{dns_name}:{port}"
    return Balancer(connect_host=host, connect_port=int(own_port), tls=False, host=dns_name, host_header=header)


def ask_readiness(balancer: Balancer) -> Readiness:
    """Ask the readiness path once, on a connection of its own; no failure to answer is an exception."""
    try:
        status, body = get(balancer, balancer.readiness_path, agent=AGENT)
    except ssl.SSLCertVerificationError as error:
        return Readiness(status=None, release=None, detail=f"the certificate is not valid for {balancer.host}: {error}")
    except (OSError, http.client.HTTPException) as error:
        return Readiness(status=None, release=None, detail=f"no answer: {str(error) or type(error).__name__}")
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    release = answer.get("release") if isinstance(answer, dict) else None
    detail = f"{status}: {printable(' '.join(text.split()))[:500] or 'an empty body'}"
    return Readiness(status=status, release=release if isinstance(release, str) else None, detail=detail)


def _listener(elbv2: ElasticLoadBalancingv2Client, service: ServiceTypeDef) -> tuple[str, str, int]:
    attached = [item["targetGroupArn"] for item in service.get("loadBalancers", []) if item.get("targetGroupArn")]
    if not attached:
        raise CannotAct(f"the service {service.get('serviceName')} has no load balancer to ask through.")
    groups = elbv2.describe_target_groups(TargetGroupArns=attached[:1])["TargetGroups"]
    arns = groups[0].get("LoadBalancerArns", []) if groups else []
    if not arns:
        raise CannotAct(f"no load balancer forwards to the service's target group {attached[0]}.")
    dns_name = elbv2.describe_load_balancers(LoadBalancerArns=arns[:1])["LoadBalancers"][0]["DNSName"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=arns[0])["Listeners"]
    for protocol in ("HTTPS", "HTTP"):
        ports = sorted(item.get("Port", 0) for item in listeners if item.get("Protocol") == protocol)
        if ports:
            return dns_name, protocol, ports[0]
    raise CannotAct(f"the load balancer {dns_name} has no HTTP or HTTPS listener.")


def _first_domain(allowed_hosts: Sequence[str], dns_name: str) -> str | None:
    for host in allowed_hosts:
        is_pattern = host.startswith((".", "*"))
        if host and not is_pattern and host.lower() != dns_name.lower():
            return host
    return None
