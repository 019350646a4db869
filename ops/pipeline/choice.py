"""What a person chose for a stage: by its options, or by the variables that `make ci-STAGE STACK=...` hands on.

make hands them on in the environment. In a recipe they would be text for a shell, whoever typed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import CannotAct

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STACK, STACKS, AFTER, PUSH = "STACK", "STACKS", "AFTER", "PUSH"
USUALLY_BEFORE = "staging"
USUAL_STACKS = "staging prod"
NONE = "none"


def add_stack(parser: argparse.ArgumentParser, what: str, usual: str = "") -> None:
    """Add the option that says which stack; without `usual` it has to be said."""
    default = f"{STACK} in the environment" + (f", else {usual}" if usual else "")
    parser.add_argument("--stack", metavar="STACK", help=f"{what} (default: {default})")
    parser.set_defaults(usual_stack=usual)


def add_stacks(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the stacks that a stage looks at, one after the other."""
    default = f"{STACKS} in the environment, else {USUAL_STACKS}"
    parser.add_argument("stacks", nargs="*", metavar="STACK", help=f"{what} (default: {default})")


def add_after(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which stack has to serve an image before a production stack may."""
    parser.add_argument(
        "--after",
        metavar="STACK",
        help="the stack that a production stack takes its images from: only what served well there is deployed "
        f"(default: {AFTER} in the environment, else {USUALLY_BEFORE}; `{NONE}` where there is none)",
    )


def complete(stage: str, options: argparse.Namespace, environment: Mapping[str, str], root: Path) -> None:
    """Take from the environment what no option says.

    Raises:
        CannotAct: which stack is meant is said by neither.

    """
    if "stack" in options and options.stack is None:
        options.stack = environment.get(STACK) or options.usual_stack
        if not options.stack:
            raise CannotAct(
                f"which stack is meant is not said. Nothing was done. Say it: `make ci-{stage} {STACK}=...`; "
                f"{_there_are(root)}.",
            )
    if "stacks" in options and not options.stacks:
        options.stacks = (environment.get(STACKS) or USUAL_STACKS).split()
    if "after" in options and options.after is None:
        options.after = environment.get(AFTER) or USUALLY_BEFORE
    if "push" in options and not options.push:
        options.push = environment.get(PUSH) == "1"


def refuse_unknown(stacks: Sequence[str], root: Path) -> None:
    """Refuse names that no stack has, before the first of the others is looked at.

    Raises:
        CannotAct: there is such a name.

    """
    unknown = [each for each in stacks if each not in _names(root)]
    if unknown:
        raise CannotAct(
            f"there is no {', '.join(f'Pulumi.{each}.yaml' for each in unknown)} in {root}. Nothing was looked at. "
            f"Name stacks that have their file there: {_there_are(root)}.",
        )


def _there_are(root: Path) -> str:
    return f"there are {', '.join(_names(root)) or 'none here: run the stage at the top of the checkout'}"


def _names(root: Path) -> list[str]:
    files = (path.name for path in root.glob("Pulumi.*.yaml"))
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in files)
