"""No secret in a comment: canaries of every kind are put in, and none comes out; what is no secret stays."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from ops.pipeline.redaction import Redaction, redact
from ops.pipeline.secret_values import HIDDEN

CANARY = "canary/4f9c+2d81"
SHAPES = {
    "AWS access key": "AKIAIOSFODNN7CANARY1",
    "temporary AWS key": "ASIAIOSFODNN7CANARY1",
    "GitHub token": "ghs_0123456789abcdefghijCANARY",
    "GitHub fine-grained token": "github_pat_11ABCDEFG0123456789_canary",
    "GitLab token": "glpat-0123456789abcCANARY",
    "GitLab deploy token": "gldt-0123456789abcCANARY",
    "Slack token": "xoxb-123456789012-canary",
    "Slack webhook": "https://hooks.slack.com/services/T000/B000/canary",
    "Pulumi token": f"pul-{'c0' * 20}",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.c2lnbmF0dXJl",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----",
    "private key that was cut off": "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\nmore",
}
NAMED = (
    "password=canary-1",
    "DATABASE_PASSWORD: canary-1",
    '"password": "canary 1 with spaces"',
    "PULUMI_CONFIG_PASSPHRASE=canary-1",
    "export SECRET_KEY='canary-1'",
    "api_key = canary-1",
    "client_secret: canary-1",
    '~ password: "canary-1" => "canary-2"',
    "Authorization: Bearer canary-1",
    "https://canary-1:canary-2@git.example.com/x",
    "postgres://:canary-2@db/x",
    "postgres://app:first@canary-2@db/x",
    "SECRET_KEY=k!3^x&canary(_+",
    "SECRET_KEY was django-insecure-canary)x",
    r'"{\"password\":\"canary 1\",\"x\":1}"',
    r'password="a\"canary"',
    'secretString: "canary-1"',
    "ALTER ROLE app PASSWORD 'canary-1'",
    "app --port 1 --db-password canary-1",
    '{"name": "SECRET_KEY", "value": "canary-1"}',
    '~ name : "DB_PASSWORD"\n~   value: "canary-1" => "canary-2"',
    r"[{\"name\":\"API_TOKEN\",\"value\":\"canary-1\"}]",
    '~ password: [secret] => "canary-1"',
    '~ dbPassword: output<string> => "canary-1"',
    '  name : "FIELD_ENCRYPTION_KEY"\n  value: "canary-1"',
    "FERNET_KEY=canary-1",
    "SECRET_KEY_FALLBACKS=canary-1",
    'tokens: ["canary-1", "canary-2"]',
    "private_key: canary-1",
    "DefaultEndpointsProtocol=https;AccountKey=canary-1==",
    "https://b.s3.amazonaws.com/?X-Amz-Signature=canary-1",
    '"auth": "Y2FuYXJ5canary"',
    "password=[canary-1",
    "password=<canary-1",
    "password=canary-1,canary-2",
    'password="canary-1 that was not',
    "password: |\n    canary-1\n\n    canary-2",
    "+   password: >-\n+     canary-1",
    "postgres://u:first/canary@db/x",
    "pass\u200bword: canary-1",
    f"{'very.long.' * 30}password=canary-1",
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something with texts in it."""

    name: str
    kept: str = ""
    inner: tuple[Found | None, ...] = ()


@pytest.mark.parametrize(
    "name",
    [
        *("FIELD_ENCRYPTION_KEY", "FERNET_KEY", "DB_PWD", "SECRET_KEY", "X_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD"),
        "PULUMI_CONFIG_PASSPHRASE",
    ],
)
@pytest.mark.parametrize(
    "written",
    [str, lambda value: json.dumps(value)[1:-1], lambda value: quote(value, safe=""), lambda value: value[::1]],
)
def test_a_secret_variable_of_the_job_is_hidden_however_it_was_written(name: str, written: object) -> None:
    assert callable(written)
    said = redact(f"the engine said {written(CANARY)}!", {name: CANARY})
    assert said == f"the engine said {HIDDEN}!"


def test_a_secret_in_base64_is_hidden() -> None:
    encoded = base64.b64encode(CANARY.encode()).decode()
    assert encoded.rstrip("=") not in redact(f"x {encoded} y", {"MY_TOKEN": CANARY})


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_a_secret_within_something_longer_in_base64_is_hidden(before: str) -> None:
    around = f"{before}, and more"
    said = redact(base64.b64encode(f"{before}{CANARY}, and more".encode()).decode(), {"MY_TOKEN": CANARY})
    assert HIDDEN in said, "a login is in it as `user:token`"
    assert len(said.replace(HIDDEN, "")) <= len(base64.b64encode(around.encode())) + 4, "half of it is still there"


def test_a_password_in_the_address_that_a_variable_holds_is_hidden_alone_too() -> None:
    environment = {"DATABASE_URL": "postgres://pactum:canary%2F1@db/pactum"}
    assert redact("it is canary%2F1, or canary/1", environment) == f"it is {HIDDEN}, or {HIDDEN}"


def test_a_secret_that_was_coloured_is_hidden() -> None:
    assert redact("ghs_CAN\x1b[31mARY-1\u200b2", {"MY_TOKEN": "ghs_CANARY-12"}) == HIDDEN


def test_a_key_without_its_end_hides_nothing_that_is_no_key() -> None:
    text = "- -----BEGIN PRIVATE KEY-----\nMIIcanary\n+ canary\n[id=x]\ndelete `database`"
    assert redact(text, {}) == f"- {HIDDEN}\n[id=x]\ndelete `database`"


def test_what_is_behind_a_block_of_lines_stays() -> None:
    assert redact("a:\n  password: |\n    canary\n  port: 1", {}) == f"a:\n  password: {HIDDEN}\n  port: 1"


def test_everything_in_what_was_found_is_searched_but_what_is_kept() -> None:
    found = Found(name="password=canary", kept="password=canary", inner=(Found(name=CANARY), None))
    shown = Redaction({"MY_TOKEN": CANARY}).inside(found, frozenset({"kept"}))
    assert shown == Found(name=f"password={HIDDEN}", kept="password=canary", inner=(Found(name=HIDDEN), None))


def test_each_line_of_a_secret_is_hidden() -> None:
    assert "second-canary" not in redact("only second-canary", {"MY_SECRET": "first-canary\nsecond-canary\n"})


@pytest.mark.parametrize("kind", SHAPES)
def test_what_has_the_shape_of_a_secret_is_hidden(kind: str) -> None:
    said = redact(f"before {SHAPES[kind]} after", {})
    assert "canary" not in said.lower(), kind
    assert HIDDEN in said
    assert SHAPES[kind] not in said


@pytest.mark.parametrize("line", NAMED)
def test_what_is_called_a_secret_is_hidden(line: str) -> None:
    said = redact(line, {})
    assert "canary" not in said
    assert HIDDEN in said


@pytest.mark.parametrize(
    "line",
    [
        '~ cidrBlock: "10.20.0.0/16" => "10.9.0.0/16"',
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:pactum/staging/SECRET_KEY-AbCdEf",
        "password: [secret]",
        '{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/x"}',
        '{"name": "PORT", "value": "8000"}',
        "Password reset: the page says 'sent'",
        "[urn=urn:pulumi:staging::pactum::aws:secretsmanager/secret:Secret::pactum-staging-secret-key]",
        "https://github.com/o/n/actions/runs/1",
        "https://registry.example.com:443/@scope/package",
        '~ hashKey : "stack"',
        '+ key: "Name"',
        "~ manageMasterUserPassword: true => false",
        "password: [unknown]",
        '"password": {"minimum": 8}',
        "+ aws:kms/key:Key: (create)",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert (
        redact(line, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token", "SHORT_TOKEN": "16", "AWS_REGION": "us-east-1"})
        == line
    )


@pytest.mark.parametrize(
    ("before", "word"),
    [
        *(("", word) for word in ("a-b_c.", "a.", "a-", "\\", "secret-", "x-key", "eyJ-", "a://:", "http://a:", "\n ")),
        *(("", word) for word in ("name: ", 'name: "password"' + " " * 50, 'password="', "token=[", "password: |\n ")),
        *(("", word) for word in ("-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- \n+ \n ")),
        *(('password=\\"', word) for word in ("\\", "x ")),
        *(("-----BEGIN PRIVATE KEY-----", word) for word in ("\n ", "\n+", "A\n", "\\n ")),
    ],
)
def test_a_text_that_was_made_to_keep_it_busy_does_not(before: str, word: str) -> None:
    began = time.process_time()
    redact(before + word * (200_000 // len(word)), {})
    assert time.process_time() - began < 5, "a pull request could hold its job for hours"
