"""Text of others in Markdown: shown as it is, and never read as Markdown, HTML, a link or somebody's name."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Controls, formats (what turns text around or is of no width), halves of characters, and ends of lines that only some
# programs know.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Letters by their category, and seen by nobody; and what only chooses how the character before it looks.
_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_BACKTICKS = re.compile("`+")
# What surrounds a text must be longer than the runs in it; nobody writes longer ones, and a comment has no room for it.
_MOST_BACKTICKS = 20


def plain(text: str) -> str:
    """Return the text without colours and characters that nobody sees."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    if text.isascii() and text.isprintable():
        return text
    unseen = {each for each in set(text) if each not in "\n\t" and unicodedata.category(each) in _UNSEEN}
    return _FILLERS.sub("", text.translate({ord(each): None for each in unseen}))


def code(text: str) -> str:
    """Return a short text as code within a line: neither Markdown nor a name with an @ is read in it."""
    line = _few_backticks(" ".join(plain(text).split()))
    ticks = "`" * (_longest(line) + 1)
    # The space keeps a backtick at its end apart; Markdown takes one away at each side.
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line or ' '}`"


def fenced(text: str, language: str = "") -> str:
    """Return a block of code, whose fence is longer than any in it."""
    shown = _few_backticks(plain(text).strip("\n"))
    fence = "`" * max(3, _longest(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def sentence(text: str) -> str:
    """Return words of ours, which may have code in them, as one line: what others put there is no tag or name."""
    return " ".join(plain(text).split()).replace("<", "&lt;").replace("@", "&#64;")


def shortened(text: str, most: int) -> str:
    """Return the beginning of a text that is longer than a line of a list may be."""
    return text if len(text) <= most else f"{text[:most]}..."


def closed(text: str) -> str:
    """Return Markdown that was cut at the end of a line, with the block of code closed in which it was cut."""
    fence = ""
    for line in text.split("\n"):
        language = line.lstrip("`")
        ticks = line[: len(line) - len(language)]
        if not fence and len(ticks) >= len("```") and "`" not in language:
            fence = ticks
        elif fence and line == fence:
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _few_backticks(text: str) -> str:
    return _BACKTICKS.sub(lambda run: run[0] if len(run[0]) <= _MOST_BACKTICKS else f"({len(run[0])} backticks)", text)


def _longest(text: str) -> int:
    return max((len(found) for found in _BACKTICKS.findall(text)), default=0)
