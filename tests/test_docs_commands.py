"""Every command that a page, a description or a message tells somebody exists, with what it is given."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.docs_commands import makefile, pulumi_cli
from tests.docs_commands.checking import is_command, kinds
from tests.docs_commands.reading import Told, commands_of, everything, of_descriptions, of_page, of_program, pages
from tests.docs_commands.shell import commands
from tests.docs_commands.words import RefusedError
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Fewer than now by a little: less would mean that they are no longer seen.
AT_LEAST = {
    "python": 210,
    "ops": 90,
    "make": 150,
    "pulumi": 75,
    "aws": 55,
    "docker": 25,
    "gh": 20,
    "git": 6,
    "source": 3,
    "script": 3,
}
FIRST_DEPLOYMENT = ROOT / "docs" / "first-deployment.md"
STEPS = re.findall(
    r"^## (\d+\. .+?)\n(.*?)(?=^## |\Z)", FIRST_DEPLOYMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
SCRIPTS = ("stacks/bootstrap/up", "stacks/down", "stacks/state-to-bucket", "app_image/dev")

REFUSED = {
    # make
    "make no-such-target": "the Makefile has no target no-such-target",
    "make types-program": "does not tell of the target types-program",
    "make rehearse STAK=prod": "nothing that `make rehearse` runs reads STAK",
    "make rehearse THEN=tests/releases/no_such": "there is no tests/releases/no_such",
    "make cy-STAGE": "the Makefile has no target cy-STAGE",
    # our programs
    ".venv/bin/python -m ops statuss --stack prod": "unknown parser 'statuss'|invalid choice: 'statuss'",
    "python -m ops status --stack prod --folow": "unrecognized arguments: --folow",
    "ops rollback --despite-migration": "unrecognized arguments",
    "hold --raeson TEXT": "unrecognized arguments: --raeson",
    "ops logs --since yesterday": "--since",
    "python -m ops run --stack prod -- manage.py no_such": "manage.py has no command no_such",
    "python -m ops.pipeline no-such --stack prod": "has no stage no-such",
    "python -m ops.pipeline deploy --stak prod": "unrecognized arguments: --stak",
    "python -m rehearsal stagin": "python -m rehearsal knows no stagin",
    "python -m rehearsal staging --kepe": "unrecognized arguments: --kepe",
    "python -m rehearsal update staging --releases x": "unrecognized arguments",
    "python -m rehearsal.cost prod --requests 1 --x": "unrecognized arguments",
    "python -m benchmarks no-such-part": "there is no part no-such-part",
    "python -m no.such --help": "nobody knows how to read `python -m no.such`",
    "python3 -c 'import'": "no Python reads this",
    "python manage.py no_such": "manage.py has no command no_such",
    "python -S app_image/no_such.py": "there is no",
    # Pulumi
    "pulumi stak init prod": "has no command stak",
    "pulumi stack ini prod": "has no command stack ini",
    "pulumi state unprotec URN": "has no command state unprotec",
    "pulumi up --stack prod --no-such": "pulumi up has no --no-such",
    "pulumi stack init prod --secret-provider x": "pulumi stack init has no --secret-provider",
    # AWS
    "aws esc list-tasks --cluster NAME": "AWS has no service esc",
    "aws ecs list-task --cluster NAME": "ecs has no operation list-task",
    "aws ecs list-tasks --clusters NAME": "it has no --clusters",
    "aws cloudwatch set-alarm-state --state-value ALARMED": "--state-value is one of",
    "aws s3 sink s3://BUCKET DIR": "s3 has no operation sink",
    "aws s3 sync s3://BUCKET DIR --no-such": "it has no --no-such",
    # other programs, scripts and the shell
    "git stach --all": "git stach --all is not among what is known",
    "git push --force": "`git push` with --force",
    "docker sytem prune": "docker sytem prune is not among",
    "gh variables set NAME": "gh variables set is not among",
    "curl --no-such https://HOST": "`curl ` with --no-such",
    "terraform plan --out x": "nobody knows a program terraform",
    ".venv/bin/no-such install": "no requirement of requirements-dev.txt brings a program no-such",
    "app_image/no-such up": "there is no app_image/no-such",
    "infra/settings.py --now": "infra/settings.py cannot be executed",
    "STATE_ULR=x stacks/state-to-bucket account x": "stacks/state-to-bucket reads no STATE_ULR",
    "source .venv/no-such": "only what a rehearsal writes",
    "make check && make no-such-target": "no target no-such-target",
    'pulumi login "$(aws ecs list-task)"': "ecs has no operation list-task",
    'make "check': "no shell reads this",
}
REFUSED_IN_A_CONSOLE = {
    "python -m ops status": "required: --stack",
    "python -m ops verify --stack prod --minimum": "expected one argument",
    "aws ecs describe-services --cluster NAME": "describe-services wants --services",
    "for name in a b; do git stach; done": "git stach is not among",
    "terraform plan": "nobody knows a program terraform",
}
NO_COMMANDS = ["make", "kill -9", "pactum:production: true", "error: update canceled", "made since", "logs query"]


@pytest.fixture(scope="module")
def called() -> dict[Told, list[str] | RefusedError]:
    """What each command calls, or what is wrong with it."""
    return {each: calls(each) for each in everything() if is_command(each)}


def calls(told: Told) -> list[str] | RefusedError:
    try:
        return kinds(told)
    except RefusedError as error:
        return error


def refusal(text: str, *, whole: bool = False) -> str:
    each = Told(file="page.md", line=1, text=text, whole=whole)
    found = calls(each) if is_command(each) else []
    return str(found) if isinstance(found, RefusedError) else ""


def test_every_command_that_is_told_exists(called: dict[Told, list[str] | RefusedError]) -> None:
    wrong = [f"{told}\n    {found}" for told, found in called.items() if isinstance(found, RefusedError)]
    assert not wrong, "\n" + "\n".join(wrong)


def test_enough_is_seen(called: dict[Told, list[str] | RefusedError]) -> None:
    seen = Counter(kind for found in called.values() if isinstance(found, list) for kind in found)
    assert {kind: seen[kind] for kind, least in AT_LEAST.items() if seen[kind] < least} == {}
    files = {told.file for told in called}
    assert files >= {"README.md", "Pulumi.yaml", "docs/runbooks/heartbeat.md", "docs/decisions/0017-pipelines.md"}
    assert files >= {"benchmarks/usual/README.md", "ops/diagnosis.py", "infra/account_settings.py"}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_exist_is_refused(text: str) -> None:
    assert re.search(REFUSED[text], refusal(text)), refusal(text) or "it was let through"


@pytest.mark.parametrize("text", REFUSED_IN_A_CONSOLE)
def test_in_a_console_nothing_is_left_out(text: str) -> None:
    assert REFUSED_IN_A_CONSOLE[text] in refusal(text, whole=True)
    assert not refusal(text), "a sentence may name a command without all that it wants"


@pytest.mark.parametrize("text", NO_COMMANDS)
def test_what_is_no_command_is_not_taken_for_one(text: str) -> None:
    assert not is_command(Told(file="page.md", line=1, text=text))


def test_a_page_is_read_with_its_lines() -> None:
    page = "# It\n\nRun `make\ncheck`.\n\n```console\n$ make up \\\n    STACK=prod\nmake what it says\n"
    page += "$ make down\n```\n\n`make up`\n"
    page += "```yaml\n$ make no\n```\n```sh\nmake lint # all\n```\n"
    seen = {(each.line, each.text, each.whole) for each in of_page("page.md", page)}
    assert seen == {
        (3, "make check", False),
        (7, "make up STACK=prod", True),
        (10, "make down", True),
        (13, "make up", False),
        (18, "make lint # all", True),
    }


def test_descriptions_and_programs_are_read_with_their_lines() -> None:
    yaml = "config:\n  aws:region:\n    value: x\n  pactum:a:\n    description: by `make up`\n"
    assert [(each.line, each.text) for each in of_descriptions("Pulumi.yaml", yaml)] == [(4, "make up")]
    program = 'def it(x):\n    """By `make a`."""\n    say(f"then `make {x} b`, `c d`")\n'
    assert [(each.line, each.text) for each in of_program("it.py", program)] == [
        (2, "make a"),
        (3, "make … b"),
        (3, "c d"),
    ]


def test_a_line_is_taken_apart_as_a_shell_does() -> None:
    line = "A=1 aws x --y \"$(pulumi stack output z)\" | docker login 'a|b' >file && make up # don't"
    assert [(command.words, command.variables) for command in commands(line)] == [
        (("pulumi", "stack", "output", "z"), ()),
        (("aws", "x", "--y", "$SAID"), ("A=1",)),
        (("docker", "login", "a|b"), ()),
        (("make", "up"), ()),
    ]
    assert commands("release=$(make up)") == commands("make up"), "an assignment alone runs nothing of its own"


def test_links_lead_to_a_file_and_to_a_heading_of_it() -> None:
    broken = []
    for page in pages():
        for link in re.findall(r"\]\(((?!https?:|mailto:)[^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in headings(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def headings(page: Path) -> set[str]:
    """As GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_variables_that_make_help_tells_of_are_read() -> None:
    assert makefile.said_but_not_read() == []
    assert "DEV_PORT" in makefile.variables("dev"), "by the program that it calls"
    assert "STACK" in makefile.variables("ci-rehearse"), "by the target that it needs"
    assert "FROM" not in makefile.variables("up")


def test_scripts_name_targets_that_there_are() -> None:
    named = {
        (script, name)
        for script in SCRIPTS
        for name in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)\b", (ROOT / script).read_text(encoding="utf-8"))
    }
    assert len(named) >= 8
    for script, name in sorted(named):
        assert not refusal(f"make {name}"), script


def test_the_table_of_the_cli_has_what_it_must_tell_apart() -> None:
    known = pulumi_cli.table()
    assert re.fullmatch(r"3\.\d+\.\d+", known["version"])
    assert "--secrets-provider" in known["commands"]["stack init"], "by an alias"
    assert known["commands"]["up"]["--stack"], "wants a value"
    assert not known["commands"]["up"]["--yes"], "wants none"
    assert "--stack" not in known["everywhere"]
    assert pulumi_cli.written(known) == pulumi_cli.TABLE.read_text(encoding="utf-8")


def test_the_first_deployment_has_all_its_steps() -> None:
    assert [int(title.partition(".")[0]) for title, _ in STEPS] == list(range(1, len(STEPS) + 1))
    assert len(STEPS) >= 10


@pytest.mark.parametrize(("title", "text"), STEPS, ids=[title for title, _ in STEPS])
def test_each_step_says_what_to_type_what_comes_and_how_to_undo_it(title: str, text: str) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks, title
    for block in blocks:
        typed = list(commands_of(block))
        assert block.startswith("$ "), "a command comes first"
        assert typed
        assert len(block.splitlines()) > len(typed), "and what is said then"
    assert re.search(r"^\*\*Undo\*\*: \S", text, re.MULTILINE), title
