"""infra/settings.py and infra/config_reader.py: a stack file is read once and refused in one go."""

from __future__ import annotations

import dataclasses

import pulumi
import pytest

from infra.settings import Settings, SettingsError, load
from tests.recorder import DIGEST, stack_config


def settings(stack: str = "staging", **changes: object) -> Settings:
    pulumi.runtime.set_all_config(stack_config(stack, **changes))
    pulumi.runtime.set_mocks(None, project="pactum", stack=stack)  # type: ignore[arg-type] # names only, nothing runs
    return load()


def refusal(**changes: object) -> str:
    with pytest.raises(SettingsError) as refused:
        settings("staging", **changes)
    return str(refused.value)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_both_stack_files_are_accepted_as_they_are(stack: str) -> None:
    assert settings(stack).name == f"pactum-{stack}"


def test_production_is_larger_and_protected_where_staging_is_not() -> None:
    staging, prod = settings("staging"), settings("prod")
    assert (staging.deletion_protection, prod.deletion_protection) == (False, True), "prod must not be deletable"
    assert (staging.database.multi_az, prod.database.multi_az) == (False, True), "prod survives the loss of a zone"
    assert len(prod.network.zones) > len(staging.network.zones)
    assert prod.web.minimum >= 2, "one task is one failure away from an outage"
    assert prod.database.backup_days == 35
    assert staging.network.cidr != prod.network.cidr, "equal blocks could never be peered"


def test_three_mistakes_are_reported_as_three_mistakes_with_key_value_rule_and_remedy() -> None:
    message = refusal(taskCpu=300, natMode="two", logRetentionDays=31)
    assert message.startswith("3 problems in the configuration of this stack:")
    assert "pactum:taskCpu = 300\n      is not a Fargate size.\n      Choose 256, 512, 1024," in message
    assert "pactum:natMode = two" in message
    assert "Choose none or single or per_zone." in message
    assert "pactum:logRetentionDays = 31" in message


def test_settings_error_is_shown_by_pulumi_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError), "Pulumi prints a traceback for any other exception"


def test_a_misspelt_key_is_refused_with_the_key_that_was_meant() -> None:
    message = refusal(taskMemoryMb=1024)
    assert "pactum:taskMemoryMb\n" in message, "what it holds is nobody's to judge, so it is not shown"
    assert "Did you mean pactum:taskMemoryMib?" in message


def test_a_key_that_resembles_nothing_is_refused_too() -> None:
    assert "pactum:zzz\n      is not a key of this program" in refusal(zzz=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repositoryUrl": None}, "pactum:repositoryUrl\n      is required and not set."),
        ({"repositoryUrl": "pactum:latest"}, "has the wrong form"),
        (
            {"repositoryUrl": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/pactum"},
            "is not in the stack's region us-east-1",
        ),
        (
            {"repositoryUrl": "999999999999.dkr.ecr.us-east-1.amazonaws.com/pactum"},
            "is not in the stack's account 123456789012",
        ),
        ({"aws:region": "us-gov-west-1"}, "aws:region = us-gov-west-1\n      has the wrong form."),
        (
            {"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1", "domainName": "pactum.example.com"},
            "is not in the stack's region us-east-1",
        ),
        ({"imageDigest": "sha256:abc"}, "pactum:imageDigest = sha256:abc"),
        ({"imageDigest": "latest"}, "pactum:imageDigest = latest"),
        ({"cpuArchitecture": "x86"}, "Choose X86_64 or ARM64."),
        ({"zones": ["a"]}, "two or three different zone letters"),
        ({"zones": ["a", "a"]}, "two or three different zone letters"),
        ({"zones": "a"}, "is not a list of texts"),
        ({"vpcCidr": "10.20.0.0/24"}, "is not a private block of /16 to /22"),
        ({"vpcCidr": "8.8.0.0/16"}, "is not a private block of /16 to /22"),
        ({"vpcCidr": "10.20.0.1/16"}, "has host bits set"),
        ({"databaseStorageGib": 100, "databaseStorageMaximumGib": 105}, "Choose 110 or more."),
        ({"databaseBackupDays": 0}, "Choose a number from 1 to 35."),
        ({"databaseBackupDays": "a week"}, "is not a whole number"),
        ({"databaseMultiAz": "yes"}, "Write true or false, without quotes."),
        ({"taskCpu": 256, "taskMemoryMib": 4096}, "does not go with taskCpu 256 on Fargate."),
        ({"taskCpu": 8192, "taskMemoryMib": 18432}, "does not go with taskCpu 8192 on Fargate."),
        ({"taskMemoryMib": 122881}, "Choose a number from 512 to 122880."),
        ({"webMinimum": 0}, "pactum:webMinimum = 0"),
        ({"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}, "is set without domainName"),
        ({"domainName": "https://pactum.example.com"}, "pactum:domainName"),
        ({"alarmEmail": "on-call"}, "Write it like on-call@example.com."),
        ({"aws:allowedAccountIds": None}, "must name the one account this stack lives in"),
        ({"aws:allowedAccountIds": ["1234"]}, "must name the one account this stack lives in"),
        ({"aws:region": None}, "aws:region\n      is required and not set."),
        ({"outboundPorts": [0]}, "is not a list of numbers from 1 to 65535."),
        ({"outboundPorts": [65536]}, "is not a list of numbers from 1 to 65535."),
        ({"outboundPorts": [True]}, "is not a list of numbers from 1 to 65535."),
        ({"outboundPorts": 587}, "is not a list of numbers from 1 to 65535."),
        ({"outboundPorts": [443]}, "pactum:outboundPorts = [443]\n      holds 443, which is open already."),
        ({"outboundPorts": [587, 587]}, "holds a port twice."),
        ({"outboundPorts": [587], "natMode": "none"}, "pactum:natMode is none: there is no way out."),
        ({"environment": {"EMAIL_HOST": "smtp"}}, "EMAIL_HOST is set, but tasks may not go out on EMAIL_PORT (587"),
        ({"environment": {"EMAIL_HOST": "smtp", "EMAIL_PORT": 465}, "outboundPorts": [587]}, "no mail would be sent."),
        ({"environment": {"EMAIL_HOST": "smtp", "EMAIL_PORT": 443}, "natMode": "none"}, "EMAIL_HOST is set and"),
        (
            {"healthGraceSeconds": 301},
            "pactum:healthGraceSeconds = 301\n      is more than 300; ECS would count a failed healthCommand from then",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_rule(change: dict[str, object], words: str) -> None:
    assert words in refusal(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"zones": "a,b"},
        {"databaseStorageMaximumGib": "lots", "databaseStorageGib": 50},
        {"taskMemoryMib": "1GB", "taskCpu": 2048},
        {"logRetentionDays": "a month"},
        {"outboundPorts": "587", "environment": {"EMAIL_HOST": "smtp"}},
        {"natMode": "two", "outboundPorts": [587], "environment": {"EMAIL_HOST": "smtp"}},
    ],
)
def test_one_mistake_is_reported_once(change: dict[str, object]) -> None:
    assert refusal(**change).startswith("1 problem in"), "the reader would look for a second mistake"


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"EMAIL_HOST": "smtp"}, "outboundPorts": [587]},
        {"environment": {"EMAIL_HOST": "smtp", "EMAIL_PORT": 443}},
        {"environment": {"EMAIL_HOST": "", "EMAIL_PORT": 25}},
        {"healthGraceSeconds": 301, "healthCommand": []},
        {"healthGraceSeconds": 300},
    ],
)
def test_what_goes_together_is_taken(change: dict[str, object]) -> None:
    settings(**change)  # type: ignore[arg-type] # the stack is none of them


@pytest.mark.parametrize("project", ["Pactum", "pac_tum", "2pac", "pac--tum", "pactum-"])
def test_a_project_after_which_aws_resources_cannot_be_named_is_refused(project: str) -> None:
    pulumi.runtime.set_all_config(stack_config("staging"))
    pulumi.runtime.set_mocks(None, project=project, stack="staging")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=f"`{project}` is no name for a load balancer, a database and its logins"):
        load()


@pytest.mark.parametrize("stack", ["Staging", "staging_2", "a-stack-with-a-long-name", "staging-", "stag--ing"])
def test_a_stack_whose_name_aws_resources_cannot_carry_is_refused(stack: str) -> None:
    pulumi.runtime.set_all_config(stack_config("staging"))
    pulumi.runtime.set_mocks(None, project="pactum", stack=stack)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="does not fit into the names of AWS resources"):
        load()


def test_an_explicit_zero_is_not_taken_for_an_absent_value() -> None:
    assert "pactum:alarmErrorCount = 0" in refusal(alarmErrorCount=0)


def test_values_reach_the_settings_as_they_were_written() -> None:
    read = settings(imageDigest=DIGEST, zones=["b", "c"], alarmSlowMilliseconds=250, taskCpu=2048, taskMemoryMib=4096)
    assert read.image.digest == DIGEST
    assert read.network.zones == ("us-east-1b", "us-east-1c")
    assert read.observability.slow_milliseconds == 250
    assert (read.web.cpu, read.web.memory_mib) == (2048, 4096)
    assert read.image.repository_arn == "arn:aws:ecr:us-east-1:123456789012:repository/pactum"


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().web.minimum = 0  # type: ignore[misc]
