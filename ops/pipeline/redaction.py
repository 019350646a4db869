"""What a comment, a log or an artifact must not carry: secrets, found by their value, by their shape, by their name."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIDDEN = "[hidden]"
# Shorter ones would hide half of every text (`true`, `1`), and protect nothing.
_SHORTEST = 6
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|APIKEY|API_KEY|ACCESS_KEY|SIGNING_KEY|WEBHOOK|DSN|_AUTH$|_PAT$",
    re.IGNORECASE,
)
# What is called so and holds the place of a secret, or its name.
_NO_SECRET_NAME = re.compile(r"(_FILE|_PATH|_DIR|_ARN|_REQUEST_URL)$", re.IGNORECASE)
_NAMES = r"(?:[A-Za-z0-9_.-]*(?:passw(?:or)?d|passphrase|secret[_-]?(?:access[_-]?)?key|secret|api[_-]?key|token|pwd))"
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    re.compile(r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{16,}"),
    re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bhttps://hooks\.slack\.com/services/[A-Za-z0-9/_-]+"),
    re.compile(r"\bpul-[0-9a-f]{40}\b|\bpypi-[A-Za-z0-9_-]{20,}|\bnpm_[A-Za-z0-9]{30,}|\bsk_live_[A-Za-z0-9]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:\"'<>]*:[^\s/@\"'<>]+@", re.IGNORECASE)
_HEADER = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+)[^\s\"',]+", re.IGNORECASE)
# A name and its value, as in an environment, JSON, YAML or a message; `[secret]` and references are no values.
_VALUE = r"(?!\[|arn:|<|\{)(\"[^\"\n]+\"|'[^'\n]+'|[^\s\"',;&]+)"
# Behind a colon or a slash it is a part of an ARN or a URN.
_NAMED = re.compile(
    rf"((?:(?<![A-Za-z0-9]){_NAMES}[\"']?\s*=>?|(?<![A-Za-z0-9:/]){_NAMES}[\"']?\s*:)\s*){_VALUE}", re.IGNORECASE
)
# `SECRET_KEY` and the like, after PostgreSQL's and Pulumi's arrows too: "old" => "new".
_ARROW = re.compile(r"(=>\s*)(\"[^\"\n]+\"|[^\s\"]+)$")


def redact(text: str, environment: Mapping[str, str]) -> str:
    """Return the text without secrets: values of variables that are called so, and what has the shape of one."""
    for value in _values(environment):
        text = text.replace(value, HIDDEN)
    for shape in _SHAPES:
        text = shape.sub(HIDDEN, text)
    text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    return "\n".join(_named(line) for line in text.split("\n"))


def _named(line: str) -> str:
    hidden = _NAMED.sub(rf"\1{HIDDEN}", line)
    return _ARROW.sub(rf"\1{HIDDEN}", hidden) if hidden != line else line


def _values(environment: Mapping[str, str]) -> list[str]:
    """Return the secret values in every form in which a program may have written them, the longest first."""
    found: set[str] = set()
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and not _NO_SECRET_NAME.search(name):
            found |= set(_forms(value))
    return sorted(found, key=len, reverse=True)


def _forms(value: str) -> Iterator[str]:
    lines = [line.strip() for line in value.splitlines()]
    for form in {value, value.strip(), *lines}:
        if len(form) >= _SHORTEST:
            yield form
            yield json.dumps(form)[1:-1]
            yield quote(form, safe="")
            yield base64.b64encode(form.encode()).decode().rstrip("=")
