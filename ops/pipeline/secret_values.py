"""What stands behind the name of a secret in any text: an environment, JSON, YAML, SQL, a message, Pulumi's diff."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ops.pipeline import secret_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIDDEN = "[hidden]"
# JSON that is in a string of JSON has a backslash before its quotes, and further in more of them.
_QUOTE = r"\\{0,8}[\"']?"
_OF_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_NAMED = re.compile(rf"(?P<word>{secret_names.WORD}){_QUOTE}[ \t]*(?P<sign>=>?|:=?)[ \t]*", re.IGNORECASE)
# A program's `--password x`.
_OPTION = re.compile(r"(?<!\S)--?(?P<name>[A-Za-z0-9_.-]{1,100})[ \t]+(?!-)")
_SQL = re.compile(r"\bpassw(?:or)?d\s+E?(?=')", re.IGNORECASE)
# A container's environment, in JSON or as Pulumi shows it: the name here, its value on the next line.
_PAIR = re.compile(
    rf"\bname{_QUOTE}\s*[:=]\s*{_QUOTE}(?P<name>[A-Za-z0-9_.-]{{1,100}}){_QUOTE},?\s*(?:[-+~]\s*)?"
    rf"{_QUOTE}value{_QUOTE}\s*[:=]\s*",
    re.IGNORECASE,
)
# What stands for a secret, says where it is, or whether there is one.
_NO_VALUE = re.compile(
    r"(?:\[(?:secret|hidden|unknown)\]|true\b|false\b|null\b)(?=[\s\"'\\,;)}\]@]|$)"
    r"|\\{0,8}[\"']?arn:[^\s\"'\\]*\\{0,8}[\"']?"
)
# The beginning of something that has names of its own.
_NESTED = re.compile(r"[\[{]+(?=[\s\"'\\]|$)", re.MULTILINE)
_LIST = re.compile(r"\[[^\]\[{}\n]{1,5000}\]")
# Without its end, a text in quotes goes to the end of its line.
_VALUE = re.compile(
    r"\\{1,8}\"(?:(?!\\{1,8}\").)+(?:\\{1,8}\"|$)|\"(?:\\.|[^\"\\\n])+(?:\"|$)|'(?:\\.|''|[^'\\\n])+(?:'|$)"
    r"|[^\s\"']+",
    re.MULTILINE,
)
# Pulumi's "old" => "new".
_ARROW = re.compile(r"[ \t]*=>[ \t]*")
# YAML's block of lines, all of which are indented further than its name.
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ \t]*\n")
_INDENTATION = re.compile(r"[ \t+~-]*")


def hide(text: str) -> str:
    """Return the text without what stands behind the name of a secret."""
    text = _hidden(text, _SQL, lambda _: True)
    for behind in (_OPTION, _PAIR):
        text = _hidden(text, behind, lambda found: secret_names.in_text(found["name"]))
    return _hidden(text, _NAMED, _is_named)


def _hidden(text: str, before: re.Pattern[str], is_secret: Callable[[re.Match[str]], bool]) -> str:
    shown: list[str] = []
    after = position = 0
    while found := before.search(text, position):
        position = found.end()
        if not is_secret(found):
            continue
        for begin, end in _spans(text, position):
            shown += [text[after:begin], HIDDEN]
            after = position = end
    return "".join([*shown, text[after:]])


def _is_named(found: re.Match[str]) -> bool:
    """Whether it is a name: behind a colon or a slash, and before another colon, it is a part of an ARN or a URN."""
    text, begin = found.string, found.start()
    while begin and text[begin - 1] in _OF_NAMES:
        begin -= 1
    if found["sign"] == ":" and text[begin - 1 : begin] in {":", "/"} and begin:
        return False
    return secret_names.in_text(text[begin : found.end("word")])


def _spans(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Where the value is, and the one that it changes to."""
    if block := _BLOCK.match(text, begin):
        end = _end_of_block(text, begin, block.end())
        if end > block.end():
            yield begin, end
        return
    while True:
        if kept := _NO_VALUE.match(text, begin):
            end = kept.end()
        else:
            end = _end_of_value(text, begin)
            if end == begin:
                return
            yield begin, end
        arrow = _ARROW.match(text, end)
        if not arrow:
            return
        begin = arrow.end()


def _end_of_value(text: str, begin: int) -> int:
    if several := _LIST.match(text, begin):
        return several.end()
    found = None if _NESTED.match(text, begin) else _VALUE.match(text, begin)
    return begin + len(found[0].rstrip(",;")) if found else begin


def _end_of_block(text: str, begin: int, first: int) -> int:
    end, depth = first, _depth(text, text.rfind("\n", 0, begin) + 1)
    while end < len(text):
        following = text.find("\n", end) + 1 or len(text) + 1
        if text[end : following - 1].strip() and _depth(text, end) <= depth:
            break
        end = following
    return min(end - 1, len(text))


def _depth(text: str, line: int) -> int:
    found = _INDENTATION.match(text, line)
    return len(found[0]) if found else 0
