"""The options that say which configuration: a stack file elsewhere, and what goes above the stack file."""

import argparse
from pathlib import Path


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add `--config-file FILE` and `--set NAMESPACE:KEY=VALUE`."""
    parser.add_argument("--config-file", metavar="FILE", type=Path, help="a stack file elsewhere, as for `pulumi up`")
    add_settings(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add `--set NAMESPACE:KEY=VALUE`."""
    parser.add_argument(
        "--set", metavar="KEY=VALUE", type=setting, action="append", default=[], help="configuration above the file's"
    )


def setting(text: str) -> tuple[str, str]:
    """One `--set`. ArgumentTypeError when it is none."""
    key, separator, value = text.partition("=")
    if not separator or ":" not in key:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAMESPACE:KEY=VALUE, such as pactum:webMinimum=2")
    return key, value
