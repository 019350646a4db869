"""Which lines of a log a metric filter counts: CloudWatch Logs' filter patterns, and what a selector reads of a line.

Words, "phrases", -excluded and ?optional ones, and JSON patterns (see json_pattern). Regular expressions and patterns
of fields between spaces are refused: nothing here uses them.
Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, ...".
"""

import re
from collections.abc import Callable
from functools import lru_cache

from rehearsal.cloudwatch.json_pattern import Chooser, FilterPatternError, read_pattern, read_selector

LONGEST_PATTERN = 1024
_EVERYTHING = ("", '""', '" "')
_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?=\s|$)', re.ASCII)


def matches(pattern: str, message: str) -> bool:
    """Whether a line is one that a pattern means. Raises FilterPatternError for a pattern that is not covered."""
    return _compiled(pattern)(message)


def value(selector: str, message: str) -> str | None:
    """What a selector such as $.detail.group reads of a line of JSON, as text; None where there is no single value.

    Raises FilterPatternError for a selector that is not covered.
    """
    return _selected(selector)(message)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], bool]:
    if len(pattern) > LONGEST_PATTERN:
        raise FilterPatternError(f"a filter pattern has at most {LONGEST_PATTERN} characters, this one {len(pattern)}")
    text = pattern.strip()
    if text in _EVERYTHING:
        return lambda _: True
    if text.startswith("{"):
        return read_pattern(text)
    if text.startswith("["):
        raise FilterPatternError(f"{pattern!r} is a pattern of fields between spaces, which is not covered here")
    return _terms(text)


@lru_cache(maxsize=256)
def _selected(selector: str) -> Chooser:
    return read_selector(selector)


def _terms(text: str) -> Callable[[str], bool]:
    """All words and phrases, none of the excluded ones; or any of the optional ones."""
    found: dict[str, list[re.Pattern[str]]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise FilterPatternError(
                f"{text!r} has something that is not covered here at {text[position:].strip()!r}: "
                "put what is more than letters, digits and _ in double quotes; %regular expressions% are not covered"
            )
        quoted = match[2] is not None
        found[match[1]].append(_word(re.sub(r"\\(.)", r"\1", match[2]) if quoted else match[3]))
        position = match.end()
    required, excluded, optional = found[""], found["-"], found["?"]
    if optional and (required or excluded):
        raise FilterPatternError(f"{text!r} has ?terms beside others: CloudWatch ignores them then. Use one kind.")
    if optional:
        return lambda message: any(word.search(message) for word in optional)
    return lambda message: (
        all(word.search(message) for word in required) and not any(word.search(message) for word in excluded)
    )


def _word(term: str) -> re.Pattern[str]:
    """A term as a word or a phrase of whole words: `AUTHORIZED` is not found in `UNAUTHORIZED`."""
    before, after = (r"(?<!\w)" if term[:1].isalnum() else ""), (r"(?!\w)" if term[-1:].isalnum() else "")
    return re.compile(before + re.escape(term) + after)
