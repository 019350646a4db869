"""One comment: who wrote what cannot change how it is read, and no host refuses it for its length."""

from __future__ import annotations

import re

import pytest

from ops.pipeline import comment
from ops.pipeline.comment import PREVIEW_MARKER, Part, compose, share
from ops.pipeline.event import GITHUB, GITLAB, PULL_REQUEST, Event
from ops.pipeline.markdown import code, fenced

RUN = "https://github.com/o/n/actions/runs/1"


def event(host: str = GITHUB) -> Event:
    return Event(
        host=host, kind=PULL_REQUEST, branch="b", commit="c0" * 20, pull_request=7,
        fork=False, repository="o/n", run_url=RUN
    )  # fmt: skip


def part(lines: int, name: str = "staging", head: str = "### head") -> Part:
    text = "\n".join(f"line {number} of {name}, é" for number in range(lines))
    return Part(head=head, text=text, file=f"ci/preview-{name}.txt")


def test_a_short_comment_is_whole_and_begins_with_its_marker() -> None:
    body = compose(PREVIEW_MARKER, "Title", [part(3)], event())
    assert body.startswith(f"{PREVIEW_MARKER}\n## Title at `c0c0c0c0c0c0`\n")
    assert "line 0 of staging" in body
    assert "line 2 of staging" in body
    assert "lines more" not in body


@pytest.mark.parametrize("host", [GITHUB, GITLAB])
def test_a_comment_is_never_longer_than_its_host_takes(host: str) -> None:
    body = compose(PREVIEW_MARKER, "Title", [part(40_000), part(50_000, "prod")], event(host))
    assert len(body.encode()) <= comment.limit(host) <= (1_000_000 if host == GITLAB else 65_536)
    assert len(body.encode()) > comment.limit(host) * 0.97, "more was cut than had to be"


def test_it_is_cut_at_the_end_of_a_line_and_says_how_much_and_where_the_whole_is() -> None:
    body = compose(PREVIEW_MARKER, "Title", [part(40_000)], event())
    (missing,) = re.findall(
        r"^\.\.\. (\d+) lines more: ci/preview-staging\.txt of " + re.escape(RUN), body, re.MULTILINE
    )
    shown = re.findall(r"^line \d+ of staging, é$", body, re.MULTILINE)
    assert len(shown) + int(missing) == 40_000
    assert body.rstrip().endswith("</details>"), "what stands behind it would be folded away with it"


def test_a_small_stack_is_whole_beside_a_large_one() -> None:
    body = compose(PREVIEW_MARKER, "Title", [part(40_000), part(100, "prod")], event())
    assert "line 99 of prod" in body


def test_what_is_never_cut_is_cut_where_it_alone_is_too_long() -> None:
    body = compose(PREVIEW_MARKER, "T", [part(1, head="\n".join(["### head"] * 20_000)), part(5, "prod")], event())
    assert len(body.encode()) <= comment.limit(GITHUB)
    assert "line 4 of prod" in body


def test_room_is_shared_fairly() -> None:
    assert share(100, [10, 1000, 1000]) == [10, 45, 45]
    assert share(100, [10, 20]) == [10, 20]
    assert share(-5, [10]) == [0]


@pytest.mark.parametrize("hostile", ["```\n</details>@all", "`````", "a ``` b\n````` c"])
def test_nothing_breaks_out_of_a_block_of_code(hostile: str) -> None:
    lines = fenced(hostile).split("\n")
    fence = lines[0]
    assert set(fence) == {"`"}
    assert lines[-1] == fence
    assert all(fence not in line for line in lines[1:-1]), "a fence as long as this one would end the block"


@pytest.mark.parametrize("hostile", ["`@all`", "x``y", "line\nbreak", "<img src=x>", "[a](http://b)", "`", ""])
def test_nothing_breaks_out_of_code_in_a_line(hostile: str) -> None:
    shown = code(hostile)
    ticks = re.match("`+", shown)
    assert ticks is not None
    assert shown.endswith(ticks[0])
    assert "\n" not in shown
    inside = shown[len(ticks[0]) : -len(ticks[0])]
    assert ticks[0] not in re.findall("`+", inside), "a run of backticks of the same length ends the code"
    assert inside.strip() or not hostile


def test_what_nobody_sees_is_taken_out() -> None:
    assert code("safe\u202egnp.exe\u200b\x1b[31mred\x07") == "`safegnp.exered`"
