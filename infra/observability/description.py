"""What an alarm's message says: what happened to whom, where to look first, and what to do then."""

from infra.observability.alarm import AlarmRule, CompositeRule
from infra.observability.names import dashboard
from infra.settings import Settings

# CloudWatch API, PutMetricAlarm: characters of AlarmDescription.
LONGEST = 1024
RUNBOOKS = "docs/runbooks/"


def description(rule: AlarmRule | CompositeRule, settings: Settings) -> str:
    """The text of an alarm; its name, its numbers and since when are put beside it by CloudWatch."""
    told = rule.told
    lines = [
        told.summary,
        f"Look first: {told.first_look}",
        f"Runbook: {settings.observability.runbook_url or RUNBOOKS}{told.runbook}.md",
        f"Dashboard: {dashboard(settings)}, {told.section}",
    ]
    return "\n".join(lines)
