"""`ops unprotect`: exactly the stack's own protections are turned off, and only when that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.ops_fakes.account import ARN, Refused
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    import pytest

COMMAND = ("unprotect", "--stack", "staging", "--confirm", "pactum-staging")
CHANGES = ("ModifyDBInstance", "ModifyLoadBalancerAttributes", "UpdateTable")


class Protected(World):
    """A stack with a database, a balancer and a table, all protected unless told otherwise."""

    protected, there = True, True
    names = ("pactum-staging-web-0a1b2c3", "pactum-prod-web-0a1b2c3", "pactum-stagings-web")

    def describe_db_instances(self, _: dict[str, Any]) -> dict[str, Any]:
        if not self.there:
            raise Refused("DBInstanceNotFound")
        return {"DBInstances": [{"DeletionProtection": self.protected}]}

    def modify_db_instance(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def describe_load_balancers(self, _: dict[str, Any]) -> dict[str, Any]:
        made = [{"LoadBalancerName": name, "LoadBalancerArn": ARN.format("elb", name)} for name in self.names]
        return {"LoadBalancers": made if self.there else []}

    def describe_load_balancer_attributes(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"Attributes": [{"Key": "deletion_protection.enabled", "Value": str(self.protected).lower()}]}

    def modify_load_balancer_attributes(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def describe_table(self, _: dict[str, Any]) -> dict[str, Any]:
        if not self.there:
            raise Refused("ResourceNotFoundException")
        return {"Table": {"DeletionProtectionEnabled": self.protected}}

    def update_table(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def changed(self) -> list[str]:
        return [name for name, _ in self.calls if name in CHANGES]


def test_database_balancer_and_memory_of_the_stack_lose_their_protection(capsys: pytest.CaptureFixture[str]) -> None:
    world = Protected()
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert world.asked("ModifyDBInstance") == [
        {"DBInstanceIdentifier": "pactum-staging-database", "DeletionProtection": False, "ApplyImmediately": True}
    ], "at once, not in the next maintenance window"
    (balancer,) = world.asked("ModifyLoadBalancerAttributes")
    assert balancer["LoadBalancerArn"].endswith("pactum-staging-web-0a1b2c3"), "and of no stack named alike"
    assert balancer["Attributes"] == [{"Key": "deletion_protection.enabled", "Value": "false"}]
    assert world.asked("UpdateTable") == [{"TableName": "pactum-staging-releases", "DeletionProtectionEnabled": False}]
    assert "can be deleted; the next update would protect it again" in seen.out


def test_nothing_is_changed_without_the_stacks_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    for given in ((), ("--confirm", "staging"), ("--confirm", "pactum-prod")):
        world = Protected()
        seen = run_ops(world, capsys, *COMMAND[:3], *given)
        assert seen.code == 2, "it could not act"
        assert "is not pactum-staging: nothing was changed" in seen.err
        assert world.changed() == [], "a wrong name is a wrong stack"


def test_a_dry_run_says_what_it_would_do_and_needs_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    world = Protected()
    seen = run_ops(world, capsys, *COMMAND[:3], "--dry-run")
    assert seen.code == 0, seen.err
    assert world.changed() == []
    assert "would let 3 things of stack staging of project pactum be deleted" in seen.out


def test_what_is_not_protected_or_not_there_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("protected", "there"):
        world = Protected()
        setattr(world, name, False)
        seen = run_ops(world, capsys, *COMMAND)
        assert seen.code == 0, seen.err
        assert world.changed() == []
        assert "nothing of stack staging of project pactum refuses to be deleted" in seen.out


def test_another_error_is_none_of_not_being_there(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise Refused("AccessDenied", "not authorized")

    world = Protected()
    world.before["DescribeDBInstances"] = refuse
    assert run_ops(world, capsys, *COMMAND).code == 2, "a database that cannot be seen may still be there"
    assert world.changed() == []
