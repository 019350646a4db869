"""The option `--set NAMESPACE:KEY=VALUE`: configuration above the stack file's."""

import argparse


def setting(text: str) -> tuple[str, str]:
    """One `--set`. ArgumentTypeError when it is none."""
    key, separator, value = text.partition("=")
    if not separator or ":" not in key:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAMESPACE:KEY=VALUE, such as pactum:webMinimum=2")
    return key, value
