"""The database: RDS PostgreSQL, private, encrypted, with a master password that only RDS and its secret know."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, rds

from infra.settings import DatabaseSettings

POSTGRESQL_MAJOR = "17"
EXPORTED_LOGS = ("postgresql", "upgrade")
# The server's settings where they differ from RDS's, or must not: name -> value and when it takes effect.
PARAMETERS = {
    # It is PostgreSQL 17's default; with another apply method than AWS's own it would differ for ever.
    "rds.force_ssl": ("1", "pending-reboot"),
    "log_connections": ("1", "immediate"),
    "log_disconnections": ("1", "immediate"),
    "log_lock_waits": ("1", "immediate"),
    # Django writes the users' values into a statement's text (client-side binding), so no text is logged: neither of
    # slow statements, which Database Insights shows, nor of failed and waiting ones. An error's detail, such as the key
    # that is there already, remains.
    "log_min_duration_statement": ("-1", "immediate"),
    "log_min_error_statement": ("panic", "immediate"),
}


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """`subnet_ids` are isolated subnets in two zones or more."""

    project: str
    settings: DatabaseSettings
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]
    deletion_protection: bool
    log_retention_days: int


class Database(pulumi.ComponentResource):
    """A PostgreSQL instance that answers over TLS only.

    Creates a subnet group, a parameter group (TLS forced; connections and long waits for locks logged, but no
    statement's text), a log group for each log that is exported, and the instance: encrypted with AWS's key for RDS,
    gp3 storage that grows by itself, backups with point-in-time recovery, Database Insights, minor upgrades in the
    maintenance window. With deletion protection the instance is also protected in Pulumi, changes that interrupt wait
    for the window, and deleting it leaves its backups and a final snapshot. Leaves out replicas, a proxy, logins by
    IAM, and Enhanced Monitoring (the host's processes by the second: a role of its own and logs paid by the gigabyte,
    where CloudWatch's metrics and Database Insights say enough).
    """

    identifier: str
    """The instance in RDS's names: of logs, of events, and in CloudWatch's dimension `DBInstanceIdentifier`."""
    host: pulumi.Output[str]
    port: pulumi.Output[int]
    name: str
    master_secret_arn: pulumi.Output[str]
    """The secret RDS keeps and rotates: JSON with `username` and `password`."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Database", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        settings = args.settings
        subnets = rds.SubnetGroup(f"{name}-database", subnet_ids=args.subnet_ids, opts=child_opts)
        parameters = parameter_group(f"{name}-database", child_opts)
        self.identifier = identifier = f"{name}-database"
        self.name = database_name(args.project)
        logs = log_groups(identifier, args.log_retention_days, child_opts)
        final_snapshot = final_snapshot_name(name, args.security_group_id) if args.deletion_protection else None
        instance = rds.Instance(
            identifier,
            # Named, so that the names of its log groups are known before it is there.
            identifier=identifier,
            engine="postgres",
            engine_version=POSTGRESQL_MAJOR,
            instance_class=settings.instance_class,
            allocated_storage=settings.storage_gib,
            max_allocated_storage=settings.storage_maximum_gib,
            storage_type="gp3",
            storage_encrypted=True,
            db_name=self.name,
            username=f"{self.name}_master",
            manage_master_user_password=True,
            multi_az=settings.multi_az,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[args.security_group_id],
            publicly_accessible=False,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            parameter_group_name=parameters.name,
            backup_retention_period=settings.backup_days,
            backup_window="03:00-04:00",
            maintenance_window="sun:04:30-sun:05:30",
            auto_minor_version_upgrade=True,
            copy_tags_to_snapshot=True,
            database_insights_mode="standard",
            performance_insights_enabled=True,
            performance_insights_retention_period=7,
            enabled_cloudwatch_logs_exports=list(EXPORTED_LOGS),
            # Where data are protected, changes that interrupt wait for the maintenance window.
            apply_immediately=not args.deletion_protection,
            deletion_protection=args.deletion_protection,
            delete_automated_backups=not args.deletion_protection,
            skip_final_snapshot=not args.deletion_protection,
            final_snapshot_identifier=final_snapshot,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection, depends_on=logs),
        )
        self.host, self.port = instance.address, instance.port
        self.master_secret_arn = instance.master_user_secrets.apply(master_secret_arn)
        self.register_outputs({"host": self.host, "port": self.port})


def database_name(project: str) -> str:
    """Return what a project's database is called: RDS takes small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]", "_", project.lower())


def parameter_group(name: str, opts: pulumi.ResourceOptions) -> rds.ParameterGroup:
    """The settings of PARAMETERS."""
    return rds.ParameterGroup(
        name,
        family=f"postgres{POSTGRESQL_MAJOR}",
        parameters=[
            rds.ParameterGroupParameterArgs(name=parameter, value=value, apply_method=when)
            for parameter, (value, when) in PARAMETERS.items()
        ],
        opts=opts,
    )


def final_snapshot_name(name: str, security_group_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """One name for as long as the stack lives, another for the next of its name: the snapshot outlives the stack.

    It ends as the id of the database's security group does: eight hexadecimal digits that AWS draws for each group.
    """
    return pulumi.Output.concat(f"{name}-final-", security_group_id.apply(lambda group: group[-8:]))


def log_groups(identifier: str, retention_days: int, opts: pulumi.ResourceOptions) -> list[cloudwatch.LogGroup]:
    """The log groups RDS exports to, made before it makes them itself and keeps them for ever."""
    return [
        cloudwatch.LogGroup(
            f"{identifier}-{log}",
            name=f"/aws/rds/instance/{identifier}/{log}",
            retention_in_days=retention_days,
            opts=opts,
        )
        for log in EXPORTED_LOGS
    ]


def master_secret_arn(secrets: Sequence[rds.outputs.InstanceMasterUserSecret]) -> str:
    """The ARN of the one secret that RDS keeps for an instance with a managed master password."""
    if not secrets or not secrets[0].secret_arn:
        raise pulumi.RunError("RDS answers no master secret for the database; is manage_master_user_password on?")
    return secrets[0].secret_arn
