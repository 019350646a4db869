"""infra/network_settings.py: the address plan, and what it refuses."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from infra.settings import SettingsError, load
from tests.recorder import configure, record, stack_config

# Web tasks only, and a database that has connections for any number of them.
ALONE: dict[str, Any] = {"databaseInstanceClass": "db.m7g.16xlarge", "workers": {}, "jobs": {}}


def problems(stack: str = "staging", **changes: Any) -> str:
    configure(stack, **changes)
    recorder = record(load, stack=stack)
    assert isinstance(recorder.error, SettingsError | None), recorder.error
    return str(recorder.error or "")


@pytest.mark.parametrize(
    ("cidr", "rule"),
    [
        ("127.0.0.0/16", "is not a private block of /16 to /22"),
        ("192.0.0.0/16", "is not a private block of /16 to /22"),
        ("172.32.0.0/16", "is not a private block of /16 to /22"),
        ("10.0.0.0/15", "is not a private block of /16 to /22"),
        ("10.20.0.0/23", "is not a private block of /16 to /22"),
        ("172.17.0.0/16", "overlaps 172.17.0.0/16, which Docker and services of AWS use"),
        ("172.17.8.0/22", "overlaps 172.17.0.0/16, which Docker and services of AWS use"),
    ],
)
def test_a_block_that_would_be_in_the_way_is_refused(cidr: str, rule: str) -> None:
    assert f"pactum:vpcCidr = {cidr}\n      {rule}" in problems(vpcCidr=cidr)


@pytest.mark.parametrize("cidr", ["10.20.0.0/16", "10.20.4.0/22", "172.16.0.0/16", "192.168.0.0/20"])
def test_a_private_block_of_its_own_is_taken(cidr: str) -> None:
    assert "vpcCidr" not in problems(vpcCidr=cidr)


@pytest.mark.parametrize("reserved", ["10.20.0.0/16", "10.20.200.0/24", "10.0.0.0/8"])
def test_a_block_that_somebody_else_has_is_refused(reserved: str) -> None:
    said = problems(vpcCidr="10.20.0.0/16", reservedCidrs=["192.168.0.0/16", reserved])
    assert f"overlaps {reserved} of pactum:reservedCidrs" in said
    assert "192.168" not in said, "that one is in nobody's way"


def test_a_reserved_block_next_to_the_network_is_in_nobodys_way() -> None:
    assert "vpcCidr" not in problems(vpcCidr="10.20.0.0/16", reservedCidrs=["10.21.0.0/16", "10.19.0.0/16"])


@pytest.mark.parametrize("reserved", ["office", "10.0.0.1/8", "fd00::/8"])
def test_a_reserved_block_that_is_none_is_refused(reserved: str) -> None:
    assert "reservedCidrs" in problems(reservedCidrs=[reserved])
    assert "holds no address block" in problems(reservedCidrs=[reserved])


def test_wrong_blocks_of_both_keys_are_told_at_once() -> None:
    said = problems(vpcCidr="10.20.0.1/16", reservedCidrs=["office"])
    assert "vpcCidr" in said
    assert "reservedCidrs" in said


def test_a_network_that_cannot_hold_all_tasks_with_a_zone_lost_is_refused() -> None:
    # 32 addresses a subnet, 5 of them AWS's: 27 tasks in the zone that is left; four are kept for one-off tasks.
    fits: dict[str, Any] = {"vpcCidr": "10.20.0.0/22", **ALONE, "webMaximum": 11}
    assert "vpcCidr" not in problems(**fits)
    said = problems(**{**fits, "webMaximum": 12})
    assert "has room for 27 tasks when a zone is lost; during a rollout there may be 28" in said
    assert "vpcCidr" not in problems(**{**fits, "webMaximum": 12, "zones": ["a", "b", "c"]})


def test_workers_and_jobs_need_addresses_too() -> None:
    fits: dict[str, Any] = {"vpcCidr": "10.20.0.0/22", **ALONE, "webMaximum": 9}
    worker = {"command": ["true"], "count": 2}
    assert "vpcCidr" not in problems(**{**fits, "workers": {"tidy": worker}})
    job = {"command": ["true"], "schedule": "rate(1 day)"}
    assert "there may be 28" in problems(**{**fits, "workers": {"tidy": worker}, "jobs": {"nightly": job}})


def test_interface_endpoints_need_addresses_too() -> None:
    fits: dict[str, Any] = {"vpcCidr": "10.20.0.0/22", **ALONE, "webMaximum": 9}
    assert "vpcCidr" not in problems(**fits, natMode="none")
    said = problems(**{**fits, "webMaximum": 10}, natMode="none")
    assert "has room for 22 tasks" in said, "one address for each of five endpoints in each zone"


def test_the_blocks_of_staging_and_production_are_disjoint() -> None:
    staging, prod = (ipaddress.ip_network(stack_config(name)["pactum:vpcCidr"]) for name in ("staging", "prod"))
    assert not staging.overlaps(prod), "the two could never be connected, and logs would not say which is meant"


def test_production_records_who_talks_to_whom() -> None:
    assert stack_config("prod")["pactum:flowLogs"] == "true"
    assert stack_config("prod")["pactum:accessLogs"] == "true"
