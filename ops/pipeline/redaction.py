"""What a comment, a log or an artifact must not carry: secrets, found by their value, by their shape, by their name.

It works on words as they came: not yet cut, for half a secret looks like none, and not yet Markdown, whose marks would
be taken for a part of one. Each expression here takes a time that grows as the text does, and no faster: a pull
request's endless word would keep the job busy for hours.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ops.pipeline import secret_names, secret_values
from ops.pipeline.markdown import plain
from ops.pipeline.secret_values import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Shorter ones would hide half of every text (`true`, `1`), and protect nothing.
_SHORTEST = 6
_SHAPES = (
    # As a whole; and where its end is missing, as far as it looks like one.
    re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----"
        r"(?:(?:(?!-----BEGIN ).){0,12000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"
        r"|(?:[ \t]*(?:(?:\n|\\{1,8}[nr])[ \t+~|>\"'-]{0,200})+[A-Za-z0-9+/=]+|[ \t][A-Za-z0-9+/=]{40,})*)",
        re.DOTALL,
    ),
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    re.compile(r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{16,}"),
    re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bhttps://hooks\.slack\.com/services/[A-Za-z0-9/_-]+"),
    re.compile(r"\bpul-[0-9a-f]{40}\b|\bpypi-[A-Za-z0-9_-]{20,}|\bnpm_[A-Za-z0-9]{30,}|\bsk_live_[A-Za-z0-9]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,1000}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*"),
    re.compile(r"\bdjango-insecure-[^\s\"'\\]+"),
)
# Up to the last @: people forget to write one in a password as %40, and a slash as %2F where it is no web address.
_LOGIN = re.compile(
    r"((?<![A-Za-z0-9])(?:https?://[^\s/@:\"'<>]{0,200}:[^\s/\"'<>]{1,400}"
    r"|(?!https?:)[a-z][a-z0-9+.-]{0,20}://[^\s/@:\"'<>]{0,200}:[^\s\"'<>]{1,400}))@",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^/@\s]{0,200}:([^/@\s]{1,400})@")
_HEADER = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+)[^\s\"',]+", re.IGNORECASE)


class Redaction:
    """Hides secrets, those among them that the variables of this job hold."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._values = _values(environment)

    def of(self, text: str) -> str:
        """Return the text without secrets, and without characters that nobody sees, which could stand in one."""
        text = plain(self._without_values(text))
        text = self._without_values(text)
        for shape in _SHAPES:
            text = shape.sub(HIDDEN, text)
        text = _LOGIN.sub(_without_login, text)
        text = _HEADER.sub(rf"\1{HIDDEN}", text)
        return secret_values.hide(text)

    def inside(self, thing: Any, kept: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401 - of the kind it is given
        """Return a dataclass with `of` all texts in it, however deep; fields called as in `kept` stay as they are."""
        if isinstance(thing, str):
            return self.of(thing)
        if isinstance(thing, tuple):
            return tuple(self.inside(each, kept) for each in thing)
        if not dataclasses.is_dataclass(thing) or isinstance(thing, type):
            return thing
        names = [each.name for each in dataclasses.fields(thing) if each.name not in kept]
        return dataclasses.replace(thing, **{name: self.inside(getattr(thing, name), kept) for name in names})

    def _without_values(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text


def redact(text: str, environment: Mapping[str, str]) -> str:
    """Return one text without secrets; for many, `Redaction` looks for the variables once."""
    return Redaction(environment).of(text)


def _without_login(found: re.Match[str]) -> str:
    return f"{found[1].partition('://')[0]}://{HIDDEN}@"


def _values(environment: Mapping[str, str]) -> list[str]:
    """Return the secret values in every form in which a program may have written them, the longest first."""
    found: set[str] = set()
    for name, value in environment.items():
        if secret_names.of_variable(name):
            found |= set(_forms(value))
        for password in _IN_ADDRESS.findall(value):
            found |= {*_forms(password), *_forms(unquote(password))}
    return sorted(found, key=len, reverse=True)


def _forms(value: str) -> Iterator[str]:
    lines = [line.strip() for line in value.splitlines()]
    for form in {value, value.strip(), plain(value), *lines}:
        if len(form) >= _SHORTEST:
            yield form
            yield json.dumps(form)[1:-1]
            yield quote(form, safe="")
            yield from _in_base64(form.encode(errors="replace"))


def _in_base64(value: bytes) -> Iterator[str]:
    """Also as a part of something longer, such as `user:token`: where it begins decides on its letters."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value).decode()
        # The letters that hold nothing but the value's own bits.
        own = encoded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        yield own
        yield own.translate(str.maketrans("+/", "-_"))
    yield base64.b64encode(value).decode().rstrip("=")
