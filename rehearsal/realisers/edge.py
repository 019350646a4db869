"""The domain, its certificate and the firewall. Records and certificates are kept; the firewall refuses nobody."""

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, capitalised, made_by, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

_CERTIFICATE_FIELDS: dict[str, Field] = {
    "domainName": "DomainName",
    "validationMethod": "ValidationMethod",
    "tags": tag_list(),
}


def _create_certificate(tools: Tools, _: str, inputs: Properties) -> Made:
    acm = tools.client("acm")
    arn = acm.request_certificate(**parameters(_CERTIFICATE_FIELDS, inputs))["CertificateArn"]
    asked = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    options = [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option["ResourceRecord"]["Name"],
            "resourceRecordType": option["ResourceRecord"]["Type"],
            "resourceRecordValue": option["ResourceRecord"]["Value"],
        }
        for option in asked
    ]
    return Made(id=arn, outputs={"arn": arn, "domainValidationOptions": options})


def _validate_certificate(tools: Tools, _: str, inputs: Properties) -> Made:
    """The emulator issues every certificate at once; ACM waits until the world can see its records."""
    arn = inputs["certificateArn"]
    options = tools.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    for option in options:
        asked = option["ResourceRecord"]
        if asked["Value"] not in _values(tools, asked["Name"], asked["Type"]):
            raise RehearsalError(
                f"no hosted zone has the record {asked['Type']} {asked['Name']} that ACM asks for; it would wait",
                remedy="Make the record of the certificate's domain_validation_options.",
            )
    return Made(id=arn, outputs={})


def _values(tools: Tools, name: str, type_: str) -> list[str]:
    return [
        value["Value"]
        for record in records(tools)
        if (record["Name"], record["Type"]) == (name, type_)
        for value in record.get("ResourceRecords", [])
    ]


def records(tools: Tools) -> list[Properties]:
    """Every record of every hosted zone there is."""
    route53 = tools.client("route53")
    zones = route53.list_hosted_zones()["HostedZones"]
    return [
        record
        for zone in zones
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    ]


_RECORD_FIELDS: dict[str, Field] = {
    "name": "Name",
    "type": "Type",
    "ttl": "TTL",
    "records": lambda values: {"ResourceRecords": [{"Value": value} for value in values]},
    "aliases": lambda aliases: {"AliasTarget": _alias(*aliases)},
}


def _alias(alias: Properties) -> Properties:
    return {
        "DNSName": alias["name"],
        "HostedZoneId": alias["zoneId"],
        "EvaluateTargetHealth": alias["evaluateTargetHealth"],
    }


def _create_record(tools: Tools, _: str, inputs: Properties) -> Made:
    action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
    change = {"Action": action, "ResourceRecordSet": parameters(_RECORD_FIELDS, inputs)}
    zone = _zone(tools, inputs["zoneId"], inputs["name"])
    tools.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    name = inputs["name"].rstrip(".")
    return Made(id=f"{inputs['zoneId']}_{name}_{inputs['type']}", outputs={"fqdn": name})


def _zone(tools: Tools, zone_id: str, name: str) -> str:
    """The emulator's zone that stands for the stack file's: the program expects it to be there, as it would be on AWS.

    The emulator chooses ids itself, and answers a caller's reference it knows with the zone that it made for it.
    """
    parent = ".".join(name.rstrip(".").split(".")[-2:])
    zone = tools.client("route53").create_hosted_zone(Name=parent, CallerReference=zone_id)["HostedZone"]
    return str(zone["Id"])


_VISIBILITY_FIELDS = {
    "metricName": "MetricName",
    # The one name that does not follow from the provider's.
    "cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
    "sampledRequestsEnabled": "SampledRequestsEnabled",
}


def _visibility(given: Properties) -> Properties:
    return {_VISIBILITY_FIELDS[name]: value for name, value in given.items()}


def _rule(rule: Properties) -> Properties:
    others = {name: value for name, value in rule.items() if name != "visibilityConfig"}
    return {**capitalised(others), "VisibilityConfig": _visibility(rule["visibilityConfig"])}


_ACL_FIELDS: dict[str, Field] = {
    "name": "Name",
    "scope": "Scope",
    "defaultAction": "DefaultAction",
    "rules": lambda rules: {"Rules": [_rule(rule) for rule in rules]},
    "visibilityConfig": lambda given: {"VisibilityConfig": _visibility(given)},
    "tags": tag_list(),
}


def _acl(inputs: Properties, response: Properties) -> Made:
    summary = response["Summary"]
    return Made(id=summary["Id"], outputs={"arn": summary["ARN"], "name": inputs["name"]})


def _associated(inputs: Properties, _: Properties) -> Made:
    return Made(id=f"{inputs['webAclArn']},{inputs['resourceArn']}", outputs={})


_ASSOCIATION_FIELDS: dict[str, Field] = {"webAclArn": "WebACLArn", "resourceArn": "ResourceArn"}

EDGE: dict[str, Realiser] = {
    "aws:acm/certificate:Certificate": Realiser(create=_create_certificate, properties=frozenset(_CERTIFICATE_FIELDS)),
    "aws:acm/certificateValidation:CertificateValidation": Realiser(
        create=_validate_certificate,
        properties=frozenset({"certificateArn"}),
        not_rehearsed={"validationRecordFqdns": "an order of the program's; the records themselves are looked for"},
    ),
    "aws:route53/record:Record": Realiser(
        create=_create_record, properties=frozenset({*_RECORD_FIELDS, "zoneId", "allowOverwrite"})
    ),
    "aws:wafv2/webAcl:WebAcl": Realiser(
        create=made_by("wafv2", "create_web_acl", _ACL_FIELDS, _acl),
        properties=frozenset(_ACL_FIELDS),
        name_property="name",
        name_limit=128,
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Realiser(
        create=made_by("wafv2", "associate_web_acl", _ASSOCIATION_FIELDS, _associated),
        properties=frozenset(_ASSOCIATION_FIELDS),
    ),
}
