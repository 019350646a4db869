"""How the engine starts the application's program."""

import atexit
import gc

from stacks import lean_imports


def start() -> None:
    """Make the stack that is selected.

    Loading `pulumi_aws` makes a quarter of a million objects, none of which is ever garbage, and Python would look
    through them over and over: a third of the program's time, in every preview. It would look once more as it ends,
    which freezing them spares. The program ends within seconds, and its memory with it.
    """
    gc.disable()
    atexit.register(gc.freeze)
    lean_imports.install()
    from stacks import sdk_messages  # noqa: PLC0415 - not before the lines above
    from stacks.application import deploy  # noqa: PLC0415 - not before the lines above

    sdk_messages.leave_out()
    deploy()
