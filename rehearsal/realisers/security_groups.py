"""Security groups: the emulator keeps them and checks references; packets are not filtered."""

from rehearsal.errors import RehearsalError
from rehearsal.realisers.network import ec2_resource, id_at
from rehearsal.realisers.realiser import Field, Made, Realiser, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

ALL_TRAFFIC = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _group_rules(tools: Tools, inputs: Properties, made: Made) -> None:
    client = tools.client("ec2")
    # The provider takes away the rule AWS gives every new group, so that only the program's rules are left.
    client.revoke_security_group_egress(GroupId=made.id, IpPermissions=[ALL_TRAFFIC])
    if inputs.get("ingress"):
        client.authorize_security_group_ingress(
            GroupId=made.id, IpPermissions=[_permission(rule) for rule in inputs["ingress"]]
        )
    if inputs.get("egress"):
        client.authorize_security_group_egress(
            GroupId=made.id, IpPermissions=[_permission(rule) for rule in inputs["egress"]]
        )


_INLINE_RULE_FIELDS: dict[str, Field] = {
    "protocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrBlocks": lambda blocks: {"IpRanges": [{"CidrIp": block} for block in blocks]},
    "ipv6CidrBlocks": lambda blocks: {"Ipv6Ranges": [{"CidrIpv6": block} for block in blocks]},
    "securityGroups": lambda groups: {"UserIdGroupPairs": [{"GroupId": group} for group in groups]},
}


def _permission(rule: Properties) -> Properties:
    unknown = sorted(rule.keys() - _INLINE_RULE_FIELDS.keys())
    if unknown:
        raise RehearsalError(f"the rehearsal does not know {', '.join(unknown)} in an inline rule of a security group")
    return parameters(_INLINE_RULE_FIELDS, rule)


_RULE_FIELDS: dict[str, Field] = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": lambda block: {"IpRanges": [{"CidrIp": block}]},
    "cidrIpv6": lambda block: {"Ipv6Ranges": [{"CidrIpv6": block}]},
    "referencedSecurityGroupId": lambda group: {"UserIdGroupPairs": [{"GroupId": group}]},
}


def _rule(direction: str) -> Realiser:
    def create(tools: Tools, _: str, inputs: Properties) -> Made:
        operation = getattr(tools.client("ec2"), f"authorize_security_group_{direction}")
        response = operation(GroupId=inputs["securityGroupId"], IpPermissions=[parameters(_RULE_FIELDS, inputs)])
        rules = response.get("SecurityGroupRules") or []
        id_ = rules[0]["SecurityGroupRuleId"] if rules else f"sgr-{inputs['securityGroupId']}"
        return Made(id=id_, outputs={"securityGroupRuleId": id_})

    return Realiser(create=create, properties=frozenset({"securityGroupId", *_RULE_FIELDS}))


def _empty_default_group(tools: Tools, _: str, inputs: Properties) -> Made:
    """As the provider does: the group is there, with the VPC; the rules AWS gave it are taken away."""
    given = [name for name in ("ingress", "egress") if inputs.get(name)]
    if given:
        raise RehearsalError(f"the rehearsal leaves a default security group without rules, and has {given[0]} here")
    client, vpc_id = tools.client("ec2"), inputs["vpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = client.describe_security_groups(Filters=filters)["SecurityGroups"]
    id_ = group["GroupId"]
    if group["IpPermissions"]:
        client.revoke_security_group_ingress(GroupId=id_, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        client.revoke_security_group_egress(GroupId=id_, IpPermissions=group["IpPermissionsEgress"])
    if inputs.get("tags"):
        client.create_tags(Resources=[id_], Tags=tag_list()(inputs["tags"])["Tags"])
    return Made(id=id_, outputs={"arn": tools.arn("ec2", f"security-group/{id_}"), "name": "default"})


SECURITY_GROUPS: dict[str, Realiser] = {
    "aws:ec2/securityGroup:SecurityGroup": ec2_resource(
        "create_security_group",
        {"name": "GroupName", "description": "Description", "vpcId": "VpcId"},
        id_at("GroupId"),
        kind="security-group",
        further=frozenset({"ingress", "egress"}),
        afterwards=_group_rules,
        constants={"Description": "Managed by Pulumi"},
        name_property="name",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Realiser(
        create=_empty_default_group, properties=frozenset({"vpcId", "ingress", "egress", "tags"})
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
}
