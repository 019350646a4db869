"""infra/account_settings.py: region, account and tags - and no credentials in a stack file."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import botocore.session
import pytest

from infra.account_settings import CREDENTIALS, PROVIDER_KEYS
from infra.aws_rules import REGION, REGIONS, zone_letters
from tests.test_settings import refusal, settings

READ_HERE = {"aws:region", "aws:allowedAccountIds", "aws:defaultTags"}


@pytest.mark.parametrize("provider", ["aws", "docker"])
def test_every_key_of_a_provider_is_known_for_what_it_is(provider: str) -> None:
    """A provider that learns a key must not be refused it for a misspelling; a credential must not slip in."""
    spec = find_spec(f"pulumi_{provider}")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "config" / "vars.py").read_text()
    declared = {f"{provider}:{key}" for key in re.findall(r"__config__\.get\w*\('(\w+)'\)", source)}
    ours = {key for key in PROVIDER_KEYS | READ_HERE | set(CREDENTIALS) if key.startswith(f"{provider}:")}
    assert ours == declared


def test_the_regions_are_amazons() -> None:
    assert set(botocore.session.get_session().get_available_regions("ec2")) == REGIONS
    assert all(re.fullmatch(REGION, region) for region in REGIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"aws:region": "us-esat-1"},
            (
                "aws:region = us-esat-1\n      is no region that this program knows.\n"
                "      Choose one such as us-west-1, us-east-1 or us-west-2."
            ),
        ),
        ({"aws:region": "virginia"}, "aws:region = virginia\n      has the wrong form."),
        (
            {"zones": ["a", "g"]},
            'pactum:zones = ["a", "g"]\n      must be two or three different zone letters.',
        ),
        (
            {"aws:region": "eu-west-1", "zones": ["a", "d"]},
            'pactum:zones = ["a", "d"]\n      has d, which eu-west-1 has not.\n      Choose among a, b or c.',
        ),
        (
            {"aws:defaultTags": {"tag": {"project": "pactum"}}},
            (
                "aws:defaultTags\n      holds 'tag', which the provider does not know: nothing would be tagged.\n"
                "      Write { tags: { project: ..., stack: ... } }."
            ),
        ),
        ({"aws:defaultTags": ["project"]}, 'aws:defaultTags = ["project"]\n      is not a mapping.'),
        ({"aws:defaultTags": {"tags": {"cost": 12}}}, "aws:defaultTags\n      holds tags that are no texts."),
        ({"aws:defaultTags": {"tags": None}}, "aws:defaultTags\n      holds tags that are no texts."),
        (
            {"aws:defaultTags": {"tags": {"aws:mine": "x"}}},
            "aws:defaultTags\n      holds the tag 'aws:mine', which AWS does not take with its value.",
        ),
        ({"aws:defaultTags": {"tags": {"team": "a" * 257}}}, "holds the tag 'team', which AWS does not take"),
        ({"aws:defaultTags": {"tags": {f"t{n}": "" for n in range(41)}}}, "holds 41 tags, more than 40."),
        (
            {"aws:allowedAccountIds": "123456789012"},
            "aws:allowedAccountIds = 123456789012\n      is not a list of texts",
        ),
        ({"aws:allowedAccountIds": [123456789012]}, "is not a list of texts."),
        ({"aws:allowedAccountIds": ["123456789012", "210987654321"]}, "must name the one account this stack lives in."),
        ({"aws:allowedAccountIds": ["\u0661" * 12]}, "must name the one account this stack lives in."),
    ],
)
def test_what_providers_would_be_told_wrongly_is_refused(change: dict[str, object], message: str) -> None:
    told = refusal(**change)
    assert message in told
    assert told.startswith("1 problem in") or "repositoryUrl" in told, "one mistake, one problem"


@pytest.mark.parametrize("key", CREDENTIALS)
def test_a_credential_in_a_stack_file_is_refused_and_not_repeated(key: str) -> None:
    told = refusal(**{key: "hunter2hunter2"})
    assert f"{key}\n      is a credential; it would stand in the stack file and in Pulumi's state." in told
    assert "replace it at its origin" in told, "it may have been committed"
    assert "hunter2" not in told
    assert told.startswith("1 problem in")


def test_how_a_provider_reaches_aws_may_be_said() -> None:
    settings(**{"aws:profile": "pactum", "aws:maxRetries": 5, "docker:host": "ssh://builder"})  # type: ignore[arg-type]


def test_an_outpost_of_letters_is_no_zone() -> None:
    assert zone_letters("us-east-1") == "abcdef"
    assert zone_letters("") == "abcdef", "a region that was refused is not refused again by its zones"


@pytest.mark.parametrize(
    ("region", "zones", "words"),
    [
        ("ap-northeast-1", ["a", "b"], "has b, which ap-northeast-1 has not.\n      Choose among a, c or d."),
        ("ca-central-1", ["a", "b", "c"], "has c, which ca-central-1 has not.\n      Choose among a, b or d."),
        ("eu-central-1", ["d", "e"], "has d and e, which eu-central-1 has not."),
        ("us-west-1", ["a", "b", "c"], "are three; an account has two zones in us-west-1."),
        ("ap-northeast-1", ["a", "c", "d"], ""),
        ("ca-central-1", ["b", "d"], ""),
        ("us-west-1", ["a", "c"], ""),
        ("us-west-2", ["a", "c", "d"], ""),
    ],
)
def test_zones_are_those_of_the_region(region: str, zones: list[str], words: str) -> None:
    image = f"123456789012.dkr.ecr.{region}.amazonaws.com/pactum"
    changes: dict[str, object] = {"aws:region": region, "zones": zones, "repositoryUrl": image}
    if words:
        assert f"pactum:zones = {json.dumps(zones)}\n      {words}" in refusal(**changes)
    else:
        assert settings(**changes).network.zones == tuple(region + letter for letter in zones)  # type: ignore[arg-type]
