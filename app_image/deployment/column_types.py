"""Which change of a column's type keeps every value as it is; of any other nobody can say so without the values."""

from __future__ import annotations

import re

_SHAPE = re.compile(r"([a-z ]+?)\s*(?:\((\d+)(?:\s*,\s*(\d+))?\))?")
# As Django writes them, and as PostgreSQL calls them.
_NAMES = {
    "varchar": "character varying",
    "int": "integer",
    "decimal": "numeric",
    "serial": "integer",
    "bigserial": "bigint",
    "smallserial": "smallint",
}
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_FLOATS = ("real", "double precision")


def holds_all(was: str, now: str) -> bool:
    """Say whether a column of the new type surely takes each value of the old type as it is."""
    old, new = _SHAPE.fullmatch(was.strip().lower()), _SHAPE.fullmatch(now.strip().lower())
    if old is None or new is None:
        # An array or a type of somebody else: only itself is known to be enough.
        return was == now
    of, to = (_NAMES.get(shape[1], shape[1]) for shape in (old, new))
    if of == to == "numeric":
        return _more_digits(old, new)
    if of == "character varying" and to in {of, "text"}:
        return new[2] is None or (old[2] is not None and int(new[2]) >= int(old[2]))
    for ranks in (_WHOLE_NUMBERS, _FLOATS):
        if of in ranks and to in ranks:
            return ranks.index(to) >= ranks.index(of)
    return (of, old[2], old[3]) == (to, new[2], new[3])


def _more_digits(old: re.Match[str], new: re.Match[str]) -> bool:
    if new[2] is None:
        return True
    if old[2] is None:
        return False
    before_point = int(old[2]) - int(old[3] or 0), int(new[2]) - int(new[3] or 0)
    return int(new[3] or 0) >= int(old[3] or 0) and before_point[1] >= before_point[0]
