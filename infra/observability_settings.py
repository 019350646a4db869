"""What a stack file says of logs, of who is told of what, and of what users were promised."""

from dataclasses import dataclass

from infra.aws_rules import EMAIL, RETENTION_DAYS
from infra.config_reader import ConfigReader, listed

# Slack's and Microsoft's own forms; Amazon Q in chat applications refuses others.
SLACK_WORKSPACE, SLACK_CHANNEL = r"T[A-Z0-9]{6,14}", r"[CG][A-Z0-9]{6,14}"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TEAMS_CHANNEL = r"19(:|%3[Aa])[A-Za-z0-9_.-]{10,200}(@|%40)thread\.(tacv2|skype)"
ADDRESS = r"https://[^\s?#]{3,200}/"
# 99.99 is 4 minutes a month: what people answer a page in is more.
OBJECTIVE = r"(9[0-9](\.[0-9]{1,2})?)"


@dataclass(frozen=True, kw_only=True)
class SlackChannel:
    """A channel of a Slack workspace that Amazon Q in chat applications was let into by hand, once."""

    workspace_id: str
    channel_id: str


@dataclass(frozen=True, kw_only=True)
class TeamsChannel:
    """A channel of a Microsoft Teams team that Amazon Q in chat applications was let into by hand, once."""

    tenant_id: str
    team_id: str
    channel_id: str


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """What users were promised, as percentages of their requests over 30 days."""

    availability_percent: float
    """Requests that are not answered by 5xx."""
    latency_percent: float
    """Requests that are answered within `latency_milliseconds`."""
    latency_milliseconds: int
    requests_per_hour: int
    """With less traffic a single error would be a large share: burn rates then say nothing."""


@dataclass(frozen=True, kw_only=True)
class ObservabilitySettings:
    """How long logs are kept, when somebody is told, and who."""

    log_retention_days: int
    alarm_email: str
    ticket_email: str
    """Empty when tickets go where pages go."""
    slack: SlackChannel | None
    teams: TeamsChannel | None
    runbook_url: str
    """Where people read docs/runbooks, with a slash at its end; empty: in their clone."""
    error_count: int
    rollback_error_percent: int
    slow_milliseconds: int
    slow_query_milliseconds: int
    secret_maximum_age_days: int
    objectives: Objectives


def read_observability(config: ConfigReader) -> ObservabilitySettings:
    """Read the keys of logs, alarms and objectives; what is wrong with them is left with `config`."""
    return ObservabilitySettings(
        log_retention_days=_retention(config),
        alarm_email=config.text("alarmEmail", pattern=EMAIL, example="on-call@example.com"),
        ticket_email=config.text("ticketEmail", pattern=EMAIL, example="team@example.com"),
        slack=_slack(config),
        teams=_teams(config),
        runbook_url=config.text(
            "runbookUrl", pattern=ADDRESS, example="https://github.com/OWNER/NAME/blob/main/docs/runbooks/"
        ),
        error_count=config.whole("alarmErrorCount", 1, 1_000_000),
        rollback_error_percent=config.whole("rollbackErrorPercent", 1, 100),
        slow_milliseconds=config.whole("alarmSlowMilliseconds", 50, 60_000),
        slow_query_milliseconds=config.whole("slowQueryMilliseconds", 10, 60_000),
        secret_maximum_age_days=config.whole("secretMaximumAgeDays", 1, 3650),
        objectives=_objectives(config),
    )


def _retention(config: ConfigReader) -> int:
    days = config.whole("logRetentionDays", 1, 3653)
    if days not in RETENTION_DAYS and not config.is_refused("logRetentionDays"):
        config.refuse(
            "logRetentionDays", "is not a period CloudWatch Logs offers.", f"Choose {listed(RETENTION_DAYS)}."
        )
    return days


def _slack(config: ConfigReader) -> SlackChannel | None:
    keys = ("slackWorkspaceId", "slackChannelId")
    workspace = config.text(keys[0], pattern=SLACK_WORKSPACE, example="T07EA123LEP")
    channel = config.text(keys[1], pattern=SLACK_CHANNEL, example="C07EZ1ABC23")
    if not _is_whole(config, keys, (workspace, channel)):
        return None
    return SlackChannel(workspace_id=workspace, channel_id=channel)


def _teams(config: ConfigReader) -> TeamsChannel | None:
    keys = ("teamsTenantId", "teamsTeamId", "teamsChannelId")
    tenant, team = (config.text(key, pattern=UUID, example="2c1b3a4d-0e5f-4a6b-8c7d-9e8f0a1b2c3d") for key in keys[:2])
    channel = config.text(keys[2], pattern=TEAMS_CHANNEL, example="19:0a1b2c3d4e5f60718293a4b5c6d7e8f9@thread.tacv2")
    if not _is_whole(config, keys, (tenant, team, channel)):
        return None
    return TeamsChannel(tenant_id=tenant, team_id=team, channel_id=channel)


def _is_whole(config: ConfigReader, keys: tuple[str, ...], values: tuple[str, ...]) -> bool:
    """Whether all are set; none is fine as well."""
    if config.is_refused(*keys):
        return False
    lacking = [key for key, value in zip(keys, values, strict=True) if not value]
    if lacking and any(values):
        config.refuse(
            lacking[0], "is not set, and the channel is not known without it.", "Set it, or remove the others."
        )
    return not lacking


def _objectives(config: ConfigReader) -> Objectives:
    return Objectives(
        availability_percent=_percent(config, "availabilityObjectivePercent"),
        latency_percent=_percent(config, "latencyObjectivePercent"),
        latency_milliseconds=config.whole("latencyObjectiveMilliseconds", 50, 60_000),
        requests_per_hour=config.whole("objectiveRequestsPerHour", 1, 1_000_000),
    )


def _percent(config: ConfigReader, key: str) -> float:
    return float(config.text(key, pattern=OBJECTIVE, example='"99.9", from 90 to 99.99', required=True) or 90)
