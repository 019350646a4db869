"""What an update may do with everything that serves or runs: whatever holds no data."""

from dataclasses import dataclass

from infra.access.documents import Document, Scope, Statement, allow, both, document, each
from infra.access.tags import not_anothers, staying_tagged, tagged, to_be_tagged


@dataclass(frozen=True, kw_only=True)
class Records:
    """The zone a stack writes records into, and the one name it writes there. Empty: none."""

    hosted_zone_id: str = ""
    domain_name: str = ""


def serving_policy(scope: Scope, records: Records) -> Document:
    """Cluster, services, tasks, schedules, scaling, balancer, certificate, names, firewall, queues."""
    name = scope.name
    statements = [
        # These know no resources, or none yet; the tags of what they make say whose it is.
        allow(each("ecs", "CreateCluster", "RegisterTaskDefinition"), "*", to_be_tagged(scope)),
        allow(
            [
                *each("ecs", "CreateService", "UpdateService", "DeleteService", "RunTask", "StopTask"),
                *each("ecs", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders", "DeleteCluster"),
                *each("ecs", "TagResource", "UntagResource"),
            ],
            [
                scope.arn("ecs", f"cluster/{name}"),
                *(scope.arn("ecs", f"{kind}/{name}/*") for kind in ("service", "task")),
                scope.arn("ecs", f"task-definition/{name}-*"),
            ],
        ),
        allow(["elasticloadbalancing:*"], [scope.arn("elasticloadbalancing", each_) for each_ in _balancing(name)]),
        *_certificates(scope),
        *_scaling(scope),
        allow(
            each("scheduler", "CreateSchedule", "UpdateSchedule", "DeleteSchedule", "CreateScheduleGroup")
            + each("scheduler", "DeleteScheduleGroup", "TagResource", "UntagResource"),
            [scope.arn("scheduler", f"schedule/{name}/*"), scope.arn("scheduler", f"schedule-group/{name}")],
        ),
        allow(
            each("wafv2", "CreateWebACL", "UpdateWebACL", "DeleteWebACL", "AssociateWebACL", "DisassociateWebACL")
            + each("wafv2", "PutLoggingConfiguration", "DeleteLoggingConfiguration", "TagResource", "UntagResource"),
            [
                scope.arn("wafv2", f"regional/webacl/{name}-*"),
                scope.arn("wafv2", "regional/managedruleset/*"),
                scope.arn("elasticloadbalancing", f"loadbalancer/app/{name}-*"),
            ],
        ),
        allow(
            each("sqs", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue"),
            scope.arn("sqs", f"{name}-*"),
        ),
    ]
    return document(*statements, *_domain(records))


def _certificates(scope: Scope) -> list[Statement]:
    certificates = scope.arn("acm", "certificate/*")
    return [
        allow(["acm:RequestCertificate"], "*", to_be_tagged(scope)),
        allow(["acm:AddTagsToCertificate"], certificates, both(to_be_tagged(scope), not_anothers(scope))),
        allow(["acm:DeleteCertificate"], certificates, tagged(scope)),
    ]


def _scaling(scope: Scope) -> list[Statement]:
    """Application Auto Scaling names its targets by ids of its own, so they are told apart by tags."""
    targets = scope.arn("application-autoscaling", "scalable-target/*")
    made = each("application-autoscaling", "RegisterScalableTarget", "TagResource")
    changed = each("application-autoscaling", "DeregisterScalableTarget", "UntagResource")
    changed += each("application-autoscaling", "PutScalingPolicy", "DeleteScalingPolicy")
    return [
        allow(made, targets, both(to_be_tagged(scope), not_anothers(scope))),
        allow([*made, *changed], targets, both(tagged(scope), staying_tagged(scope))),
    ]


def _balancing(name: str) -> list[str]:
    return [
        f"loadbalancer/app/{name}-*",
        f"targetgroup/{name}-*",
        f"listener/app/{name}-*",
        f"listener-rule/app/{name}-*",
    ]


def _domain(records: Records) -> list[Statement]:
    """The domain's own address and the records ACM proves it by: a zone may hold an organisation's other names."""
    if not records.hosted_zone_id:
        return []
    zone = f"arn:aws:route53:::hostedzone/{records.hosted_zone_id}"
    kinds = {records.domain_name: "A", f"_*.{records.domain_name}": "CNAME"}
    return [
        allow(["route53:ChangeResourceRecordSets"], zone, {"ForAllValues:StringLike": _only(name, kind)})
        for name, kind in kinds.items()
    ]


def _only(name: str, kind: str) -> dict[str, str]:
    changed = "route53:ChangeResourceRecordSets"
    return {f"{changed}NormalizedRecordNames": name, f"{changed}RecordTypes": kind}
