"""Whatever the extensions use of MiniStack is checked at the start, and the emulator does not start without it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ministack.services import alb, cloudwatch, ecs
from rehearsal.emulator import ministack_parts, patching, server
from rehearsal.emulator.ministack_parts import FUNCTIONS, RECORDS, VALUES, check_parts
from rehearsal.emulator.settings import CannotStartError, Settings

EXTENSIONS = [
    path for path in Path(patching.__file__).parent.glob("*.py") if path != Path(str(ministack_parts.__file__))
]
SERVICES = "ministack.services"
LISTED = {
    f"{module.__name__.rsplit('.', 1)[-1]}.{name}"
    for table in (FUNCTIONS, RECORDS, VALUES)
    for module, names in table.items()
    for name in names
}


def names_of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """`service.name` for each name of a MiniStack service in a module, and whether it is one that is checked there."""
    services = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == SERVICES
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in services:
            yield f"{node.value.id}.{node.attr}", False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("require", "replace"):
            service, name = node.args[:2]
            if isinstance(service, ast.Name) and isinstance(name, ast.Constant):
                yield f"{service.id}.{name.value}", True


def test_every_part_that_is_used_is_checked() -> None:
    found = [pair for path in EXTENSIONS for pair in names_of(ast.parse(path.read_text()))]
    # By a loop over this table, which the search does not see.
    looped = {f"ecs.{name}" for name in server.service_calls.CHANGING}
    checked = {name for name, is_check in found if is_check} | LISTED | looped
    unchecked = {name for name, is_check in found if not is_check} - checked
    assert not unchecked, "gone in another MiniStack, it would show only when a task stops or an alarm goes off"


def test_nothing_is_checked_that_nobody_uses() -> None:
    used = {name for path in EXTENSIONS for name, is_check in names_of(ast.parse(path.read_text())) if not is_check}
    assert used >= LISTED, "the list would refuse a MiniStack that is good enough"


def test_the_installed_ministack_has_every_part() -> None:
    check_parts()


@pytest.mark.parametrize(
    ("module", "name"), [(cloudwatch, "_composite_alarms"), (cloudwatch, "_metrics"), (ecs, "_resolve_task")]
)
def test_a_part_that_is_gone_stops_the_start(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, name)
    with pytest.raises(CannotStartError, match=rf"has no {module.__name__}\.{name};"):
        emulator()


def test_a_function_with_other_parameters_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecs, "_task_ip", lambda task, family: (task, family))
    with pytest.raises(CannotStartError, match=r"_task_ip takes \(task, family\)"):
        emulator()


def test_records_that_are_kept_in_another_way_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alb, "_lbs", {})
    with pytest.raises(CannotStartError, match=r"alb\._lbs\._data"):
        emulator()


def test_the_emulator_counts_with_the_delay_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.Emulator, "_install", lambda _: None)
    made = emulator(REHEARSAL_METRIC_DELAY_SECONDS="90")
    assert made.description()["metric_delay_seconds"] == 90, "a drill asks whether it was heard"
    assert made._metrics._delay_seconds == 90, "and the balancer's numbers come so late"


def emulator(**environment: str) -> Any:
    """An emulator that has not begun to serve."""
    return server.Emulator(Settings.from_environment(environment), None, "172.20.0.1")
