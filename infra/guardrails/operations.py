"""Rules about running it: logs that end some day, alarms that somebody hears, tags that say whose a thing is."""

from collections.abc import Iterator

from infra.guardrails.containers import SERVICE
from infra.guardrails.resource import Facts, Graph, Resource, Unknown
from infra.guardrails.rule import GraphRule, ResourceRule
from infra.production_rules import FEWEST_LOG_DAYS

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"


def _endless_logs(group: Resource, facts: Facts) -> Iterator[str]:
    days = group.value("retentionInDays")
    if not days:
        yield "its logs are kept, and paid for, for ever"
    elif facts.production and isinstance(days, int) and days < FEWEST_LOG_DAYS:
        yield f"its logs are gone after {days} days, fewer than {FEWEST_LOG_DAYS}"


def _silent_alarms(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    # An alarm may be heard by a deployment, which rolls back, or be a part of one that people hear.
    heard = graph.users_of(SERVICE, "alarms") | graph.users_of(COMPOSITE, "alarmRule")
    for alarm in graph.of_type(ALARM, COMPOSITE):
        if alarm.is_empty("alarmActions") and alarm.urn not in heard:
            yield alarm, "nobody is told when it is raised"
        elif not alarm.may_be("actionsEnabled", None, True):
            yield alarm, "it is switched off"


def _whose(resource: Resource, facts: Facts) -> Iterator[str]:
    if not resource.type.startswith("aws:"):
        return
    if resource.provider:
        yield f"it is made by the provider {resource.provider}, whose tags are not the stack's"
    own = resource.value("tags")
    tags = {**facts.default_tags, **(own if isinstance(own, dict) else {})}
    for tag, wanted in (("project", facts.project), ("stack", facts.stack)):
        if tags.get(tag) != wanted and not isinstance(tags.get(tag), Unknown):
            yield f"its tag `{tag}` is {tags.get(tag)!r} instead of {wanted!r}"


RULES = (
    ResourceRule(
        id="G27",
        title="logs are kept, and not for ever",
        reason="Logs hold what users did: needed after an attack that was found late, and a burden after that.",
        remedy="Set pactum:logRetentionDays.",
        checkov=("CKV_AWS_66",),
        types=frozenset({LOG_GROUP}),
        check=_endless_logs,
    ),
    GraphRule(
        id="G28",
        title="alarms are heard",
        reason="An alarm without an action is a line in a console that nobody has open.",
        remedy="Give it alarm_actions, or name it in the service's `alarms` or in a composite alarm.",
        checkov=("CKV_AWS_319",),
        check=_silent_alarms,
    ),
    ResourceRule(
        id="G29",
        title="tags say whose it is",
        reason="Bills, access by tag, and the search for what a stack has left behind go by them.",
        remedy="Set aws:defaultTags in the stack's file to { tags: { project: ..., stack: ... } }; name no provider.",
        types=frozenset(),
        check=_whose,
    ),
)
