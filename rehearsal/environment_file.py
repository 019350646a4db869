"""A file to `source`: with it, `python -m ops` and any AWS tool in a shell work on the rehearsal that is up."""

import shlex
from pathlib import Path

from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.realisers.tools import aws_environment

# Stand-ins for what operator commands start besides AWS: session-manager-plugin.
STAND_INS = PROJECT_ROOT / "rehearsal/bin"
# Every AWS variable of the user's: AWS_PROFILE, AWS_ENDPOINT_URL_ECS and others would stand above what the file sets.
FORGET = (
    "for rehearsal_name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$rehearsal_name\"; done",
    "unset rehearsal_name",
)
# Tools read either name, and curl and Python the lower-case one first.
NO_PROXY = (
    'NO_PROXY="${no_proxy:-${NO_PROXY:-}}"',
    'export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"',
    'export no_proxy="$NO_PROXY"',
)
# OPS_TRANSCRIPT: within an update, steps go to that file; a person wants to see them.
NOT_EXPORTED = frozenset({"OPS_TRANSCRIPT", "NO_PROXY", "no_proxy"})


def path(place: Place) -> Path:
    """Where the file is."""
    return place.scratch / "environment"


def write(place: Place, region: str) -> None:
    """Write it, for bash, zsh and sh."""
    variables = {**aws_environment(place, region), "REHEARSAL_GATEWAY_PORT": str(place.gateway_port)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if name not in NOT_EXPORTED]
    path(place).write_text(
        "\n".join(
            [
                f"# source {path(place)}: this shell works on the rehearsal on port {place.gateway_port}, not on AWS.",
                *FORGET,
                *lines,
                *NO_PROXY,
                f'export PATH={shlex.quote(str(STAND_INS))}:"$PATH"',
                "",
            ]
        ),
        encoding="utf-8",
    )


def remove(place: Place) -> None:
    """The rehearsal has ended: nothing answers there any more."""
    path(place).unlink(missing_ok=True)
