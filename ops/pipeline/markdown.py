"""Text of others in Markdown: shown as it is, and never read as Markdown, HTML, a link or somebody's name."""

from __future__ import annotations

import re

# What turns text around, hides it, or moves the cursor of a terminal that shows the log.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BACKTICKS = re.compile("`+")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def plain(text: str) -> str:
    """Return the text without colours and characters that nobody sees."""
    return _UNSEEN.sub("", _ANSI.sub("", text.replace("\r\n", "\n")))


def code(text: str) -> str:
    """Return a short text as code within a line: neither Markdown nor a name with an @ is read in it."""
    line = " ".join(plain(text).split())
    ticks = "`" * (_longest(line) + 1)
    # The space keeps a backtick at its end apart; Markdown takes one away at each side.
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line or ' '}`"


def fenced(text: str, language: str = "") -> str:
    """Return a block of code, whose fence is longer than any in it."""
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{plain(text).strip(chr(10))}\n{fence}"


def _longest(text: str) -> int:
    return max((len(found) for found in _BACKTICKS.findall(text)), default=0)
