"""What a stack file says of the way in: the domain, its certificate, and who is kept out."""

from dataclasses import dataclass

from infra.aws_rules import CERTIFICATE, CERTIFIED_NAME_LENGTH, DOMAIN, HOSTED_ZONE
from infra.config_reader import ConfigReader


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """How users reach the application. Without a domain, by the balancer's own name, unencrypted."""

    domain_name: str
    certificate_arn: str
    """A certificate that exists. Empty with a domain, one is made, validated by the hosted zone."""
    hosted_zone_id: str
    """The zone that gets the domain's records. Empty, the domain is pointed to the balancer by hand."""
    firewall: bool
    maintenance: bool

    @property
    def https(self) -> bool:
        return bool(self.domain_name)


def read_edge(config: ConfigReader, region: str, account_id: str) -> EdgeSettings:
    """Read the edge's keys; what is wrong with them is left with `config`."""
    example = f"arn:aws:acm:{region}:123456789012:certificate/..."
    settings = EdgeSettings(
        certificate_arn=config.text("certificateArn", pattern=CERTIFICATE, example=example),
        domain_name=config.text("domainName", pattern=DOMAIN, example="pactum.example.com"),
        hosted_zone_id=config.text("hostedZoneId", pattern=HOSTED_ZONE, example="Z0123456789ABCDEFGHIJ"),
        firewall=config.flag("firewall"),
        maintenance=config.flag("maintenance"),
    )
    if not config.is_refused("domainName", "certificateArn", "hostedZoneId"):
        _check_together(config, settings)
    if settings.certificate_arn:
        _check_place(config, settings.certificate_arn, region, account_id)
    return settings


def _check_together(config: ConfigReader, settings: EdgeSettings) -> None:
    if not settings.domain_name:
        for key, given in (("certificateArn", settings.certificate_arn), ("hostedZoneId", settings.hosted_zone_id)):
            if given:
                config.refuse(key, "is set without domainName.", "Set domainName to the name that users type.")
    elif not settings.certificate_arn and not settings.hosted_zone_id:
        config.refuse(
            "domainName",
            "has no certificate: neither hostedZoneId nor certificateArn is set.",
            "Set hostedZoneId to the Route 53 zone of the domain, and a certificate is made; or, where the zone is"
            " elsewhere, certificateArn to one of yours.",
        )
    elif not settings.certificate_arn and len(settings.domain_name) > CERTIFIED_NAME_LENGTH:
        config.refuse(
            "domainName",
            f"has {len(settings.domain_name)} characters; ACM makes certificates for {CERTIFIED_NAME_LENGTH} at most.",
            "Choose a shorter name, or set certificateArn to a certificate that has it as an alternative name.",
        )


def _check_place(config: ConfigReader, certificate_arn: str, region: str, account_id: str) -> None:
    _, _, _, its_region, its_account, _ = certificate_arn.split(":")
    if region and its_region != region:
        config.refuse(
            "certificateArn", f"is not in the stack's region {region}.", "A balancer takes only its region's."
        )
    elif account_id and its_account != account_id:
        config.refuse(
            "certificateArn", f"is not in the stack's account {account_id}.", "A balancer takes only its account's."
        )
