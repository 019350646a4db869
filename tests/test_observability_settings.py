"""infra/observability_settings.py: who is told, and what users were promised."""

from __future__ import annotations

import pytest

from infra.observability_settings import Objectives, SlackChannel, TeamsChannel
from tests.recorder import IN_SLACK, IN_TEAMS
from tests.test_settings import refusal, settings


def test_defaults_promise_something_and_tell_nobody() -> None:
    found = settings("staging").observability
    assert (found.alarm_email, found.ticket_email, found.runbook_url) == ("", "", "")
    assert (found.slack, found.teams) == (None, None)
    assert (found.slow_query_milliseconds, found.secret_maximum_age_days) == (1000, 365)
    assert found.objectives == Objectives(
        availability_percent=99.9, latency_percent=99.0, latency_milliseconds=1000, requests_per_hour=300
    )


def test_every_key_reaches_the_settings() -> None:
    found = settings(
        alarmEmail="on-call@example.com",
        ticketEmail="team@example.com",
        runbookUrl="https://wiki.example.com/runbooks/",
        slowQueryMilliseconds=250,
        secretMaximumAgeDays=90,
        availabilityObjectivePercent="99.95",
        latencyObjectivePercent="95",
        latencyObjectiveMilliseconds=400,
        objectiveRequestsPerHour=60,
        **IN_SLACK,
        **IN_TEAMS,
    ).observability
    assert (found.alarm_email, found.ticket_email) == ("on-call@example.com", "team@example.com")
    assert found.runbook_url == "https://wiki.example.com/runbooks/"
    assert (found.slow_query_milliseconds, found.secret_maximum_age_days) == (250, 90)
    assert found.objectives == Objectives(
        availability_percent=99.95, latency_percent=95.0, latency_milliseconds=400, requests_per_hour=60
    )
    assert found.slack == SlackChannel(workspace_id=IN_SLACK["slackWorkspaceId"], channel_id=IN_SLACK["slackChannelId"])
    assert found.teams == TeamsChannel(
        tenant_id=IN_TEAMS["teamsTenantId"],
        team_id=IN_TEAMS["teamsTeamId"],
        channel_id=IN_TEAMS["teamsChannelId"],
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ticketEmail": "team"}, "pactum:ticketEmail = team"),
        ({"runbookUrl": "https://wiki.example.com/runbooks"}, "Write it like https://github.com/OWNER/NAME/blob/main/"),
        ({"runbookUrl": "http://wiki.example.com/runbooks/"}, "pactum:runbookUrl"),
        ({"slowQueryMilliseconds": 9}, "Choose a number from 10 to 60000."),
        ({"secretMaximumAgeDays": 0}, "Choose a number from 1 to 3650."),
        ({"latencyObjectiveMilliseconds": 49}, "Choose a number from 50 to 60000."),
        ({"objectiveRequestsPerHour": 0}, "Choose a number from 1 to 1000000."),
        ({"availabilityObjectivePercent": "100"}, 'Write it like "99.9", from 90 to 99.99.'),
        ({"availabilityObjectivePercent": "89.9"}, 'Write it like "99.9", from 90 to 99.99.'),
        ({"availabilityObjectivePercent": "99.999"}, 'Write it like "99.9", from 90 to 99.99.'),
        ({"latencyObjectivePercent": ""}, "is required and not set."),
        ({"slackWorkspaceId": "pactum", "slackChannelId": "C07EZ1ABC23"}, "Write it like T07EA123LEP."),
        ({"slackWorkspaceId": "T07EA123LEP", "slackChannelId": "#alarms"}, "Write it like C07EZ1ABC23."),
        ({**IN_TEAMS, "teamsTeamId": "team"}, "pactum:teamsTeamId = team"),
        ({**IN_TEAMS, "teamsChannelId": "19:x@thread.tacv2"}, "Write it like 19:"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_rule(changes: dict[str, object], words: str) -> None:
    message = refusal(**changes)
    assert message.startswith("1 problem"), message
    assert words in message


@pytest.mark.parametrize(
    ("left_out", "of"),
    [
        ("slackChannelId", IN_SLACK),
        ("slackWorkspaceId", IN_SLACK),
        ("teamsTenantId", IN_TEAMS),
        ("teamsTeamId", IN_TEAMS),
        ("teamsChannelId", IN_TEAMS),
    ],
)
def test_half_a_channel_is_refused_by_what_is_lacking(left_out: str, of: dict[str, str]) -> None:
    message = refusal(**{key: value for key, value in of.items() if key != left_out})
    assert message.startswith("1 problem"), message
    assert f"pactum:{left_out}\n      is not set, and the channel is not known without it." in message
