"""How the engine starts the application's program."""

import gc


def start() -> None:
    """Make the stack that is selected.

    Loading `pulumi_aws` makes a million objects, none of which is ever garbage, and Python would look through them over
    and over: a third of the program's time, in every preview. The program ends within seconds, and its memory with it.
    """
    gc.disable()
    from stacks.application import deploy  # noqa: PLC0415 - not before the line above

    deploy()
