"""Which project, which account: a command acts on exactly the stack that was meant, or on none."""

from __future__ import annotations

import pytest

from ops.__main__ import main
from ops.stack import Stack
from tests.ops_fakes.account import ACCOUNT, ARN, RELEASE
from tests.ops_fakes.rollout import rolling_out
from tests.ops_fakes.world import World, run_ops

OTHER_ACCOUNT = "000011112222"
SECRET = ARN.format("secretsmanager", "secret:shop/staging/secret-key-1234-AbCdEf")
NETWORK = ("--subnets", "subnet-a", "--security-groups", "sg-a")


def a_world_that_migrates(prefix: str) -> World:
    world = World(prefix=prefix)
    world.define("migrate", 7)
    world.on_run = lambda task: world.end(task, exit_code=0)
    return world


def test_the_given_project_is_in_the_names_a_migration_uses(capsys: pytest.CaptureFixture[str]) -> None:
    world = a_world_that_migrates("shop-staging")
    seen = run_ops(world, capsys, "migrate", "--stack", "staging", "--project", "shop", *NETWORK)
    assert seen.code == 0, seen.err
    (asked,) = world.asked("RunTask")
    assert asked["cluster"] == "shop-staging"
    assert asked["taskDefinition"].endswith("task-definition/shop-staging-migrate:7")
    assert "stack staging of project shop" in seen.out


def test_the_given_project_is_in_the_tags_that_seed_looks_for(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.secret(SECRET, kind="secret-key", project="shop")
    other = world.secret(f"{SECRET}x", kind="secret-key", project="pactum")
    seen = run_ops(world, capsys, "seed", "--stack", "staging", "--project", "shop")
    assert seen.code == 0, seen.err
    assert world.current_value(SECRET)
    assert world.current_value(other) is None, "another project's secret is none of ours"


def test_the_given_project_is_in_the_names_verify_looks_at(capsys: pytest.CaptureFixture[str]) -> None:
    with rolling_out(World(prefix="shop-staging")) as rollout:
        rollout.complete()
        seen = rollout.verify(capsys, "--project", "shop")
    assert seen.code == 0, seen.err
    assert seen.out.endswith(f"live: {RELEASE}\n")


@pytest.mark.parametrize(
    ("variable", "arguments", "prefix"),
    [
        ("shop", (), "shop-staging"),
        ("shop", ("--project", "bakery"), "bakery-staging"),
        ("", (), "pactum-staging"),
    ],
)
def test_the_environment_names_the_project_unless_the_option_does(
    capsys: pytest.CaptureFixture[str], variable: str, arguments: tuple[str, ...], prefix: str
) -> None:
    world = a_world_that_migrates(prefix)
    command = ("migrate", "--stack", "staging", *arguments, *NETWORK)
    seen = run_ops(world, capsys, *command, environment={"PACTUM_PROJECT": variable})
    assert seen.code == 0, seen.err


@pytest.mark.parametrize("name", ["", "-shop", "shop.example", "shop/..", "shop;ls", "shop\n", "a" * 101])
def test_a_project_name_that_cannot_be_one_is_refused_before_aws_is_asked(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    world = World()
    seen = run_ops(world, capsys, "seed", "--stack", "staging", f"--project={name}")
    assert seen.code == 2
    assert f"--project {name!r}" in seen.err
    assert "Pulumi.yaml" in seen.err
    assert not world.calls


def test_a_bad_project_name_of_the_environment_is_said_to_come_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(World(), capsys, "seed", "--stack", "staging", environment={"PACTUM_PROJECT": "a shop"})
    assert seen.code == 2
    assert "PACTUM_PROJECT 'a shop'" in seen.err


@pytest.mark.parametrize("name", ["pactum", "Shop_2-b", "9lives"])
def test_what_pulumi_and_ecs_take_for_a_name_is_taken(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The program passes on Pulumi's project name: refusing a good one would fail an update half-way."""
    world = a_world_that_migrates(f"{name}-staging")
    seen = run_ops(world, capsys, "migrate", "--stack", "staging", "--project", name, *NETWORK)
    assert seen.code == 0, seen.err


def test_a_command_told_to_a_person_names_the_project_only_when_it_is_not_the_usual_one() -> None:
    assert Stack(project="pactum", name="prod").options == "--stack prod"
    assert Stack(project="shop", name="prod").options == "--project shop --stack prod"


@pytest.mark.parametrize("command", ["seed", "migrate", "verify"])
def test_credentials_for_another_account_are_refused_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """By hand or in an update: Pulumi's provider may use other credentials than the environment's."""
    world = a_world_that_migrates("pactum-staging")
    world.secret(SECRET, kind="secret-key")
    seen = run_ops(world, capsys, command, "--stack", "staging", "--account", OTHER_ACCOUNT)
    assert seen.code == 2
    assert [operation for operation, _ in world.calls] == ["GetCallerIdentity"], "nothing may be asked or changed there"
    assert seen.err.startswith(f"ops {command}: wrong account: these credentials are for {ACCOUNT} (arn:aws:iam::")
    assert f"stack staging of project pactum is in account {OTHER_ACCOUNT}" in seen.err
    assert "AWS_PROFILE" in seen.err, "and what to do about it"


def test_credentials_for_the_stacks_account_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    world = a_world_that_migrates("pactum-staging")
    seen = run_ops(world, capsys, "migrate", "--stack", "staging", "--account", ACCOUNT, *NETWORK)
    assert seen.code == 0, seen.err


@pytest.mark.parametrize("account", ["", "12345", "1234567890123", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_is_twelve_digits(capsys: pytest.CaptureFixture[str], account: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["seed", "--stack", "staging", "--account", account])
    assert ended.value.code == 2
    assert "give its 12 digits" in capsys.readouterr().err


def test_the_way_out_of_a_failed_first_deployment_names_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with rolling_out(World(prefix="shop-staging")) as rollout:
        rollout.fail_first()
        seen = rollout.verify(capsys, "--project", "shop")
    assert "aws ecs update-service --cluster shop-staging --service web --force-new-deployment" in seen.err
    assert "python -m ops verify --project shop --stack staging\n" in seen.err
