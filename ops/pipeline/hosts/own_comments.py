"""Which of our own comments in a pull request stays, where several jobs have written some: the newest run's, alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The line after the marker, which nobody's data can be in.
_RUN = re.compile(r"[^\n]*\n<!-- run (\d{1,20}) -->(?:\r?\n|$)")


def run_of(body: str) -> int:
    """Return the number of the run that wrote a comment; 0 where it does not say."""
    found = _RUN.match(body)
    return int(found[1]) if found else 0


def write(
    body: str,
    *,
    ours: Callable[[], Iterable[Any]],
    make: Callable[[str], Any],
    write_anew: Callable[[Any, str], None],
    remove: Callable[[Any], None],
) -> Any:  # noqa: ANN401 - the libraries' own objects
    """Leave exactly one comment, and return it: this one, or what a newer run has written.

    Two jobs that find none make one each. So each looks once more after it wrote, and both then keep the same one.
    """
    run, kept = run_of(body), _newest(ours())
    if kept is None:
        kept = make(body)
    elif run_of(str(kept.body)) <= run or not run:
        write_anew(kept, body)
    else:
        newer = run_of(str(kept.body))
        print(
            f"a newer run ({newer}) has written the comment: it stays as it is. If the numbers of runs began anew "
            "since, such as with a new job of Jenkins, delete the comment and run this job again.",
            flush=True,
        )
    found = list(ours())
    kept = _newest(found) or kept
    for other in found:
        if other.id != kept.id:
            remove(other)
    return kept


def _newest(comments: Iterable[Any]) -> Any:  # noqa: ANN401 - see above
    return max(comments, key=lambda each: (run_of(str(each.body)), -each.id), default=None)
