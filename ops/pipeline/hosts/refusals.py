"""What to do where a host refuses: a permission is the reason of a few refusals only."""

from __future__ import annotations

_OWN_FAULT = 500
_WAIT = "It limits how often it may be asked: wait some minutes, and run the job again."
_UNREADABLE = "It does not take what was sent, which is in the job's files (ci/): a fault of this project's own."
_BY_STATUS = {
    410: "Issues are switched off in its settings: switch them on, for that is where people are told.",
    429: _WAIT,
    **dict.fromkeys((400, 413, 422), _UNREADABLE),
}
# GitHub answers 403 to all of these.
_BY_WORD = {
    "rate limit": _WAIT,
    "abuse": _WAIT,
    "locked": "Its conversation is locked: unlock it, and run the job again.",
}
_UNAUTHORIZED = 401


def remedy(status: int | None, said: str, permission: str) -> str:
    """Return what to do; `permission` is that where the token may not do it."""
    status = status or 0
    if status >= _OWN_FAULT:
        return "That is a fault of the host's own: run the job again later."
    if status == _UNAUTHORIZED:
        return f"The token is wrong, or has expired. {permission}"
    by_word = next((told for word, told in _BY_WORD.items() if word in said.lower()), permission)
    return _BY_STATUS.get(status, by_word)
