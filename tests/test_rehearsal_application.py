"""What a rehearsal knows of the application it deploys: its paths, its own checks, an operator's secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.secrets import GIVEN
from rehearsal import __main__ as command_line
from rehearsal import application, configuration, releases, smoke
from rehearsal.balancer_client import BalancerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers import data
from rehearsal.session import Rehearsal
from rehearsal.updater import Updater
from tests.rehearsal_fakes import fake_tools
from tests.shop import ROOT, STACK_FILE

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = {"pactum:imageContext": "shop", "pactum:readinessPath": "/ready"}


def written(root: Path, text: str) -> Path:
    """A project whose context brings these checks."""
    (root / "shop").mkdir()
    (root / "shop/rehearsal_checks.py").write_text(text)
    return root


def test_an_application_brings_its_own_checks_and_pages(tmp_path: Path) -> None:
    root = written(tmp_path, "PATHS = ['/orders/']\ndef check_orders(site): assert 0, site.url\ndef other(): ...")
    found = application.read(root, CONTEXT)
    assert (found.readiness_path, found.pages, list(found.checks)) == ("/ready", ("/orders/",), ["orders"])
    live = smoke.Live(stack="s", url="http://b", release="r", cluster="c", service="w", application=found)
    assert live.users_paths == ["/orders/", "/ready"], "every second request tells the release"
    checks = smoke.checks(fake_tools(), live)
    assert list(checks) == ["page_answers", "readyz_release", "request_id_in_logs", "orders"]
    assert smoke.run({"orders": checks["orders"]}, lambda _: None) == {"orders": "http://b"}, (
        "whatever it raises is what it found, and the others go on"
    )


def test_an_application_without_checks_of_its_own_is_rehearsed_all_the_same(tmp_path: Path) -> None:
    found = application.read(tmp_path, CONTEXT)
    assert (found.readiness_path, found.pages, found.checks) == ("/ready", ("/",), {})


@pytest.mark.parametrize(
    ("text", "words"),
    [("import django", "cannot be loaded: ModuleNotFoundError"), ("PATHS = '/orders/'", "must be a list of paths")],
)
def test_checks_that_cannot_be_used_are_told_before_anything_is_deployed(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RehearsalError, match=words):
        application.read(written(tmp_path, text), CONTEXT)


def test_the_bundled_application_has_its_own() -> None:
    found = Updater(stack="staging").application
    assert set(found.checks) == {"home_page", "browsers_stay_with_https", "agreement_survives_its_task"}
    assert found.pages == ("/", "/agreements/new/")
    ignored = (ROOT / "app_image/.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert "!rehearsal_checks.py" not in ignored, "it belongs to the rehearsal, not to the image"


def test_readiness_is_asked_where_the_application_answers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def get(_: BalancerClient, path: str, **__: Any) -> Any:
        asked.append(path)
        return type("Answer", (), {"status": 200, "body": '{"release": "r"}'})()

    monkeypatch.setattr(BalancerClient, "get", get)
    shop = application.Application(readiness_path="/ready")
    live = smoke.Live(stack="s", url="http://b", release="r", cluster="c", service="w", application=shop)
    smoke.readyz_release(Place(), live)
    assert releases.serves(Place(), live, "r", within_seconds=1)
    assert smoke._answers(Place(), live)
    assert asked == ["/ready"] * 3


def test_a_stack_file_may_be_elsewhere_and_settings_stand_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Rehearsal] = []

    def enter(rehearsal: Rehearsal) -> None:
        made.append(rehearsal)
        raise RehearsalError("far enough")

    monkeypatch.setattr(Rehearsal, "__enter__", enter)
    monkeypatch.setattr(Rehearsal, "__exit__", lambda *_: None)
    monkeypatch.setenv("REHEARSAL_GATEWAY_PORT", "1")
    words = ["shop", "--config-file", str(STACK_FILE), "--set", "pactum:port=9001"]
    assert command_line.main(words) == 1
    (rehearsal,) = made
    values = rehearsal._configuration(None).values
    assert (values["pactum:readinessPath"], values["pactum:port"]) == ("/ready", "9001")
    assert rehearsal.stack == "shop"


def test_without_a_file_the_stacks_there_are_are_told(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match=r"nowhere\.yaml does not exist"):
        configuration.load(ROOT, "shop", config_file=tmp_path / "nowhere.yaml")


class _SecretsManager:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def create_secret(self, *, Name: str, **_: Any) -> dict[str, str]:  # noqa: N803 - boto3's name
        return {"ARN": f"arn:{Name}"}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803 - boto3's names
        self.values[SecretId] = SecretString


@pytest.mark.parametrize("given", ["", "of-an-operator"])
def test_a_secret_that_only_a_person_knows_gets_a_value_and_the_report_says_whence(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("REHEARSAL_SECRET_PAYMENT_API_KEY", given)
    manager, tools = _SecretsManager(), fake_tools()
    monkeypatch.setattr(type(tools), "client", lambda *_: manager)
    create = data.DATA["aws:secretsmanager/secret:Secret"].create
    create(tools, "key", {"name": "own", "tags": {"pactum:stack": "s", "pactum:secret": f"{GIVEN}PAYMENT_API_KEY"}})
    create(tools, "key", {"name": "ours", "tags": {"pactum:stack": "s", "pactum:secret": "secret-key"}})
    assert list(manager.values) == ["arn:own"], "ours are for `ops seed` to make up"
    assert (manager.values["arn:own"] == given) == bool(given)
    assert len(manager.values["arn:own"]) > 10
    source = "REHEARSAL_SECRET_PAYMENT_API_KEY" if given else "made up"
    assert tools.operator_values == {"PAYMENT_API_KEY": source}
