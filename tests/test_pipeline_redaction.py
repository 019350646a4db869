"""No secret in a comment: canaries of every kind are put in, and none comes out; what is no secret stays."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from ops.pipeline.redaction import HIDDEN, redact

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
)


@pytest.mark.parametrize("name", ["SECRET_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "PULUMI_CONFIG_PASSPHRASE", "X_API_KEY"])
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
        "[urn=urn:pulumi:staging::pactum::aws:secretsmanager/secret:Secret::pactum-staging-secret-key]",
        "https://github.com/o/n/actions/runs/1",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert (
        redact(line, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token", "SHORT_TOKEN": "16", "AWS_REGION": "us-east-1"})
        == line
    )
