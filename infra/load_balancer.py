"""The load balancer: the one door users come through."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import lb

from infra.access_logs import PREFIX
from infra.certificate import Certificate, CertificateArgs
from infra.firewall import Firewall, FirewallArgs
from infra.maintenance import Maintenance, MaintenanceArgs
from infra.settings import EdgeSettings, TimesSettings
from infra.times_settings import (
    HEALTH_INTERVAL_SECONDS,
    HEALTH_TIMEOUT_SECONDS,
    HEALTHY_THRESHOLD,
    UNHEALTHY_THRESHOLD,
)

# TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only; key exchanges that outlast quantum computers
# for whoever speaks them. What AWS recommends.
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """`port`, `health_path` and `readiness_path` are the targets'.

    `before` must be there first: AWS wants the network's internet gateway.
    """

    settings: EdgeSettings
    times: TimesSettings
    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]
    port: int
    health_path: str
    readiness_path: str
    log_retention_days: int
    deletion_protection: bool
    before: Sequence[pulumi.Resource]
    access_logs: pulumi.Output[str] | None = None
    """The bucket where every request is logged."""


class LoadBalancer(pulumi.ComponentResource):
    """An application load balancer in front of the web tasks.

    Creates the balancer, a target group that asks the health path, and its listeners: with a domain HTTPS, and HTTP
    that redirects to it; without one plain HTTP. As configured, the domain's certificate, a firewall, and a maintenance
    page. Requests for other names are forwarded too: the application refuses them, by ALLOWED_HOSTS. Leaves out the
    domain's record, which comes with the verdict (infra/dns.py).
    """

    dns_name: pulumi.Output[str]
    https: bool
    allowed_hosts: pulumi.Output[str]
    """The names users may ask for, separated by commas: the balancer's own and the domain."""
    url: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]
    """The balancer in CloudWatch's dimension `LoadBalancer`."""
    zone_id: pulumi.Output[str]
    """The hosted zone of its own name, which an alias record asks for; AWS's, not ours."""
    target_group_arn: pulumi.Output[str]
    target_group_arn_suffix: pulumi.Output[str]
    certificate_arn: pulumi.Input[str] | None = None
    """Of HTTPS, where there is a domain."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:LoadBalancer", name, None, opts)
        self._name, self._child_opts = name, pulumi.ResourceOptions(parent=self)
        balancer = lb.LoadBalancer(
            f"{name}-web",
            load_balancer_type="application",
            subnets=args.subnet_ids,
            security_groups=[args.security_group_id],
            idle_timeout=args.times.balancer_idle_seconds,
            drop_invalid_header_fields=True,
            enable_deletion_protection=args.deletion_protection,
            access_logs=access_logs(args.access_logs),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.before)),
        )
        targets = self._target_group(args)
        listener = self._listeners(balancer, targets, args.settings)
        self._as_configured(balancer, targets, listener, args)
        domain_name = args.settings.domain_name
        self.dns_name, self.https = balancer.dns_name, args.settings.https
        self.allowed_hosts = balancer.dns_name.apply(lambda dns: f"{domain_name},{dns}" if domain_name else dns)
        self.url = pulumi.Output.concat("https://" if self.https else "http://", domain_name or balancer.dns_name)
        self.arn_suffix, self.zone_id = balancer.arn_suffix, balancer.zone_id
        self.target_group_arn, self.target_group_arn_suffix = targets.arn, targets.arn_suffix
        self.register_outputs({"dns_name": self.dns_name, "url": self.url})

    def _target_group(self, args: LoadBalancerArgs) -> lb.TargetGroup:
        return lb.TargetGroup(
            f"{self._name}-web",
            port=args.port,
            protocol="HTTP",
            target_type="ip",
            vpc_id=args.vpc_id,
            deregistration_delay=args.times.drain_seconds,
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

    def _listeners(self, balancer: lb.LoadBalancer, targets: lb.TargetGroup, settings: EdgeSettings) -> lb.Listener:
        """Make the listeners; answers the one that forwards users."""
        forward = lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)
        if not settings.https:
            return self._http(balancer, forward, self._child_opts)
        redirect = lb.ListenerDefaultActionRedirectArgs(
            # To the name that the certificate is for, whatever name was asked for.
            host=settings.domain_name,
            port="443",
            protocol="HTTPS",
            status_code="HTTP_301",
        )
        self.certificate_arn = settings.certificate_arn or self._certificate(settings)
        https = lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=self.certificate_arn,
            default_actions=[forward],
            opts=self._child_opts,
        )
        # A stack that gets a domain later redirects its users only when somebody answers there.
        after_https = pulumi.ResourceOptions(parent=self, depends_on=[https])
        self._http(balancer, lb.ListenerDefaultActionArgs(type="redirect", redirect=redirect), after_https)
        return https

    def _http(
        self, balancer: lb.LoadBalancer, action: lb.ListenerDefaultActionArgs, opts: pulumi.ResourceOptions
    ) -> lb.Listener:
        return lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[action],
            opts=opts,
        )

    def _certificate(self, settings: EdgeSettings) -> pulumi.Output[str]:
        args = CertificateArgs(domain_name=settings.domain_name, hosted_zone_id=settings.hosted_zone_id)
        return Certificate(self._name, args, self._child_opts).arn

    def _as_configured(
        self, balancer: lb.LoadBalancer, targets: lb.TargetGroup, listener: lb.Listener, args: LoadBalancerArgs
    ) -> None:
        """What only some stacks have: a firewall, a maintenance page."""
        settings = args.settings
        if settings.firewall:
            firewall = FirewallArgs(
                balancer_arn=balancer.arn,
                readiness_path=args.readiness_path,
                log_retention_days=args.log_retention_days,
            )
            Firewall(self._name, firewall, self._child_opts)
        if settings.maintenance:
            maintenance = MaintenanceArgs(
                listener_arn=listener.arn, target_group_arn=targets.arn, readiness_path=args.readiness_path
            )
            Maintenance(self._name, maintenance, self._child_opts)


def access_logs(bucket: pulumi.Output[str] | None) -> lb.LoadBalancerAccessLogsArgs:
    """The log of every request, or its end in so many words: the provider takes a block that is gone for no change.

    The balancer would go on writing to a bucket that is deleted, under a name that is anybody's from then on.
    """
    if bucket is None:
        return lb.LoadBalancerAccessLogsArgs(bucket="", enabled=False)
    return lb.LoadBalancerAccessLogsArgs(bucket=bucket, prefix=PREFIX, enabled=True)


def listener_ports(settings: EdgeSettings) -> tuple[int, ...]:
    """The ports the balancer answers on."""
    return (80, 443) if settings.https else (80,)
