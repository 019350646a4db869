"""A file to `source`: with it, `python -m ops` and any AWS tool in a shell work on the rehearsal that is up."""

import shlex
from pathlib import Path

from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.realisers.tools import aws_environment

# Stand-ins for what operator commands start besides AWS: session-manager-plugin.
STAND_INS = PROJECT_ROOT / "rehearsal/bin"
# The user's own, which would stand above what the file sets, or reach a real account.
UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE")
# Within an update, steps go to this file; a person wants to see them.
NOT_FOR_PEOPLE = frozenset({"OPS_TRANSCRIPT"})


def path(place: Place) -> Path:
    """Where the file is."""
    return place.scratch / "environment"


def write(place: Place, region: str) -> None:
    """Write it, for bash, zsh and sh."""
    variables = {**aws_environment(place, region), "REHEARSAL_GATEWAY_PORT": str(place.gateway_port)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if name not in NOT_FOR_PEOPLE]
    path(place).write_text(
        "\n".join(
            [
                f"# source {path(place)}: this shell works on the rehearsal on port {place.gateway_port}, not on AWS.",
                f"unset {' '.join(UNSET)}",
                *lines,
                f'export PATH={shlex.quote(str(STAND_INS))}:"$PATH"',
                "",
            ]
        ),
        encoding="utf-8",
    )


def remove(place: Place) -> None:
    """The rehearsal has ended: nothing answers there any more."""
    path(place).unlink(missing_ok=True)
