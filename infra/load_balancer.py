"""The load balancer: the one door users come through."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import lb

from infra.settings import WebSettings

# Seconds a connection may idle; the application's server keeps its side open longer (75), or answers would be 502.
IDLE_TIMEOUT_SECONDS = 60
# A target is healthy after two probes five seconds apart, and unhealthy after three.
HEALTH_INTERVAL_SECONDS = 5
HEALTH_TIMEOUT_SECONDS = 4
HEALTHY_THRESHOLD = 2
UNHEALTHY_THRESHOLD = 3
# Seconds a target that leaves may finish what it is answering before it is told to stop: longer than the database lets
# a statement of the application run (8).
DEREGISTRATION_DELAY_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """`port` and `health_path` are the targets'.

    `before` must be there first: AWS wants the network's internet gateway.
    """

    settings: WebSettings
    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]
    port: int
    health_path: str
    deletion_protection: bool
    before: Sequence[pulumi.Resource]


class LoadBalancer(pulumi.ComponentResource):
    """An application load balancer in front of the web tasks.

    Creates the balancer, a target group that asks the health path, and its listeners: with a certificate HTTPS, and
    HTTP that redirects to it; without one plain HTTP. Leaves out access logs and DNS records.
    """

    dns_name: pulumi.Output[str]
    https: bool
    allowed_hosts: pulumi.Output[str]
    """The names users may ask for, separated by commas: the balancer's own and the domain."""
    url: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]
    """The balancer in CloudWatch's dimension `LoadBalancer`."""
    target_group_arn: pulumi.Output[str]
    target_group_arn_suffix: pulumi.Output[str]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:LoadBalancer", name, None, opts)
        self._name, self._child_opts = name, pulumi.ResourceOptions(parent=self)
        balancer = lb.LoadBalancer(
            f"{name}-web",
            load_balancer_type="application",
            subnets=args.subnet_ids,
            security_groups=[args.security_group_id],
            idle_timeout=IDLE_TIMEOUT_SECONDS,
            drop_invalid_header_fields=True,
            enable_deletion_protection=args.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.before)),
        )
        targets = self._target_group(args)
        self._listeners(balancer, targets, args.settings.certificate_arn)
        if args.deletion_protection and not args.settings.certificate_arn:
            pulumi.log.warn(
                "pactum:certificateArn is not set: passwords and sessions reach this stack unencrypted.", self
            )
        domain_name = args.settings.domain_name
        self.dns_name, self.https = balancer.dns_name, bool(args.settings.certificate_arn)
        self.allowed_hosts = balancer.dns_name.apply(lambda dns: f"{domain_name},{dns}" if domain_name else dns)
        self.url = pulumi.Output.concat("https://" if self.https else "http://", domain_name or balancer.dns_name)
        self.arn_suffix = balancer.arn_suffix
        self.target_group_arn, self.target_group_arn_suffix = targets.arn, targets.arn_suffix
        self.register_outputs({"dns_name": self.dns_name, "url": self.url})

    def _target_group(self, args: LoadBalancerArgs) -> lb.TargetGroup:
        return lb.TargetGroup(
            f"{self._name}-web",
            port=args.port,
            protocol="HTTP",
            target_type="ip",
            vpc_id=args.vpc_id,
            deregistration_delay=DEREGISTRATION_DELAY_SECONDS,
            health_check=lb.TargetGroupHealthCheckArgs(
                path=args.health_path,
                matcher="200",
                interval=HEALTH_INTERVAL_SECONDS,
                timeout=HEALTH_TIMEOUT_SECONDS,
                healthy_threshold=HEALTHY_THRESHOLD,
                unhealthy_threshold=UNHEALTHY_THRESHOLD,
            ),
            opts=self._child_opts,
        )

    def _listeners(self, balancer: lb.LoadBalancer, targets: lb.TargetGroup, certificate_arn: str) -> None:
        forward = lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)
        redirect = lb.ListenerDefaultActionArgs(
            type="redirect",
            redirect=lb.ListenerDefaultActionRedirectArgs(port="443", protocol="HTTPS", status_code="HTTP_301"),
        )
        lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[redirect if certificate_arn else forward],
            opts=self._child_opts,
        )
        if certificate_arn:
            lb.Listener(
                f"{self._name}-https",
                load_balancer_arn=balancer.arn,
                port=443,
                protocol="HTTPS",
                ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
                certificate_arn=certificate_arn,
                default_actions=[forward],
                opts=self._child_opts,
            )


def listener_ports(settings: WebSettings) -> tuple[int, ...]:
    """The ports the balancer answers on."""
    return (80, 443) if settings.certificate_arn else (80,)
