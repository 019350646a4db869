"""The verdict of an update is told of every worker, and of the exact revision it must run."""

from __future__ import annotations

import re

from tests.deployed import deployed

WORKER = {"command": ["python", "worker.py"]}


def verify(**workers: object) -> str:
    recorder = deployed(workers=workers)
    assert recorder.error is None
    commands = [str(arguments["command"]) for _, arguments in recorder.calls if "command" in arguments]
    (command,) = (text for text in commands if " -m ops verify " in text)
    return command


def test_each_worker_is_named_with_the_revision_of_this_update() -> None:
    named = re.findall(r"--worker (\S+)", verify(mail=WORKER, index=WORKER))
    assert [text.partition("=")[0] for text in named] == ["index", "mail"]
    for text in named:
        process, _, arn = text.partition("=")
        assert re.fullmatch(rf"arn:aws:ecs:\S+pactum-staging-{process}", arn), "the worker's own task definition"


def test_a_stack_without_workers_names_none() -> None:
    assert "--worker" not in verify()
