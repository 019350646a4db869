"""What `make contract` makes of what it sees: verdicts, words, and an image's files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from infra.serving import Serving
from infra.task_definition import CONTAINER_USER
from rehearsal import __main__ as command_line
from rehearsal.contract import about_commands, about_ends, about_image, about_migration, container, contents, leftovers
from rehearsal.contract.command import REQUIREMENTS
from rehearsal.contract.container import NotStartedError
from rehearsal.contract.requirement import MissingError, Requirement, UntriedError, Verdict, examine, summary
from rehearsal.contract.terms import CA_FILE, Given, Terms
from rehearsal.contract.trial import Ended, Trial, Users
from tests.contract_fakes import PROBE, agreed_terms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.settings import ApplicationSettings


@dataclass
class FakeContents:
    """An image that keeps the contract, changed as a test says."""

    config: dict[str, Any] = field(
        default_factory=lambda: {
            "User": "10001:10001",
            "Cmd": ["gunicorn"],
            "Volumes": {"/tmp": {}},  # noqa: S108
            "Env": ["PATH=/bin"],
            "Healthcheck": {"Test": ["CMD", *PROBE]},
            "Labels": dict.fromkeys(about_image.LABELS, "said"),
        }
    )
    history: str = "RUN pip install"
    secretive_paths: list[str] = field(default_factory=list)
    tmp: int | None = 0o41777
    ca: bytes | None = b"-----BEGIN CERTIFICATE-----"

    def mode(self, path: str) -> int | None:
        assert path == "/tmp"  # noqa: S108
        return self.tmp

    def content(self, path: str) -> bytes | None:
        assert path == CA_FILE
        return self.ca


@dataclass
class FakeTrial:
    """As much of a trial as checks of an image and of a migration look at."""

    contents: FakeContents = field(default_factory=FakeContents)
    terms: Terms = field(default_factory=agreed_terms)
    runs: list[Ended] = field(default_factory=list)

    @property
    def application(self) -> ApplicationSettings:
        return self.terms.application

    def migration(self, number: int = 0) -> Ended:
        return self.runs[number]


def found_of(image: FakeContents, **changes: Any) -> dict[str, str]:
    """What is missing of what the contract asks of an image, by the check's name."""
    trial: Any = FakeTrial(contents=image, terms=agreed_terms(**changes))
    findings = examine(about_image.REQUIREMENTS, trial, lambda _: None)
    return {finding.requirement.check.__name__: finding.detail for finding in findings if finding.detail}


def test_an_image_that_has_it_all_lacks_nothing() -> None:
    assert found_of(FakeContents()) == {}


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"User": ""}, "user", "runs as root"),
        ({"User": "0:10001"}, "user", "is root"),
        ({"User": "app"}, "user", "the name 'app'"),
        ({"Cmd": ["/bin/sh", "-c", "gunicorn"]}, "command", "begins with a shell: /bin/sh -c gunicorn"),
        ({"Cmd": None}, "command", "no command"),
        ({"Volumes": None}, "volume", "no VOLUME /tmp"),
        ({"Env": ["PATH=/bin", "STRIPE_API_KEY=abc"]}, "no_secret_values", "environment: STRIPE_API_KEY="),
        ({"Healthcheck": None}, "health_check", "no HEALTHCHECK"),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"]}}, "health_check", "needs a shell"),
        ({"Healthcheck": {"Test": ["CMD", "other"]}}, "health_check", "runs 'other', the stack file's healthCommand"),
        ({"Labels": None}, "labels", "revision"),
    ],
)
def test_what_an_image_lacks_is_named(change: dict[str, Any], check: str, words: str) -> None:
    image = FakeContents()
    image.config |= change
    found = found_of(image)
    assert list(found) == [check], "and nothing else is"
    assert words in found[check]


@pytest.mark.parametrize(
    ("image", "check", "words"),
    [
        (FakeContents(tmp=0o40755), "volume", "755"),
        (FakeContents(tmp=None), "volume", "none"),
        (FakeContents(ca=None), "ca_file", "no file"),
        (FakeContents(ca=b"hello"), "ca_file", "no certificate"),
        (FakeContents(secretive_paths=["/app/.env"]), "no_secret_files", "/app/.env"),
        (FakeContents(history="ENV DATABASE_PASSWORD=x"), "no_secret_values", "history: DATABASE_PASSWORD=..."),
    ],
)
def test_what_its_files_and_history_lack_is_named(image: FakeContents, check: str, words: str) -> None:
    found = found_of(image)
    assert list(found) == [check]
    assert words in found[check]


def test_the_stack_files_command_stands_above_the_images() -> None:
    shell = FakeContents()
    shell.config["Cmd"] = ["sh", "start.sh"]
    assert found_of(shell, web_command=("gunicorn",)) == {}
    assert "begins with a shell" in found_of(FakeContents(), web_command=("bash", "start.sh"))["command"]


def saved(layers: dict[str, list[tuple[str, bytes]]], pack: Callable[[bytes], bytes] = bytes) -> io.BytesIO:
    """A `docker save` with these layers, each of files with their content."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as outer:
        for name, files in layers.items():
            layer = io.BytesIO()
            with tarfile.open(fileobj=layer, mode="w") as inner:
                for path, content in files:
                    _add(inner, path, content)
            _add(outer, name, pack(layer.getvalue()))
        _add(outer, "manifest.json", b"[]")
    archive.seek(0)
    return archive


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("path", "content", "shown"),
    [
        ("app/.env", b"", ["/app/.env"]),
        ("app/.env.production", b"", ["/app/.env.production"]),
        ("app/.env.example", b"", []),
        ("./app/.git/config", b"", ["/app/.git"]),
        ("root/.ssh/id_ed25519", b"", ["/root/.ssh/id_ed25519"]),
        ("app/certs/server.pem", KEY, ["/app/certs/server.pem"]),
        ("app/certs/ca.pem", b"-----BEGIN CERTIFICATE-----\n", []),
        ("app/keys.py", b'BEGIN = "-----BEGIN PRIVATE KEY-----"', []),
        ("opt/venv/lib/python3.13/site-packages/tests/server.key", KEY, []),
        ("etc/ssl/private/snakeoil.key", KEY, []),
    ],
)
def test_what_looks_like_a_secret_is_found_in_every_layer(
    path: str, content: bytes, shown: list[str], pack: Callable[[bytes], bytes]
) -> None:
    archive = saved({"a/layer.tar": [(path, content)], "b/layer.tar": [("app/manage.py", b"x")]}, pack)
    assert list(contents.secretive(archive)) == shown, "what a later layer removes is still in the image"


def _line(**more: Any) -> str:
    return json.dumps({"message": "m", **more}) + "\n"


APPLIED = {"name": "shop.0001_initial", "undoable": True, "why": ""}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (_line(migrations=[APPLIED]), _line(migrations=[]), ""),
        ("plain words\n" + _line(), _line(migrations=[]), "logged 0 JSON lines"),
        (_line(migrations=[APPLIED]) * 2, _line(migrations=[]), "logged 2 JSON lines"),
        (_line(migrations=[]), _line(migrations=[]), "is an empty list"),
        (_line(migrations=[{"name": "a"}]), _line(migrations=[]), "lacks one of name, undoable, why"),
        (_line(migrations=[APPLIED]), _line(migrations=[APPLIED]), "second run"),
    ],
)
def test_the_migrations_account_of_itself_is_held_to_its_form(first: str, second: str, words: str) -> None:
    runs = [Ended(code=0, stdout=first, stderr=""), Ended(code=0, stdout=second, stderr="")]
    trial: Any = FakeTrial(runs=runs)
    if not words:
        about_migration.account(trial)
        return
    with pytest.raises(MissingError, match=words):
        about_migration.account(trial)


def test_a_migration_that_fails_is_shown_with_its_last_words_and_what_builds_on_it_is_not_judged() -> None:
    trial: Any = FakeTrial(runs=[Ended(code=1, stdout="", stderr="Unknown command: 'migrate_safely'\n")])
    with pytest.raises(MissingError, match=r"(?s)exit code 1.*Unknown command"):
        about_migration.first(trial)
    for check in (about_migration.second, about_migration.login, about_migration.account):
        with pytest.raises(UntriedError, match="see above"):
            check(trial)


def _requirement(check: Callable[[Trial], None], **more: Any) -> Requirement:
    return Requirement(topic="The image", name="it has what it needs", remedy="Add it.", check=check, **more)


def _raise(error: Exception) -> Callable[[Trial], None]:
    def check(_: Trial) -> None:
        raise error

    return check


def test_every_requirement_is_tried_and_told_with_what_to_do() -> None:
    requirements = [
        _requirement(_raise(MissingError("There is none"))),
        _requirement(_raise(UntriedError("it never started"))),
        _requirement(_raise(MissingError("Nothing says so")), advice=True),
        _requirement(lambda _: None),
    ]
    told: list[str] = []
    trial: Any = FakeTrial()
    findings = examine(requirements, trial, told.append)
    assert [finding.verdict for finding in findings] == [Verdict.MISSING, Verdict.UNTRIED, Verdict.ADVICE, Verdict.OK]
    assert [finding.fails for finding in findings] == [True, False, False, False], "advice prevents nothing"
    assert told == [
        "\nThe image",
        "  MISSING  it has what it needs\n           There is none\n           What to do: Add it.",
        "  untried  it has what it needs\n           it never started",
        "  advice   it has what it needs\n           Nothing says so\n           What to do: Add it.",
        "  ok       it has what it needs",
    ]
    assert summary(findings) == "The image does not keep the contract: 1 ok, 1 MISSING, 1 advice, 1 untried."
    assert summary(findings[1:]) == "The image keeps the contract: 1 ok, 1 advice, 1 untried."


def test_every_requirement_says_what_to_do_and_no_two_are_the_same() -> None:
    assert all(requirement.remedy.endswith((".", "]", "`")) for requirement in REQUIREMENTS)
    assert len({requirement.name for requirement in REQUIREMENTS}) == len(REQUIREMENTS)


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [(0, "", ""), (1, "/srv", "no manage.py in the image's working directory, /srv"), (127, "not found", "`python`")],
)
def test_what_operators_need_in_an_image_is_looked_for(code: int, said: str, words: str) -> None:
    web = type("Web", (), {"run": lambda _self, _command: (code, said)})()
    trial: Any = type("OneTrial", (), {"alone": None, "needing": lambda _self, _web: web})()
    (finding,) = examine([about_commands.REQUIREMENTS[1]], trial, lambda _: None)
    assert words in finding.detail
    assert finding.verdict is (Verdict.ADVICE if words else Verdict.OK), "users are served without it"


def test_more_users_than_threads_wait_while_the_database_hangs_and_readiness_may_stand_in_their_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    patience: list[float] = []

    def ask(_: object, paths: list[str], __: object) -> None:
        asked.extend(paths)

    def readiness(*_: object, seconds: float) -> Any:
        patience.append(seconds)
        return type("Answer", (), {"status": 503})

    monkeypatch.setattr(Users, "ask", ask)
    monkeypatch.setattr(about_ends, "asked", readiness)
    monkeypatch.setattr(about_ends, "FILL_SECONDS", 0.0)
    web = type("Web", (), {"get": lambda *_, **__: type("Answer", (), {"status": 200})})()
    monkeypatch.setattr(about_ends, "ready_or_untried", lambda _: web)
    trial: Any = FakeTrial(terms=agreed_terms(serving=Serving(processes=2, threads=3, connections=4)))
    trial.ground = type("Ground", (), {"hanging": lambda _: contextlib.nullcontext()})()
    about_ends.hanging_database(trial)
    assert len(asked) > 2 * 3, "with fewer, a thread would be free for the health path"
    assert patience == [about_ends.QUEUE_SECONDS], "one process may have got most of them, and 5 s each"


def test_containers_are_hardened_as_tasks_are() -> None:
    options = " ".join(container.hardening(memory_mib=512, declares_tmp=True))
    for option in ("--read-only", f"--user {CONTAINER_USER}", "--cap-drop ALL", "no-new-privileges", "--memory 512m"):
        assert option in options
    assert "/tmp" not in options, "Docker makes the volume that the image declares"  # noqa: S108
    undeclared = container.hardening(memory_mib=512, declares_tmp=False)
    assert "/tmp:mode=0755" in undeclared, "on Fargate, an undeclared volume is root's"  # noqa: S108


def test_a_process_that_cannot_start_hardened_is_tried_on_with_all_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a stranger would mend one thing, and only then be told of the next."""
    started: list[list[str]] = []

    def start(*_: object, options: list[str], port: int, **__: object) -> Any:
        started.append(options)
        return FakeContainer(hardened=bool(options), port=port)

    monkeypatch.setattr(container, "start", start)
    agreed = agreed_terms()
    ground: Any = type("Ground", (), {"docker": None})()
    trial = Trial(image="i", terms=agreed, given=Given(terms=agreed, database="d"), ground=ground)
    monkeypatch.setattr(type(trial), "hardening", property(lambda _: ["--read-only"]))
    trial.begin()
    assert started == [["--read-only"]] * 2
    web: Any = trial.alone()
    assert not web.hardened
    assert trial.alone() is web, "each process is started once"
    assert str(trial.unhardened) == "read-only file system"
    assert started[2:] == [[]]
    other: Any = trial.elsewhere()
    assert (other.hardened, other.port) == (False, 18080)


@dataclass
class FakeContainer:
    """A web process that wants to write to its root."""

    hardened: bool
    port: int
    id: str = "c"
    started: float = 0.0

    def await_answer(self, _: float) -> None:
        if self.hardened:
            raise NotStartedError("read-only file system")


def test_what_a_killed_trial_left_is_removed_and_what_another_one_uses_is_not() -> None:
    mine, gone = f"pactum-contract-{os.getpid()}-aa", "pactum-contract-4194305-bb"
    removed: list[str] = []

    def attempt(*words: str, timeout_seconds: float) -> Any:
        del timeout_seconds
        if "rm" in words:
            removed.append(" ".join(words))
        names = [mine, gone, "pactum-contract-by-hand"]
        listed = [name.replace("contract-", "contract:", 1) if words[0] == "image" else name for name in names]
        return type("Done", (), {"stdout": "".join(f"{name} {name}\n" for name in listed)})

    docker: Any = type("Docker", (), {"attempt": staticmethod(attempt)})
    leftovers.remove(docker)
    assert removed == [
        f"container rm --force --volumes {gone}",
        f"network rm {gone}",
        "image rm --force pactum-contract:4194305-bb",
    ], "no process has a number above 4194304"


def test_an_image_that_cannot_be_built_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rehearsal.docker_engine.ensure", lambda _: None)
    monkeypatch.setattr("rehearsal.base_images.provide", lambda *_: None)
    monkeypatch.setattr("rehearsal.contract.leftovers.remove", lambda _: None)
    assert command_line.main(["contract", "--context", str(tmp_path)]) == 1
    assert f"There is no Dockerfile in {tmp_path}." in capsys.readouterr().err
    (tmp_path / "Dockerfile").write_text("ARG PYTHON_IMAGE\n# FROM nothing\n")
    assert command_line.main(["contract", "--context", str(tmp_path)]) == 1
    assert "has no FROM" in capsys.readouterr().err, "the daemon would die of it"
