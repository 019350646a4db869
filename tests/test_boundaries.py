"""The boundaries between the parts (design.md), read from the source."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

INFRA = sorted((ROOT / "infra").rglob("*.py"))
STACKS = sorted((ROOT / "stacks").rglob("*.py"))
OPS = sorted((ROOT / "ops").rglob("*.py"))
EMULATOR = sorted((ROOT / "rehearsal" / "emulator").rglob("*.py"))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def offenders(paths: list[Path], *modules: str) -> list[str]:
    assert paths, "the boundary would hold for want of files"
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in sorted(imports(path))
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]


def test_infra_and_stacks_never_import_boto3() -> None:
    assert offenders(INFRA + STACKS, "boto3", "botocore", "ops", "rehearsal") == []


def test_ops_never_imports_pulumi_nor_the_program() -> None:
    assert offenders(OPS, "pulumi", "pulumi_aws", "pulumi_command", "infra", "stacks", "rehearsal") == []


def test_only_settings_reads_the_configuration() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in INFRA + STACKS
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "Config")
        or (isinstance(node, ast.ImportFrom) and node.module == "pulumi.runtime.config")
    ]
    assert sorted(set(readers)) == ["infra/settings.py"]


def test_the_composition_creates_no_resource_itself() -> None:
    assert offenders(STACKS, "pulumi_aws", "pulumi_docker", "pulumi_command") == []


def test_the_emulators_extensions_import_nothing_of_the_rest() -> None:
    outside = [
        line
        for line in offenders(EMULATOR, "rehearsal", "infra", "stacks", "ops", "pulumi")
        if not any(f" imports {package}" in line for package in SHARED_WITH_THE_EMULATOR)
    ]
    assert outside == [], "they run in an interpreter of their own, where the rest is not installed"


# CloudWatch's rules are the same for the emulator, for tests and for whoever replays a series; nothing but Python.
# So are the rules of schedules, by which a stack file is checked.
SHARED_WITH_THE_EMULATOR = ("rehearsal.emulator", "rehearsal.cloudwatch", "infra.schedule_expression")


def test_rules_shared_with_the_emulator_need_nothing_but_python() -> None:
    rules = sorted((ROOT / "rehearsal" / "cloudwatch").rglob("*.py"))
    needed = {name.partition(".")[0] for path in rules for name in imports(path) if "rehearsal.cloudwatch" not in name}
    needed |= imports(ROOT / "infra" / "schedule_expression.py")
    assert {name.partition(".")[0] for name in needed} <= sys.stdlib_module_names, "two interpreters run them"


def test_the_programs_ask_aws_nothing() -> None:
    invokes = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in INFRA + STACKS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("get_") and node.attr not in PULUMI_GETTERS
    ]
    assert invokes == [], "an invoke costs a round trip in every preview, and a preview may not know its answer"


PULUMI_GETTERS = {"get_project", "get_stack", "get_close_matches"}


def test_the_root_program_is_three_lines() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) == 3


def test_the_composition_fits_on_a_page_or_two() -> None:
    assert len((ROOT / "stacks" / "application.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("project", [ROOT / "Pulumi.yaml", ROOT / "stacks" / "bootstrap" / "Pulumi.yaml"])
def test_every_key_has_type_and_description(project: Path) -> None:
    for key, declaration in yaml.safe_load(project.read_text())["config"].items():
        if key.startswith("aws:"):
            assert "type" not in declaration, "the engine refuses a type on a provider's key"
        else:
            assert declaration["type"] in ("string", "integer", "boolean", "array", "object"), key
            assert declaration["description"].endswith("."), f"{key} is not described in a sentence"


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_stack_file_keeps_the_order_of_the_keys_and_holds_only_differences(stack: str) -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    written = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    order = [key for key in declared if key in written]
    assert [key for key in written if key in declared] == order, "read line against line, lines must be in one order"
    same = [key for key, value in written.items() if key in declared and declared[key].get("default") == value]
    assert same == [], "what equals the default hides what differs"
