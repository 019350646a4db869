"""The command line: what it says before acting, and one message with one exit code for whatever goes wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3.session
import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from ops import interruption
from ops.__main__ import COMMANDS, main
from ops.aws import Aws
from tests.ops_fakes.account import Refused
from tests.ops_fakes.world import World, run_ops

ROOT = Path(__file__).parents[1]


def ops(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own, with no credentials but the ones given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OPS_", "PACTUM_"))}
    nowhere = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "ops", *arguments],
        cwd=ROOT,
        env={**clean, **nowhere, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_missing_credentials_are_one_message_that_says_what_to_do() -> None:
    ran = ops("verify", "--stack", "staging", AWS_REGION="us-east-1")
    assert ran.returncode == 2
    assert "ops verify: no usable AWS credentials" in ran.stderr
    assert "aws sso login" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_ops_never_loads_pulumi() -> None:
    """It must work when the state is locked or lost, and where only boto3 is installed."""
    probe = "import ops.__main__, sys; print([m for m in sys.modules if m.partition('.')[0] in ('pulumi', 'infra')])"
    ran = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself_and_its_exit_codes(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    name = getattr(command, "name", "")
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--stack STACK" in told
    assert "Exit codes" in told


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("seed",),
        ("seed", "--stak", "staging"),
        ("verify", "--stack", "staging", "--timeout", "0"),
        ("verify", "--stack", "staging", "--minimum", "-1"),
        ("migrate", "--stack", "staging", "--timeout", "1m"),
        ("destroy", "--stack", "staging"),
    ],
)
def test_a_mistyped_command_line_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_stack_name_that_cannot_be_one_is_refused_before_aws_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    seen = run_ops(world, capsys, "seed", "--stack", "Prod/..")
    assert seen.code == 2
    assert "'Prod/..'" in seen.err
    assert not world.calls


def test_account_region_and_stack_are_named_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    seen = run_ops(
        world, capsys, "migrate", "--stack", "staging", environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4666"}
    )
    for fact in ("account 123456789012", "region us-east-1", "stack staging", "at http://127.0.0.1:4666"):
        assert fact in seen.out
    assert world.calls[0][0] == "GetCallerIdentity"


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (NoCredentialsError(), 2, "aws sso login"),
        (NoRegionError(), 2, "Set AWS_REGION=us-east-1, as `aws:region` in Pulumi.yaml says, or `region`"),
        (ProfileNotFound(profile="nobody"), 2, "AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="https://sts"), 2, "AWS_ENDPOINT_URL"),
        (ConnectTimeoutError(endpoint_url="https://sts"), 2, "HTTPS_PROXY"),
        (Refused("ExpiredToken", "The security token is expired"), 2, "aws sso login"),
        (Refused("AccessDenied", "not authorized"), 2, "permission for GetCallerIdentity"),
        (Refused("ThrottlingException", "Rate exceeded"), 2, "Wait a minute"),
        (Refused("ServiceUnavailable", "try later"), 1, "ServiceUnavailable: try later"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_whatever_goes_wrong_is_one_message_and_one_exit_code(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise raised

    seen = run_ops(World(before={"GetCallerIdentity": fail}), capsys, "seed", "--stack", "staging")
    assert seen.code == code
    assert seen.err.startswith("ops seed: ")
    assert said in seen.err


def test_no_region_is_noticed_before_a_request_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    def regionless() -> Aws:
        return Aws(boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test"))

    assert main(["seed", "--stack", "staging"], environment={}, connect=regionless) == 2
    assert "AWS_REGION" in capsys.readouterr().err


def test_a_defect_of_ours_is_not_dressed_up_as_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    def defect() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_ops(World(before={"GetCallerIdentity": defect}), capsys, "seed", "--stack", "staging")


CTRL_C_WHILE_IT_IMPORTS = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, *_):
        if name == "botocore":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
runpy.run_module("ops", run_name="__main__", alter_sys=True)
"""


def test_ctrl_c_while_it_still_imports_shows_no_traceback() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CTRL_C_WHILE_IT_IMPORTS, "status", "--stack", "staging"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (130, "ops: interrupted\n")


def test_ctrl_c_once_a_command_has_begun_is_the_commands_own() -> None:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interruption.ends_at_once()
        early = signal.getsignal(signal.SIGINT)
        main(["seed", "--stack", "Prod/.."], environment={}, connect=Aws)
        assert early is not signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "it has tasks to stop, a claim to end"
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        interruption.ends_at_once()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "a job in the background is not for Ctrl-C to end"
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_ends_the_command_with_a_message_and_143() -> None:
    """Sent while it waits for an endpoint that never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(20)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "ops", "seed", "--stack", "staging"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                connection, _ = silent.accept()
                with connection:
                    process.send_signal(signal.SIGTERM)
                    _, said = process.communicate(timeout=20)
            finally:
                process.kill()
    assert process.returncode == 143
    assert said == "ops seed: ended by SIGTERM\n"
