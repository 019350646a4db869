"""infra/database.py, infra/secrets.py and infra/repository.py: what must not be lost and what must not leak."""

from __future__ import annotations

import json

import pulumi
import pytest

from infra.database import Database, DatabaseArgs, master_secret_arn
from infra.repository import Repository, RepositoryArgs, lifecycle_policy
from infra.secrets import Secrets, SecretsArgs
from infra.settings import DatabaseSettings, load
from tests.recorder import Recorder, configure, record, resolved

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def out(value: str) -> pulumi.Output[str]:
    return pulumi.Output.from_input(value)


def database(*, protection: bool, preview: bool = False) -> tuple[Recorder, Database]:
    made: list[Database] = []
    settings = DatabaseSettings(
        instance_class="db.t4g.micro", storage_gib=20, storage_maximum_gib=100, multi_az=True, backup_days=9
    )

    def program() -> None:
        args = DatabaseArgs(
            project="pactum",
            settings=settings,
            subnet_ids=[out("subnet-1"), out("subnet-2")],
            security_group_id=out("sg-0f1e2d3c4b5a69788"),
            deletion_protection=protection,
            log_retention_days=30,
        )
        made.append(Database("it", args))

    recorder = record(program, preview=preview)
    assert recorder.error is None
    return recorder, made[0]


def test_the_database_is_private_encrypted_and_backed_up() -> None:
    instance = database(protection=True)[0].only("aws:rds/instance:Instance").inputs
    assert instance["publiclyAccessible"] is False
    assert instance["storageEncrypted"] is True
    assert instance["backupRetentionPeriod"] == 9
    assert instance["multiAz"] is True
    assert instance["maxAllocatedStorage"] == 100, "a full disk is an outage that storage autoscaling prevents"


def test_plain_connections_to_the_database_are_refused_by_the_server_itself() -> None:
    group = database(protection=False)[0].only("aws:rds/parameterGroup:ParameterGroup").inputs
    values = {parameter["name"]: parameter["value"] for parameter in group["parameters"]}
    assert values["rds.force_ssl"] == "1"
    assert group["family"] == "postgres17"


def test_the_values_in_statements_stay_out_of_the_logs() -> None:
    group = database(protection=False)[0].only("aws:rds/parameterGroup:ParameterGroup").inputs
    values = {parameter["name"]: parameter["value"] for parameter in group["parameters"]}
    assert values["log_min_duration_statement"] == "-1", "Django writes the users' values into the statement's text"
    assert values["log_min_error_statement"] == "panic", "and so they would stand below each error and lock wait"


def test_who_connected_and_who_waited_for_a_lock_is_logged() -> None:
    group = database(protection=False)[0].only("aws:rds/parameterGroup:ParameterGroup").inputs
    values = {parameter["name"]: parameter["value"] for parameter in group["parameters"]}
    assert [values[name] for name in ("log_connections", "log_disconnections", "log_lock_waits")] == ["1", "1", "1"]


def test_the_database_speaks_under_a_certificate_that_the_image_knows() -> None:
    instance = database(protection=False)[0].only("aws:rds/instance:Instance").inputs
    assert instance["caCertIdentifier"] == "rds-ca-rsa2048-g1", "verify-full refuses any other"


def test_the_database_is_watched_and_kept_up_to_date_in_a_window_that_no_backup_falls_into() -> None:
    instance = database(protection=False)[0].only("aws:rds/instance:Instance").inputs
    assert instance["autoMinorVersionUpgrade"] is True
    assert instance["performanceInsightsEnabled"] is True
    assert instance["databaseInsightsMode"] == "standard"
    backup_ends, maintenance = instance["backupWindow"].split("-")[1], instance["maintenanceWindow"]
    assert maintenance.partition(":")[2] > backup_ends, "RDS refuses windows that overlap"


def test_exported_logs_are_kept_as_long_as_the_stack_says_and_go_with_it() -> None:
    recorder, _ = database(protection=False)
    instance = recorder.only("aws:rds/instance:Instance").inputs
    groups = {group.inputs["name"]: group.inputs["retentionInDays"] for group in recorder.of_type(LOG_GROUP)}
    assert groups == {
        f"/aws/rds/instance/{instance['identifier']}/{log}": 30 for log in instance["enabledCloudwatchLogsExports"]
    }, "a log group that RDS makes itself is kept for ever"


@pytest.mark.parametrize("protection", [True, False])
def test_changes_that_interrupt_wait_for_the_window_where_data_are_protected(protection: bool) -> None:
    instance = database(protection=protection)[0].only("aws:rds/instance:Instance").inputs
    assert instance["applyImmediately"] is not protection


def test_no_master_password_passes_through_pulumi() -> None:
    recorder, made = database(protection=False)
    instance = recorder.only("aws:rds/instance:Instance").inputs
    assert instance["manageMasterUserPassword"] is True
    assert not {key for key in instance if "password" in key.lower()} - {"manageMasterUserPassword"}
    assert str(resolved(made.master_secret_arn)).endswith("rds!db-1")


def test_with_deletion_protection_the_data_survive_a_destroy() -> None:
    instance = database(protection=True)[0].only("aws:rds/instance:Instance").inputs
    assert instance["deletionProtection"] is True
    assert instance["skipFinalSnapshot"] is False
    assert instance["deleteAutomatedBackups"] is False, "any second of the last days can then still be restored"


def test_a_final_snapshot_is_called_differently_for_each_stack_that_was_ever_made() -> None:
    instance = database(protection=True)[0].only("aws:rds/instance:Instance").inputs
    assert instance["vpcSecurityGroupIds"] == ["sg-0f1e2d3c4b5a69788"]
    assert instance["finalSnapshotIdentifier"] == "it-final-b5a69788", "RDS refuses a second of its name"


def test_without_deletion_protection_a_stack_can_be_taken_down() -> None:
    instance = database(protection=False)[0].only("aws:rds/instance:Instance").inputs
    assert (instance["deletionProtection"], instance["skipFinalSnapshot"]) == (False, True)
    assert instance["deleteAutomatedBackups"] is True, "they would be paid for with nobody left to want them"


def test_a_preview_knows_neither_host_nor_master_secret() -> None:
    _, made = database(protection=False, preview=True)
    assert resolved(made.host) is None
    assert resolved(made.master_secret_arn) is None


def test_an_instance_without_a_master_secret_is_an_error_that_says_so() -> None:
    with pytest.raises(pulumi.RunError, match="RDS answers no master secret"):
        master_secret_arn([])


def secrets(stack: str, *, protection: bool) -> Recorder:
    configure(stack, deletionProtection=protection)

    def program() -> None:
        Secrets("it", SecretsArgs(settings=load()))

    recorder = record(program, stack=stack)
    assert recorder.error is None
    return recorder


def test_secrets_are_containers_without_a_value() -> None:
    recorder = secrets("staging", protection=False)
    assert {resource.type for resource in recorder.resources} == {
        "pactum:index:Secrets",
        "aws:secretsmanager/secret:Secret",
    }, "a SecretVersion would write the value to Pulumi's state"


def test_operator_commands_find_the_secrets_by_their_tags() -> None:
    tags = [s.inputs["tags"] for s in secrets("staging", protection=False).of_type("aws:secretsmanager/secret:Secret")]
    assert tags == [
        {"pactum:stack": "staging", "pactum:secret": "secret-key"},
        {"pactum:stack": "staging", "pactum:secret": "database-login"},
    ]


@pytest.mark.parametrize(("protection", "days"), [(True, 30), (False, 0)])
def test_a_deleted_secret_can_be_brought_back_where_data_are_protected(protection: bool, days: int) -> None:
    for secret in secrets("staging", protection=protection).of_type("aws:secretsmanager/secret:Secret"):
        assert secret.inputs["recoveryWindowInDays"] == days


def test_what_only_a_person_knows_can_be_brought_back_on_every_stack() -> None:
    configure("staging", deletionProtection=False, secrets=["MAIL_TOKEN"])
    recorder = record(lambda: Secrets("it", SecretsArgs(settings=load())))
    days = {s.name: s.inputs["recoveryWindowInDays"] for s in recorder.of_type("aws:secretsmanager/secret:Secret")}
    assert days == {"it-secret-key": 0, "it-database-login": 0, "it-own-mail-token": 30}, (
        "no command could make it again"
    )


def test_the_repository_keeps_what_was_pushed_as_it_was_pushed() -> None:
    recorder = record(lambda: Repository("it", RepositoryArgs(repository_name="pactum", untagged_days=14)))
    repository = recorder.only("aws:ecr/repository:Repository").inputs
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    policy = json.loads(recorder.only("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])
    assert policy == lifecycle_policy(14)


def test_no_tagged_image_ever_expires() -> None:
    selections = [rule["selection"] for rule in lifecycle_policy(14)["rules"]]
    assert all(selection["tagStatus"] == "untagged" for selection in selections), (
        "a release that must be rolled back to would be gone"
    )
