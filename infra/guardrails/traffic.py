"""Rules about traffic: internet -> balancer -> tasks -> database, encrypted, and nothing else."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import product
from typing import Any

from infra.guardrails.containers import SCHEDULE, SERVICE
from infra.guardrails.data import BALANCER, INSTANCE, SUBNET
from infra.guardrails.resource import Facts, Graph, Resource, Unknown, as_list, texts
from infra.guardrails.rule import GraphRule, ResourceRule

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
LISTENER = "aws:lb/listener:Listener"
VPC = "aws:ec2/vpc:Vpc"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
# RFC 1918, 6598 and 4193: whoever has one of these addresses is in a network of ours, or joined to it.
PRIVATE = [
    ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
BLOCKS = ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks")
PREFIX_LISTS = ("prefixListId", "prefixListIds")
WEB = (("tcp", 80, 80), ("tcp", 443, 443))
# TLS 1.2 with forward secrecy at least ("Security policies for your Application Load Balancer").
TLS_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-", "ELBSecurityPolicy-FS-1-2-Res-")
BALANCERS, TASKS, DATABASE, ENDPOINTS, OUTSIDE = "the balancer", "tasks", "the database", "endpoints", "outside"
ONE_PATH = {
    (OUTSIDE, BALANCERS),
    (BALANCERS, TASKS),
    (TASKS, DATABASE),
    (TASKS, ENDPOINTS),
    # AWS and other services; and endpoints answer the whole network, which is what their addresses are for.
    (TASKS, OUTSIDE),
    (OUTSIDE, ENDPOINTS),
}


def _open(rule: Mapping[str, Any]) -> str:
    """What lets strangers in, or out to them: a block that is not private, or a list that may hold one."""
    blocks = texts(each for key in BLOCKS for each in as_list(rule.get(key)))
    lists = texts(each for key in PREFIX_LISTS for each in as_list(rule.get(key)))
    return next(iter([*(block for block in blocks if not _is_private(block)), *lists]), "")


def _is_private(block: str) -> bool:
    network = ip_network(block, strict=False)
    return any(network.version == ours.version and network.subnet_of(ours) for ours in PRIVATE)  # type: ignore[arg-type]


def _ports(rule: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return rule.get("ipProtocol", rule.get("protocol")), rule.get("fromPort"), rule.get("toPort")


def _open_doors(resource: Resource, _: Facts) -> Iterator[str]:
    inward = {INGRESS: [resource.properties], GROUP: resource.items("ingress")}
    outward = {EGRESS: [resource.properties], GROUP: resource.items("egress")}
    if resource.type == OLD_RULE:
        (inward if resource.value("type") == "ingress" else outward)[OLD_RULE] = [resource.properties]
    for rule in inward.get(resource.type, []):
        protocol, first, last = _ports(rule)
        known = not any(isinstance(port, Unknown) for port in (protocol, first, last))
        if known and (strangers := _open(rule)) and (protocol, first, last) not in WEB:
            yield f"strangers ({strangers}) may come in by {_said(rule)}"
    for rule in outward.get(resource.type, []):
        protocol, first, last = _ports(rule)
        known = not any(isinstance(port, Unknown) for port in (protocol, first, last))
        if known and (strangers := _open(rule)) and (protocol != "tcp" or first != last):
            yield f"what is inside may reach strangers ({strangers}) by {_said(rule)}"


def _said(rule: Mapping[str, Any]) -> str:
    protocol, first, last = _ports(rule)
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def _off_the_path(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    groups = graph.of_type(GROUP)
    members = {
        BALANCERS: graph.users_of(BALANCER, "securityGroups"),
        TASKS: graph.users_of(SERVICE, "networkConfiguration") | graph.users_of(SCHEDULE, "target"),
        DATABASE: graph.users_of(INSTANCE, "vpcSecurityGroupIds"),
        ENDPOINTS: graph.users_of(ENDPOINT, "securityGroupIds"),
    }

    def roles(urns: frozenset[str]) -> list[str]:
        ours = {group.urn for group in groups} & urns
        return [name for name, found in members.items() if ours & found] or ["a group of nobody" if ours else OUTSIDE]

    for rule in graph.of_type(INGRESS, EGRESS, OLD_RULE):
        ours = theirs = roles(rule.refers_to.get("securityGroupId", frozenset()))
        if rule.type != OLD_RULE or not rule.value("self"):
            other = "sourceSecurityGroupId" if rule.type == OLD_RULE else "referencedSecurityGroupId"
            theirs = roles(rule.refers_to.get(other, frozenset()))
        inward = rule.type == INGRESS or (rule.type == OLD_RULE and rule.value("type") == "ingress")
        for source, target in product(theirs, ours) if inward else product(ours, theirs):
            if (source, target) not in ONE_PATH:
                yield rule, f"it leads from {source} to {target}"
    for group in groups:
        if len(of := [name for name, found in members.items() if group.urn in found]) != 1:
            yield group, f"it is the group of {' and '.join(of) or 'nobody'}, and has to be that of one"
        if group.urn not in members[ENDPOINTS] and (group.value("ingress") or group.value("egress")):
            yield group, "its rules are written into it, where nobody sees whom they let in"


def _public_addresses(resource: Resource, _: Facts) -> Iterator[str]:
    if resource.type == SUBNET and not resource.may_be("mapPublicIpOnLaunch", None, False):
        yield "whatever starts in it gets a public address"
    if resource.type == SERVICE and not resource.may_be("networkConfiguration.assignPublicIp", None, False):
        yield "its tasks get public addresses"


def _weak_tls(listener: Resource, _: Facts) -> Iterator[str]:
    policy = listener.value("sslPolicy")
    if listener.value("protocol") not in ("HTTPS", "TLS") or isinstance(policy, Unknown):
        return
    if not str(policy).startswith(TLS_POLICIES):
        yield f"its policy {policy} allows old versions or weak ciphers"


def _plain_http(listener: Resource, facts: Facts) -> Iterator[str]:
    if not facts.production or listener.value("protocol") != "HTTP":
        return
    for action in listener.items("defaultActions"):
        if action.get("type") != "redirect" or action.get("redirect", {}).get("protocol") != "HTTPS":
            yield "it answers users without TLS"


def _lenient(balancer: Resource, _: Facts) -> Iterator[str]:
    if not balancer.may_be("dropInvalidHeaderFields", True):
        yield "it passes headers on that no HTTP client sends"
    if not balancer.may_be("desyncMitigationMode", None, "defensive", "strictest"):
        yield "it passes requests on that two servers can read differently"


def _unwatched(graph: Graph, facts: Facts) -> Iterator[tuple[Resource, str]]:
    for vpc in graph.of_type(VPC):
        if facts.production and not graph.referring(vpc, "aws:ec2/flowLog:FlowLog", "vpcId"):
            yield vpc, "nobody can tell afterwards who talked to whom"


def _default_doors(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    for vpc in graph.of_type(VPC):
        groups = graph.referring(vpc, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "vpcId")
        if not groups or any(group.value("ingress") or group.value("egress") for group in groups):
            yield vpc, "whatever names no security group lets in everything beside it"


RULES = (
    ResourceRule(
        id="G18",
        title="open to strangers: 80 and 443 only",
        reason="Whatever else listens was not written for strangers; and what breaks in wants a way out.",
        remedy="Name one TCP port, and the security group that may come instead of an address.",
        checkov=("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_277", "CKV_AWS_382"),
        types=frozenset({INGRESS, EGRESS, GROUP, OLD_RULE}),
        check=_open_doors,
    ),
    GraphRule(
        id="G19",
        title="security groups along the one path",
        reason="internet -> balancer -> tasks -> database: any other way leads around what protects the next.",
        remedy="Add what is needed to infra/security_groups.py, and to ONE_PATH of infra/guardrails/traffic.py.",
        checkov=("CKV2_AWS_5",),
        check=_off_the_path,
    ),
    ResourceRule(
        id="G20",
        title="no public addresses",
        reason="A task with a public address is reached around the balancer as soon as one rule is wrong.",
        remedy="Let the balancer be the one way in, and a NAT gateway or endpoints the way out.",
        checkov=("CKV_AWS_130", "CKV_AWS_333"),
        types=frozenset({SUBNET, SERVICE}),
        check=_public_addresses,
    ),
    ResourceRule(
        id="G21",
        title="TLS 1.2 at least",
        reason="Older versions can be read by who listens.",
        remedy="Set ssl_policy to one of the ELBSecurityPolicy-TLS13-1-2 family.",
        checkov=("CKV_AWS_103", "CKV2_AWS_74"),
        types=frozenset({LISTENER}),
        check=_weak_tls,
    ),
    ResourceRule(
        id="G22",
        title="production speaks HTTPS",
        reason="Passwords and sessions would cross the internet readable.",
        remedy="Set pactum:domainName, with pactum:hostedZoneId or pactum:certificateArn.",
        checkov=("CKV_AWS_2", "CKV2_AWS_20"),
        types=frozenset({LISTENER}),
        check=_plain_http,
    ),
    ResourceRule(
        id="G23",
        title="a strict balancer",
        reason="A request that balancer and application read differently carries another one past all checks.",
        remedy="Set drop_invalid_header_fields=True, and leave the desync mitigation mode alone.",
        checkov=("CKV_AWS_131", "CKV_AWS_328"),
        types=frozenset({BALANCER}),
        check=_lenient,
    ),
    GraphRule(
        id="G24",
        title="production keeps flow logs",
        reason="After a break-in they are the only record of what was reached.",
        remedy="Set pactum:flowLogs to true.",
        checkov=("CKV2_AWS_11",),
        check=_unwatched,
    ),
    GraphRule(
        id="G30",
        title="a default security group without rules",
        reason="AWS gives the default group to whatever names none, and lets its members reach each other and anybody.",
        remedy="Adopt it with ec2.DefaultSecurityGroup and give it no rules, as infra/network.py does.",
        checkov=("CKV2_AWS_12",),
        check=_default_doors,
    ),
)
