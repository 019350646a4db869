"""What the watch may do: look at what it counts, and publish numbers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.access.documents import Document, Statement, allow, document, each, service_trust
from infra.access.watching import WATCH_ITEM, one_item, publishing
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class WatchRoleArgs:
    """Exact ARNs and names: nothing beside them can be looked at."""

    settings: Settings
    namespace: str
    log_group_arn: pulumi.Output[str]
    services: Sequence[str]
    jobs: Sequence[str]
    secret_arns: Sequence[pulumi.Output[str]]


class WatchRole(pulumi.ComponentResource):
    """Creates the role of the watch's function, with an inline policy."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: WatchRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:WatchRole", name, None, opts)
        child_opts, settings = pulumi.ResourceOptions(parent=self), args.settings
        role = iam.Role(
            name,
            assume_role_policy=json.dumps(service_trust("lambda", settings.account_id)),
            permissions_boundary=settings.permissions_boundary_arn or None,
            opts=child_opts,
        )
        known = pulumi.Output.all(args.log_group_arn, *args.secret_arns)
        policy = known.apply(lambda arns: json.dumps(watch_policy(args, arns[0], arns[1:])))
        permission = iam.RolePolicy(name, role=role.id, policy=policy, opts=child_opts)
        # Whoever waits for the ARN finds a role that may already do its work.
        self.arn = pulumi.Output.all(role.arn, permission.id).apply(lambda both: str(both[0]))
        self.register_outputs({"arn": self.arn})


def watch_policy(args: WatchRoleArgs, log_group_arn: str, secret_arns: Sequence[str]) -> Document:
    """Look at these services, schedules and secrets, never at a secret's value; publish in this namespace alone."""
    settings = args.settings
    services = f"arn:aws:ecs:{settings.region}:{settings.account_id}:service/{settings.name}"
    return document(
        allow(each("logs", "CreateLogStream", "PutLogEvents"), f"{log_group_arn}:*"),
        publishing(args.namespace),
        allow("ecs:DescribeServices", [f"{services}/{service}" for service in sorted(args.services)]),
        # Says when each version was made, and no value.
        allow("secretsmanager:ListSecretVersionIds", sorted(secret_arns)),
        *(_about_jobs(settings, args.jobs) if args.jobs else []),
    )


def _about_jobs(settings: Settings, jobs: Sequence[str]) -> list[Statement]:
    of_account = f"{settings.region}:{settings.account_id}"
    schedules = [f"arn:aws:scheduler:{of_account}:schedule/{settings.name}/{settings.name}-{job}" for job in jobs]
    # The rest of the table is the release memory: what stands there decides what may be deployed.
    table = f"arn:aws:dynamodb:{of_account}:table/{settings.name}-releases"
    return [
        allow("scheduler:GetSchedule", sorted(schedules)),
        allow(each("dynamodb", "GetItem", "UpdateItem"), table, one_item(WATCH_ITEM)),
    ]
