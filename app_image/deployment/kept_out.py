"""What stays out of the log: secrets, tokens, and what users send.

A library puts into its messages what it was given: a field's value, a host, an address with its query string. Nobody
can name all of these messages; but what this request and this process were given is known, and is taken out wherever it
is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.http import HttpRequest

SECRET, SENT, TOKEN_MARK = "[secret]", "[sent by the user]", "[token]"
# Names of variables that hold a secret, the project's own too; and a password in an address.
SECRETIVE = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|DSN|KEY(?!_)|_KEY_")
ABOUT_SECRETS = re.compile(r"_(TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|AGE|LIFETIME|LENGTH|NAME|PATH|PREFIX|URL)$")
IN_ADDRESS = re.compile(r"://[^/@\s]*:([^/@\s]+)@")
# A secret of this length is one that somebody made up in a hurry; shorter ones are in every text.
SHORTEST_SECRET = 6
# What is shorter is a part of too many words, and says too little.
SHORTEST_SENT = 4
# Characters times values: a whole form of megabytes, logged as one text, would take seconds. It would be cut anyway.
MOST_LOOKED_THROUGH = 100_000_000
# Django's token in the address of a password reset: whoever reads it in a log may set the password.
TOKEN = re.compile(r"\b[0-9a-z]{6,13}-[0-9a-f]{32}\b")
# PostgreSQL's further words about an error quote rows, keys and parameters; shown by `repr`, a line ends with two
# characters.
DETAILS = re.compile(r"(?:\n|\\n)(?:DETAIL|CONTEXT|QUERY|LINE \d+): .*", re.DOTALL)
DATA_EXCEPTION = "22"
# Its first words do, too, where a value is of the wrong kind. No name of a type is longer, and without a bound a user
# could send a text that takes minutes to look through.
OF_WRONG_KIND = re.compile(
    r'(invalid input (?:syntax|value) for [\w ]{1,100}: |field value out of range: )".*"', re.DOTALL
)
OUT_OF_RANGE = 'value "', '" is out of range'
QUOTED = re.compile(r'".*"', re.DOTALL)
# These are in the log by right.
IDS = {"HTTP_X_AMZN_TRACE_ID", "HTTP_X_REQUEST_ID"}
# Browsers and balancers write single words of protocols here: `close`, `https`, `document`, `none`. Taken out, they
# would leave holes in what an exception says.
OF_PROTOCOLS = re.compile(r"HTTP_(?:ACCEPT|CONNECTION|CACHE_CONTROL|PRAGMA|X_FORWARDED_PROTO|SEC_FETCH_\w+)")
PROTOCOL_WORD = re.compile(r"[a-z-]{1,16}")


class Secrets:
    """The secrets this process was given. Shown, as settings are by Django's commands, it says nothing of them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = _longest_first(values, SHORTEST_SECRET)

    def taken_out(self, text: str) -> str:
        """Return the text without any of them."""
        return _replaced(text, self._values, SECRET)


def secrets_in(variables: Mapping[str, str]) -> Secrets:
    """Find the secrets by the names of their variables, those in addresses by what stands around them."""
    named = [
        value
        for name, value in variables.items()
        if SECRETIVE.search(name.upper()) and not ABOUT_SECRETS.search(name.upper())
    ]
    return Secrets(
        [
            *named,
            *(
                form
                for value in variables.values()
                for part in IN_ADDRESS.findall(value)
                for form in (part, unquote(part))
            ),
        ]
    )


def without_tokens(text: str) -> str:
    """Return the text with the tokens of password resets taken out."""
    return TOKEN.sub(TOKEN_MARK, text)


def without_sent(text: str, request: HttpRequest) -> str:
    """Return the text without what the user has sent with the request, except its path and its id."""
    # Most of a big form cannot be in a short text; to make its other forms would take longer than all else.
    possible = (value for value in _known(request) if len(value) <= len(text))
    forms = _longest_first(possible, SHORTEST_SENT)
    if len(text) * len(forms) > MOST_LOOKED_THROUGH:
        return f"[{len(text)} characters, too many to take out of them what the user sent]"
    return _replaced(text, forms, SENT)


def without_details(text: str) -> str:
    """Return a text in which somebody has put a database's error without the values that PostgreSQL quotes there."""
    text = OF_WRONG_KIND.sub(r'\1"..."', DETAILS.sub("", text))
    before, after = OUT_OF_RANGE
    begin, end = text.find(before) + len(before), text.rfind(after)
    return f"{text[:begin]}...{text[end:]}" if len(before) <= begin <= end else text


def message_of(error: BaseException) -> str:
    """Return what an exception says; of one from the database the first words, without the values it was given."""
    try:
        return _words_of(error)
    except Exception:  # noqa: BLE001 - whatever its own code does: that it was raised is told of
        return "(it cannot say what it is)"


def _words_of(error: BaseException) -> str:
    # Django's own errors repeat the driver's.
    driver = error.__cause__ if type(error).__module__ == "django.db.utils" else error
    diagnosis = getattr(driver, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    if not isinstance(primary, str):
        return without_details(str(error))
    return QUOTED.sub('"..."', primary) if str(diagnosis.sqlstate).startswith(DATA_EXCEPTION) else primary


def _longest_first(values: Iterable[str], shortest: int) -> list[str]:
    long_enough = (value for value in values if len(value) >= shortest)
    forms = {form for value in long_enough for form in (value, repr(value)[1:-1], quote(value))}
    return sorted(forms, key=len, reverse=True)


def _replaced(text: str, values: list[str], mark: str) -> str:
    for value in values:
        text = text.replace(value, mark)
    return text


def _known(request: HttpRequest) -> set[str]:
    """Return what was sent, as far as it has been read by now; put together anew only when more of it has."""
    read = tuple(getattr(request, part, None) is not None for part in ("_post", "_files", "_body"))
    kept: Any = getattr(request, "kept_out", None)
    if kept is None or kept[0] != read:
        kept = request.kept_out = (read, set(_sent(request)))  # type: ignore[attr-defined] # a place of our own on it
    known: set[str] = kept[1]
    return known


def _sent(request: HttpRequest) -> Iterator[str]:
    meta = request.META
    query = str(meta.get("QUERY_STRING", ""))
    yield query
    for _, value in parse_qsl(query, errors="replace"):
        yield value
    # As it stands in an address.
    for pair in query.split("&"):
        yield pair.partition("=")[2]
    for name, value in meta.items():
        plain = OF_PROTOCOLS.fullmatch(name) and PROTOCOL_WORD.fullmatch(str(value))
        if name.startswith("HTTP_") and name not in IDS and not plain:
            yield str(value)
    # Behind the word Bearer, or Basic.
    yield from str(meta.get("HTTP_AUTHORIZATION", "")).split()
    for cookie in str(meta.get("HTTP_COOKIE", "")).split(";"):
        yield cookie.partition("=")[2].strip(' "')
    # Asked for by their public names, the body would be read now.
    fields: Any = getattr(request, "_post", None) or {}
    for name in fields:
        yield from map(str, fields.getlist(name))
    files: Any = getattr(request, "_files", None) or {}
    for name in files:
        yield from (str(file.name) for file in files.getlist(name))
    yield from _leaves(getattr(request, "_body", b""))


def _leaves(body: bytes) -> Iterator[str]:
    """The texts and numbers in a body that has been read as a whole; in one that is no JSON, none."""
    try:
        left = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
        elif one is not None and not isinstance(one, bool):
            yield str(one)
