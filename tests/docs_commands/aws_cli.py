"""`aws SERVICE OPERATION`: held against botocore's models of the services, of which the CLI makes its options."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

from tests.docs_commands.words import RefusedError, option, stands_for_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel

# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
GLOBAL = {"--query", "--output", "--region", "--profile", "--endpoint-url", "--no-cli-pager", "--cli-input-json"}
GLOBAL |= {"--no-paginate", "--max-items"}
# What the CLI has beside the services' operations: https://docs.aws.amazon.com/cli/latest/reference/
OWN: dict[tuple[str, ...], set[str]] = {
    ("configure",): set(),
    ("configure", "sso"): set(),
    ("sso", "login"): set(),
    ("ecr", "get-login-password"): set(),
    ("s3", "sync"): {"--delete", "--exclude", "--include"},
    ("s3", "cp"): {"--recursive"},
    ("s3", "ls"): {"--recursive"},
    ("--version",): set(),
}


# Options that have another name than the member they give: awscli's customizations/argrename.py.
RENAMED: dict[tuple[str, ...], dict[str, str]] = {("sns", "subscribe"): {"--notification-endpoint": "Endpoint"}}


@cache
def operations(service: str) -> dict[str, OperationModel]:
    """The service's operations as the CLI names them."""
    session = botocore.session.Session()
    if service not in session.get_available_services():
        raise RefusedError(f"AWS has no service {service}, as its CLI names them")
    model = session.get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def check(arguments: list[str], *, whole: bool) -> None:
    """RefusedError for an operation or an option that AWS has not; in a console, for one that is wanted and missing."""
    words = arguments
    for own, few in OWN.items():
        if tuple(words[: len(own)]) == own:
            _only(words[len(own) :], few | GLOBAL)
            return
    if len(words) < 2 or words[1].startswith("-"):
        raise RefusedError("a service and an operation are wanted")
    found = operations(words[0]).get(words[1])
    if found is None:
        raise RefusedError(f"{words[0]} has no operation {words[1]}")
    members = found.input_shape.members if found.input_shape else {}
    options = {f"--{xform_name(name, '-')}": name for name in members} | RENAMED.get((words[0], words[1]), {})
    switches = {f"--no-{xform_name(name, '-')}" for name, shape in members.items() if shape.type_name == "boolean"}
    given = dict(_given(words[2:]))
    _only(list(given), {*options, *switches, *GLOBAL})
    for name in options.keys() & given.keys():
        _refuse_another(name, given[name], getattr(members[options[name]], "enum", None))
    wanted = found.input_shape.required_members if found.input_shape else []
    missing = [name for name, member in options.items() if member in wanted and name not in given]
    if whole and missing:
        raise RefusedError(f"{words[1]} wants {', '.join(missing)}")


def _refuse_another(name: str, values: list[str], allowed: list[str] | None) -> None:
    """RefusedError for a value that is none of those; one in capitals stands for no other, for many of those are so."""
    if allowed and values and values[0] not in allowed and (values[0].isupper() or not stands_for_another(values[0])):
        raise RefusedError(f"{name} is one of {', '.join(allowed)}")


def _given(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    place = 0
    while place < len(words):
        end = next((next_ for next_ in range(place + 1, len(words)) if words[next_].startswith("--")), len(words))
        yield option(words[place]), words[place + 1 : end]
        place = end


def _only(words: list[str], allowed: set[str]) -> None:
    for word in words:
        if word.startswith("--") and option(word) not in allowed:
            raise RefusedError(f"it has no {option(word)}")
