"""One comment: who wrote what cannot change how it is read, and no host refuses it for its length."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest

from ops.pipeline import comment
from ops.pipeline.comment import PREVIEW_MARKER, Part, compose, share
from ops.pipeline.event import GITHUB, GITLAB, PULL_REQUEST, Event
from ops.pipeline.markdown import closed, code, fenced, plain, sentence
from ops.pipeline.migration_plan import Plan
from ops.pipeline.migration_risks import Risk
from ops.pipeline.preview_events import DELETE, Change, Previewed
from ops.pipeline.preview_text import StackPreview, head

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUN = "https://github.com/o/n/actions/runs/1"


def event(host: str = GITHUB) -> Event:
    return Event(
        host=host, kind=PULL_REQUEST, branch="b", commit="c0" * 20, pull_request=7,
        untrusted="", repository="o/n", run_url=RUN
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


@pytest.mark.parametrize(
    "hostile",
    [
        *("```\n</details>@all", "`````", "a ``` b\n````` c", "``\u200b`\n# live", "``\x1b[0m`\n# live"),
        *("``\u2060`\n# live", "``\u00ad`\n# live", "``\ufe0f`\n# live", "``\ud800`\n# live", "`" * 30_000),
    ],
)
def test_nothing_breaks_out_of_a_block_of_code(hostile: str) -> None:
    lines = fenced(hostile).split("\n")
    fence = lines[0]
    assert set(fence) == {"`"}
    assert lines[-1] == fence
    assert all(fence not in line for line in lines[1:-1]), "a fence as long as this one would end the block"
    assert not re.search("[\u200b\x1b\u2060\u00ad\ufe0f\ud800]", "".join(lines)), "what nobody sees is not measured"
    assert len(fence) < 30, "a fence takes its room twice, and is no text"


@pytest.mark.parametrize(
    "hostile", ["`@all`", "x``y", "x`\u200b`y``z", "line\nbreak", "<img src=x>", "[a](http://b)", "`", ""]
)
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


def test_half_of_a_character_does_not_end_the_job() -> None:
    assert plain("a\ud800b").encode() == b"ab"


def test_words_of_ours_are_one_line_without_tags_and_names() -> None:
    said = sentence("Use `Index`\n# <img src=x> @org/all\u200b.")
    assert said == "Use `Index` # &lt;img src=x> &#64;org/all."


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        ("a\n```\nb", "\n```"),
        ("a\n`````diff\nb\n```", "\n`````"),
        ("a\n```\nb\n```\nc", ""),
        ("```` a ``` ````\nb", ""),
        ("a", ""),
    ],
)
def test_what_is_cut_within_a_block_of_code_closes_it(cut: str, end: str) -> None:
    assert closed(cut) == f"{cut}{end}"


@pytest.fixture
def composed(tmp_path: Path) -> Compose:
    return Compose(tmp_path)


class Compose:
    """What people read of stacks that were previewed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *found: StackPreview, environment: Mapping[str, str] | None = None) -> str:
        parts = [comment.part("preview", each, head, self.root, environment or {}) for each in found]
        return compose(PREVIEW_MARKER, "Title", parts, event())


def previewed(*names: str, stack: str = "staging", plan: Plan | None = None, **more: Any) -> StackPreview:
    changes = tuple(Change(operation=DELETE, type="aws:rds/instance:Instance", name=name) for name in names)
    found = Previewed(told=True, changes=changes, rules=("G01",))
    return dataclasses.replace(StackPreview(stack=stack, found=found, plan=plan or Plan()), **more)


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_half_a_secret_is_never_shown(composed: Compose, cut: int) -> None:
    token = "ghs_CANARYCANARYCANARYCANARYCANARYCANARY"
    words = f"{token} {'z' * (1800 - cut)}"
    found = previewed(plan=Plan(unknown=words), error=words, text=words)
    first = dataclasses.replace(found, error="", code=255, found=Previewed(errors=(f"{'z' * (1800 - cut)} {token}",)))
    for body in (composed(found, environment={"A_TOKEN": token}), composed(first, environment={"A_TOKEN": token})):
        assert "CANARY" not in body


def test_the_name_of_one_thing_does_not_hide_the_next(composed: Compose) -> None:
    body = composed(previewed("-----BEGIN PRIVATE KEY-----", "password: |", "database"))
    assert "- **delete `database`" in body
    assert "Guardrails: 1 rules looked at" in body


def test_a_name_with_a_secret_in_it_stays_code(composed: Compose) -> None:
    risk = Risk(migration="t.2_key=a", what="password='x", remedy="Go.", statement="SET password = '")
    plan = Plan(names=("t.0002_token=a", "t.0003 <img src=x> @org/all"), risks=(risk,))
    body = composed(previewed("x-token=abc", "<img src=x> @org/all", plan=plan))
    outside = re.sub("`[^`\n]*`", "", body)
    assert "<img" not in outside
    assert "@org" not in outside
    assert "t.0002_token=[hidden]" in body


def test_a_remedy_brings_neither_tag_nor_name(composed: Compose) -> None:
    risk = Risk(migration="t.2", what="w", remedy="Look at <img src=x> @org/all.")
    body = composed(previewed(plan=Plan(names=("t.2",), risks=(risk,))))
    assert "*What to do:* Look at &lt;img src=x> &#64;org/all." in body


def test_long_names_leave_room_for_what_else_is_never_cut(composed: Compose) -> None:
    body = composed(previewed(*[f"{number}{'x' * 9000}" for number in range(15)]))
    assert f"`14{'x' * 198}...`" in body
    assert "Guardrails: 1 rules looked at" in body


def test_a_line_of_backticks_leaves_the_comment_within_its_limit(composed: Compose) -> None:
    body = composed(previewed(text="\n".join(["`" * 30_000] * 3 + ["line"] * 40_000)))
    assert len(body.encode()) <= comment.limit(GITHUB)


def test_a_head_that_is_cut_leaves_the_next_stack_to_be_read(composed: Compose) -> None:
    risks = [
        Risk(migration="m" * 900, what="w" * 900, remedy="r", statement="s" * 900, breaks=odd) for odd in (True, False)
    ]
    loud = Plan(names=("n",), risks=tuple(risks * 20), untried=tuple("u" * 900 for _ in range(900)))
    long = previewed(*["x" * 3000] * 20, plan=loud, code=255)
    broken = dataclasses.replace(long.found, errors=("\n".join("line of an error" for _ in range(3000)),))
    body = composed(dataclasses.replace(long, found=broken), previewed("database", stack="prod"))
    assert len(body.encode()) <= comment.limit(GITHUB)
    assert "- **delete `database`" in _outside_of_blocks(body)


def test_a_failure_that_a_cut_goes_through_is_closed() -> None:
    text = "### head\n\n" + fenced("\n".join(["a line of the failure"] * 9000))
    body = compose(PREVIEW_MARKER, "T", [part(1, head=text), part(1, "prod", head="### `prod`")], event())
    assert "### `prod`" in _outside_of_blocks(body)
    assert "lines more: ci/preview-staging.txt" in _outside_of_blocks(body)
    assert len(body.encode()) <= comment.limit(GITHUB)


def _outside_of_blocks(body: str) -> str:
    return re.sub(r"^(`{3,})[a-z]*\n.*?\n\1$", "", body, flags=re.DOTALL | re.MULTILINE)


def test_the_comment_says_which_run_wrote_it() -> None:
    body = compose(PREVIEW_MARKER, "T", [part(1)], dataclasses.replace(event(), run=17))
    assert body.startswith(f"{PREVIEW_MARKER}\n<!-- run 17 -->\n## T")
