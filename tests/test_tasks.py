"""infra/task_definition.py, task_roles.py, process.py and application.py: what runs, as whom, and what it is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.task_roles import execution_policy
from stacks.application import deploy
from tests.deployed import deployed
from tests.recorder import ACCOUNT, DIGEST, REGION, ROOT, Recorder, configure, container, record

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:one"


@pytest.fixture
def stack() -> Recorder:
    recorder = deployed()
    assert recorder.error is None
    return recorder


@pytest.mark.parametrize("process", ["web", "migrate"])
def test_every_container_is_hardened(stack: Recorder, process: str) -> None:
    definition = container(stack, f"pactum-staging-{process}")
    assert definition["user"] == "10001:10001", "a container that runs as root is root on the node's kernel"
    assert definition["readonlyRootFilesystem"] is True
    assert definition["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert definition["mountPoints"] == [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}]  # noqa: S108 - the volume
    assert definition["image"].endswith(f"@{DIGEST}"), "a tag could be another image tomorrow"


def test_only_the_task_for_people_may_be_written_to_and_entered(stack: Recorder) -> None:
    definition = container(stack, "pactum-staging-shell")
    assert definition["readonlyRootFilesystem"] is False, "ECS Exec cannot enter a read-only root filesystem"
    assert definition["linuxParameters"]["initProcessEnabled"] is True
    assert (definition["user"], definition["portMappings"]) == ("10001:10001", [])
    (policy_of_people,) = [
        role.name for role in stack.of_type("aws:iam/rolePolicy:RolePolicy") if "ssmmessages" in role.inputs["policy"]
    ]
    assert policy_of_people == "pactum-staging-shell-task", "what serves users must not be open to sessions"
    assert not stack.only("aws:ecs/service:Service").inputs.get("enableExecuteCommand")


@pytest.mark.parametrize("process", ["web", "migrate", "shell"])
def test_sensitive_values_are_references_and_never_values(stack: Recorder, process: str) -> None:
    definition = container(stack, f"pactum-staging-{process}")
    secret = {entry["name"] for entry in definition["secrets"]}
    assert {"SECRET_KEY", "DATABASE_USER", "DATABASE_PASSWORD"} <= secret
    assert all(entry["valueFrom"].startswith("arn:aws:secretsmanager:") for entry in definition["secrets"])
    plain = {entry["name"] for entry in definition["environment"]}
    assert not {name for name in plain if "PASSWORD" in name or name == "SECRET_KEY"}


def test_only_the_migration_is_given_the_master_login(stack: Recorder) -> None:
    names = {
        process: {entry["name"] for entry in container(stack, f"pactum-staging-{process}")["secrets"]}
        for process in ("web", "migrate", "shell")
    }
    assert {"DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"} <= names["migrate"]
    others = names["web"] | names["shell"]
    assert not {name for name in others if "MASTER" in name}, "what is not the migration could change the schema"


def test_only_the_migration_may_read_the_master_secret(stack: Recorder) -> None:
    readable = {
        process: next(
            statement["Resource"]
            for statement in policy(stack, f"pactum-staging-{process}-execution")["Statement"]
            if statement["Action"] == "secretsmanager:GetSecretValue"
        )
        for process in ("web", "migrate")
    }
    assert [arn for arn in readable["migrate"] if "rds!db" in arn]
    assert not [arn for arn in readable["web"] if "rds!db" in arn]


def policy(stack: Recorder, name: str) -> dict[str, Any]:
    return dict(json.loads(stack.only("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"]))


def test_the_application_connects_to_its_database_with_the_certificate_verified(stack: Recorder) -> None:
    environment = {e["name"]: e["value"] for e in container(stack, "pactum-staging-web")["environment"]}
    assert environment["DATABASE_SSLMODE"] == "verify-full", "anything less would talk to whoever answers"
    assert environment["DATABASE_SSLROOTCERT"] == "/etc/ssl/certs/rds-global-bundle.pem"
    assert environment["DATABASE_HOST"].endswith(".rds.amazonaws.com")
    assert environment["RELEASE"] == DIGEST


def test_a_custom_domain_is_served_beside_the_balancers_own_name() -> None:
    certificate = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b"
    recorder = deployed(domainName="pactum.example.com", certificateArn=certificate)
    environment = {e["name"]: e["value"] for e in container(recorder, "pactum-staging-web")["environment"]}
    domain, _, balancer = environment["ALLOWED_HOSTS"].partition(",")
    assert (domain, balancer) == ("pactum.example.com", "pactum-staging-web-1.us-east-1.elb.amazonaws.com")
    assert environment["HTTPS"] == "true"


def test_earlier_revisions_stay_active_so_that_a_release_can_be_returned_to(stack: Recorder) -> None:
    for definition in stack.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        assert definition.inputs["skipDestroy"] is True


def test_equal_settings_give_equal_container_definitions() -> None:
    texts = set()
    for _ in range(2):
        configure("staging", imageDigest=DIGEST)
        texts.add(
            record(deploy)
            .only("aws:ecs/taskDefinition:TaskDefinition", "pactum-staging-web")
            .inputs["containerDefinitions"]
        )
    assert len(texts) == 1, "every update would roll the service"


@pytest.mark.parametrize("process", ["web", "migrate"])
def test_container_definitions_are_written_the_way_ecs_answers_them(stack: Recorder, process: str) -> None:
    definition = container(stack, f"pactum-staging-{process}")
    message = "a difference at refresh replaces the task definition, migrates and rolls, for nothing"
    assert definition["linuxParameters"]["capabilities"]["add"] == [], message
    assert (definition["cpu"], definition["systemControls"], definition["volumesFrom"]) == (0, [], []), message
    assert all(port["hostPort"] == port["containerPort"] for port in definition["portMappings"]), message


def test_execution_roles_name_exact_resources() -> None:
    statements = execution_policy("arn:repo", "arn:logs", [SECRET])["Statement"]
    anywhere = [s["Action"] for s in statements if s["Resource"] == "*"]
    assert anywhere == ["ecr:GetAuthorizationToken"], "only this action knows no resource"
    assert {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [SECRET]} in statements


def test_roles_are_assumed_by_ecs_tasks_of_this_account_only(stack: Recorder) -> None:
    for name in ("web-execution", "web-task"):
        role = stack.only("aws:iam/role:Role", f"pactum-staging-{name}")
        (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_ecs_asks_a_web_container_what_the_images_healthcheck_asks(stack: Recorder) -> None:
    dockerfile = (ROOT / "app_image" / "Dockerfile").read_text()
    (options, command) = re.findall(r"^HEALTHCHECK (.*?)\s*\\?\n?\s*CMD (\[.*\])$", dockerfile, re.MULTILINE)[0]
    said = dict(re.findall(r"--([a-z-]+)=(\d+)", options))
    assert container(stack, "pactum-staging-web")["healthCheck"] == {
        "command": ["CMD", *json.loads(command)],
        "interval": int(said["interval"]),
        "timeout": int(said["timeout"]),
        "retries": int(said["retries"]),
        "startPeriod": int(said["start-period"]),
    }
    for process in ("migrate", "shell"):
        assert "healthCheck" not in container(stack, f"pactum-staging-{process}"), "nothing answers there"


def test_a_container_is_given_as_long_to_start_as_the_balancer_gives_it() -> None:
    recorder = deployed(healthGraceSeconds=290)
    assert container(recorder, "pactum-staging-web")["healthCheck"]["startPeriod"] == 290
    assert recorder.only("aws:ecs/service:Service").inputs["healthCheckGracePeriodSeconds"] == 290


def test_another_application_is_a_matter_of_configuration() -> None:
    configure(
        "staging",
        imageDigest=DIGEST,
        port=9000,
        healthPath="/alive",
        readinessPath="/ready",
        healthCommand=[],
        webCommand=["granian", "shop.wsgi"],
        migrateCommand=["python", "manage.py", "migrate"],
        environment={"LOG_LEVEL": "DEBUG", "PAGE_SIZE": 20},
        environmentNames={"SECRET_KEY": "DJANGO_SECRET_KEY", "WEB_THREADS": "THREADS", "DATABASE_MASTER_USER": "ADMIN"},
        secrets=["MAIL_TOKEN"],
    )
    recorder = record(deploy)
    assert recorder.error is None
    web, migrate = (container(recorder, f"pactum-staging-{process}") for process in ("web", "migrate"))
    plain = {entry["name"]: entry["value"] for entry in web["environment"]}
    secret = {entry["name"]: entry["valueFrom"] for entry in web["secrets"]}
    assert (web["command"], migrate["command"]) == (
        ["granian", "shop.wsgi"],
        ["python", "manage.py", "migrate"],
    )
    assert "healthCheck" not in web
    assert [port["containerPort"] for port in web["portMappings"]] == [9000]
    expected = {"PORT": "9000", "HEALTH_PATH": "/alive", "READINESS_PATH": "/ready", "LOG_LEVEL": "DEBUG"}
    assert plain.items() >= {**expected, "PAGE_SIZE": "20", "THREADS": plain["WEB_THREADS"]}.items()
    assert secret["DJANGO_SECRET_KEY"] == secret["SECRET_KEY"]
    assert "mail-token" in secret["MAIL_TOKEN"]
    assert "ADMIN" not in secret, "the master login under another name is still the migration's alone"
    assert "ADMIN" in {entry["name"] for entry in migrate["secrets"]}
    target = recorder.only("aws:lb/targetGroup:TargetGroup").inputs
    assert (target["port"], target["healthCheck"]["path"]) == (9000, "/alive")
    assert secret["MAIL_TOKEN"] in policy(recorder, "pactum-staging-web-execution")["Statement"][-1]["Resource"]
    seed = recorder.only("command:local:Command", "pactum-staging-seed").inputs["create"]
    assert f"--secret given:MAIL_TOKEN={secret['MAIL_TOKEN']}" in seed
