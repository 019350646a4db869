"""An exception as text: where it was raised, and what it says as far as that may be in a log.

As Python writes it, with the exceptions before it; but each message goes through what takes values out. Where it was
raised are lines of code, in which nothing that a user sent can be. Local variables are never shown.
"""

from __future__ import annotations

import textwrap
import traceback
from typing import TYPE_CHECKING

from deployment.kept_out import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"


def describe(error: BaseException, clean: Callable[[str], str]) -> str:
    """Return the text, the first exception first; each is told of once."""
    return _chain(error, clean, set())


def _chain(error: BaseException, clean: Callable[[str], str], seen: set[int]) -> str:
    # One that was taken out of a group and raised has the group before it, in which it is again.
    parts: list[str] = []
    link = ""
    earlier: BaseException | None = error
    while earlier is not None and id(earlier) not in seen:
        seen.add(id(earlier))
        parts.append("".join(_alone(earlier, clean, seen)) + link)
        if earlier.__cause__ is not None:
            link, earlier = CAUSED, earlier.__cause__
        else:
            link, earlier = MEANWHILE, None if earlier.__suppress_context__ else earlier.__context__
    return "".join(reversed(parts)).rstrip("\n")


def _alone(error: BaseException, clean: Callable[[str], str], seen: set[int]) -> Iterator[str]:
    if error.__traceback__:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    name, message = _name(error), clean(message_of(error))
    yield f"{name}: {message}\n" if message else f"{name}\n"
    notes = error.__dict__.get("__notes__")
    for note in notes if isinstance(notes, list) else ():
        yield f"{clean(str(note))}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, one in enumerate(error.exceptions, start=1):
            told = _chain(one, clean, seen) or f"{_name(one)} (it is shown elsewhere here)"
            yield textwrap.indent(f"--- {number} ---\n{told}\n", "  ")


def _name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
