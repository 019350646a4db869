"""How a stack is looked at: what AWS says of it, what is measured, and who is told."""

from collections.abc import Sequence

import pulumi

from infra.observability.alarm import Place
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.alarms import Alarms, AlarmsArgs, RollbackAlarms, RollbackAlarmsArgs
from infra.observability.dashboard import Dashboard, DashboardArgs
from infra.observability.events import Events, EventsArgs
from infra.observability.metrics import Places
from infra.observability.notifications import Notifications, NotificationsArgs
from infra.observability.saved_queries import SavedQueries, SavedQueriesArgs
from infra.observability.watch import Watch, WatchArgs
from infra.scheduled_job import ScheduledJobs
from infra.settings import Settings
from stacks.ground import Ground


def watch_releases(settings: Settings, ground: Ground) -> RollbackAlarms:
    """What ECS looks at while it rolls a release out: there before the service is."""
    return RollbackAlarms(settings.name, RollbackAlarmsArgs(settings=settings, places=_places(ground)))


def observe(
    settings: Settings,
    ground: Ground,
    *,
    live: pulumi.Output[None],
    jobs: ScheduledJobs | None,
    rollback: RollbackAlarms,
    found_by: Sequence[pulumi.Resource],
) -> Notifications:
    """Everything else; alarms and the watch after the verdict, the rest beside whatever is made."""
    name, places = settings.name, _places(ground, jobs)
    notifications = Notifications(name, NotificationsArgs(settings=settings))
    Events(
        name,
        EventsArgs(settings=settings, cluster_arn=ground.cluster.arn, database_identifier=ground.database.identifier),
    )
    Watch(
        name,
        WatchArgs(
            settings=settings,
            cluster_arn=ground.cluster.arn,
            balancer=ground.balancer,
            secret_arns=ground.secrets.arns,
            live=live,
            before=found_by,
        ),
    )
    alarms = Alarms(name, AlarmsArgs(settings=settings, places=places, notifications=notifications, live=live))
    SavedQueries(name, SavedQueriesArgs(settings=settings))
    Dashboard(
        name,
        DashboardArgs(
            settings=settings,
            rules=alarm_rules(settings),
            composites=composite_rules(settings),
            alarm_arns={**rollback.arns, **alarms.arns},
            places=places,
        ),
    )
    return notifications


def _places(ground: Ground, jobs: ScheduledJobs | None = None) -> Places:
    """What metrics are told apart by, and only AWS knows."""
    places: dict[Place, pulumi.Input[str]] = {
        Place.BALANCER: ground.balancer.arn_suffix,
        Place.TARGET_GROUP: ground.balancer.target_group_arn_suffix,
        Place.DATABASE: ground.database.identifier,
    }
    if ground.balancer.certificate_arn:
        places[Place.CERTIFICATE] = ground.balancer.certificate_arn
    if jobs:
        places[Place.JOBS_QUEUE] = jobs.queue_name
    return places
