"""The certificate of the domain: made by ACM, which sees in the domain's zone that it is ours."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import acm, route53

# ACM sees a record within minutes. Longer, the domain is not delegated to the zone of the stack file.
VALIDATION_MINUTES = 30
TTL_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """`hosted_zone_id` is a public zone, in which the world looks `domain_name` up."""

    domain_name: str
    hosted_zone_id: str


class Certificate(pulumi.ComponentResource):
    """A certificate for one name, renewed by ACM as long as its validation record stands.

    Creates the certificate, its validation record in the zone, and waits until ACM has issued it. Leaves out further
    names: users who come by one of them need a certificate of your own (`certificateArn`).
    """

    arn: pulumi.Output[str]
    """Resolves once the certificate is issued: a listener refuses one that is not."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Certificate", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        certificate = acm.Certificate(
            f"{name}-certificate", domain_name=args.domain_name, validation_method="DNS", opts=child_opts
        )
        # One name, one record; its contents are known only once the certificate is asked for.
        validation = certificate.domain_validation_options[0]
        record = route53.Record(
            f"{name}-validation",
            zone_id=args.hosted_zone_id,
            name=_text(validation.resource_record_name),
            type=_text(validation.resource_record_type),
            records=[_text(validation.resource_record_value)],
            ttl=TTL_SECONDS,
            # ACM asks an account for the same record at each certificate of a name: it may stand there already, and may
            # be what another certificate is renewed by. So it is taken over, and left there when this one goes.
            allow_overwrite=True,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        validated = acm.CertificateValidation(
            f"{name}-validated",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=pulumi.ResourceOptions(
                parent=self, custom_timeouts=pulumi.CustomTimeouts(create=f"{VALIDATION_MINUTES}m")
            ),
        )
        self.arn = validated.certificate_arn
        self.register_outputs({"arn": self.arn})


def _text(value: pulumi.Output[str | None]) -> pulumi.Output[str]:
    """What ACM always gives for a validation by DNS, where its API's types allow for none."""
    return value.apply(str)
