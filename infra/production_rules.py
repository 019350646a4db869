"""What a stack must have that users depend on: the keys of `pactum:production: true`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.config_reader import ConfigReader

if TYPE_CHECKING:
    from infra.settings import Settings

FEWEST_BACKUP_DAYS, FEWEST_LOG_DAYS, FEWEST_TASKS = 7, 90, 2
# Stacks of these names are taken for production whatever they say, so that no lost line unprotects one.
PRODUCTION_NAMES = ("prod", "production", "live")


@dataclass(frozen=True, kw_only=True)
class Protection:
    """One key of a production stack. `lacks` tells whether its value protects too little."""

    key: str
    lacks: Callable[["Settings"], bool]
    rule: str
    remedy: str


PROTECTIONS = (
    Protection(
        key="domainName",
        lacks=lambda settings: not settings.edge.domain_name,
        rule="is empty: passwords and sessions would reach a production stack unencrypted.",
        remedy="Set it to the name that users type, and hostedZoneId or certificateArn with it.",
    ),
    Protection(
        key="natMode",
        lacks=lambda settings: settings.network.nat_mode == "single",
        rule="leaves all tasks of a production stack without a way out when the one zone of its gateway fails.",
        remedy="Choose per_zone; or none, where the application asks AWS only.",
    ),
    Protection(
        key="databaseMultiAz",
        lacks=lambda settings: not settings.database.multi_az,
        rule="leaves a production stack without a database when one zone fails.",
        remedy="Set it to true.",
    ),
    Protection(
        key="databaseBackupDays",
        lacks=lambda settings: settings.database.backup_days < FEWEST_BACKUP_DAYS,
        rule="is too short for a production stack: damage is often noticed days later.",
        remedy=f"Choose {FEWEST_BACKUP_DAYS} or more.",
    ),
    Protection(
        key="deletionProtection",
        lacks=lambda settings: not settings.deletion_protection,
        rule="would let one command delete the data of a production stack.",
        remedy="Set it to true.",
    ),
    Protection(
        key="webMinimum",
        lacks=lambda settings: settings.web.minimum < FEWEST_TASKS,
        rule="leaves nobody to answer users when one task, or its zone, fails.",
        remedy=f"Choose {FEWEST_TASKS} or more.",
    ),
    Protection(
        key="rolloutMinimumPercent",
        lacks=lambda settings: not settings.times.fewest_tasks(settings.web.minimum),
        rule="leaves nobody to answer users during a rollout.",
        remedy="Choose 100, or at least so much that one task stays.",
    ),
    Protection(
        key="logRetentionDays",
        lacks=lambda settings: settings.observability.log_retention_days < FEWEST_LOG_DAYS,
        rule="is too short for a production stack: incidents are often looked into months later.",
        remedy=f"Choose {FEWEST_LOG_DAYS} or more.",
    ),
    Protection(
        key="alarmEmail",
        lacks=lambda settings: not settings.observability.alarm_email,
        rule="is empty: nobody would be told that a production stack is down.",
        remedy="Set it to an address that is read day and night, such as on-call@example.com.",
    ),
)


def check_production(config: ConfigReader, settings: "Settings") -> None:
    """Refuse each key that leaves a production stack unprotected."""
    if not settings.production:
        if settings.stack in PRODUCTION_NAMES and not config.is_refused("production"):
            config.refuse(
                "production",
                f"is false for the stack `{settings.stack}`.",
                "Set it to true, which refuses whatever is unprotected; or give the stack another name.",
            )
        return
    for protection in PROTECTIONS:
        if not config.is_refused(protection.key) and protection.lacks(settings):
            config.refuse(protection.key, protection.rule, protection.remedy)
