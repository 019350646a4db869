"""Where a stack's state is: whoever says it first is believed, and every kind of address is read or refused by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.state_backend import Bucket, Directory, find_backend
from tests.ops_fakes.account import ACCOUNT
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World

if TYPE_CHECKING:
    from pathlib import Path


def home(tmp_path: Path, text: str | None = None) -> dict[str, str]:
    """A person's ~/.pulumi."""
    if text is not None:
        (tmp_path / "credentials.json").write_text(text)
    return {"PULUMI_HOME": str(tmp_path)}


def logged_in(tmp_path: Path, url: str) -> dict[str, str]:
    return home(tmp_path, json.dumps({"current": url, "accessTokens": {url: ""}}))


def test_whoever_says_it_first_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is the CLI's own; another would show the lock of another state."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.yaml").write_text("name: pactum\nbackend: {url: 's3://of-project'}\n")
    environment = {**logged_in(tmp_path, "s3://of-login"), "PULUMI_BACKEND_URL": "s3://of-environment"}
    found = []
    for given, forget in (("s3://given", ""), (None, ""), (None, "PULUMI_BACKEND_URL"), (None, "Pulumi.yaml")):
        environment.pop(forget, None)
        if forget == "Pulumi.yaml":
            (tmp_path / "Pulumi.yaml").write_text("name: pactum\nbackend: {}\n")
        found.append(find_backend(context_of(World(), environment), given))
    assert [each.url for each in found] == ["s3://given", "s3://of-environment", "s3://of-project", "s3://of-login"]
    assert found[-1].source == f"`pulumi login`, in {tmp_path / 'credentials.json'}"


@pytest.mark.parametrize("text", [None, "{}", '{"current": null}', "[]"])
def test_where_nobody_logged_in_it_is_the_accounts_bucket(text: str | None, tmp_path: Path) -> None:
    backend = find_backend(context_of(World(), home(tmp_path, text)), None)
    assert backend.url == f"s3://pactum-state-{ACCOUNT}?region=us-east-1&awssdk=v2", "as stacks/bootstrap makes it"
    assert "nobody" in backend.source


def test_credentials_kept_elsewhere_are_found(tmp_path: Path) -> None:
    elsewhere = {
        **logged_in(tmp_path, "s3://there"),
        "PULUMI_HOME": "/nowhere",
        "PULUMI_CREDENTIALS_PATH": str(tmp_path),
    }
    assert find_backend(context_of(World(), elsewhere), None).url == "s3://there"


def test_a_login_that_cannot_be_read_is_told_rather_than_passed_over(tmp_path: Path) -> None:
    """Else the account's bucket would be looked at, and found free."""
    with pytest.raises(CannotAct, match="where `pulumi login` keeps which backend is in use"):
        find_backend(context_of(World(), home(tmp_path, "{")), None)


def test_a_bucket_has_its_folder_and_its_region(tmp_path: Path) -> None:
    url = "s3://bucket/team/a?region=eu-west-1&awssdk=v2&endpoint=https://minio.example:9000"
    files = find_backend(context_of(World(), home(tmp_path)), url).files
    assert isinstance(files, Bucket)
    assert (files.name, files.folder) == ("bucket", "team/a/")
    assert files.s3.meta.region_name == "eu-west-1"
    assert files.s3.meta.endpoint_url == "https://minio.example:9000"


def test_the_keys_of_a_folder_are_told_without_it(tmp_path: Path) -> None:
    world = World()
    world.objects = {("bucket", "team/.pulumi/x/1"): b"one", ("bucket", ".pulumi/x/2"): b"two"}
    files = find_backend(context_of(world, home(tmp_path)), "s3://bucket/team").files
    assert files.keys(".pulumi/x/") == [".pulumi/x/1"]
    assert (files.read(".pulumi/x/1"), files.read(".pulumi/x/2")) == (b"one", None)
    files.delete(".pulumi/x/1")
    assert list(world.objects) == [("bucket", ".pulumi/x/2")]


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("file:///srv/state", "/srv/state"),
        ("file://~", "HOME"),
        ("file://~/s?no_tmp_dir=true", "HOME/s"),
        ("file://.", "CWD"),
    ],
)
def test_a_directory_is_found_as_the_cli_finds_it(
    url: str, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    files = find_backend(context_of(World()), url).files
    assert isinstance(files, Directory)
    assert str(files.root) == root.replace("HOME", str(tmp_path / "home")).replace("CWD", str(tmp_path))


def test_a_directorys_attribute_files_are_no_files_of_it_and_go_with_theirs(tmp_path: Path) -> None:
    """The CLI writes them beside what it writes, and never counts one as a lock."""
    locks = tmp_path / "locks"
    (locks / "deeper").mkdir(parents=True)
    for name in ("1.json", "1.json.attrs", "2.json"):
        (locks / name).write_text("{}")
    files = Directory(root=tmp_path)
    assert files.keys("locks/") == ["locks/1.json", "locks/2.json"]
    files.delete("locks/1.json")
    files.delete("locks/1.json")
    assert sorted(path.name for path in locks.iterdir()) == ["2.json", "deeper"]
    assert files.keys("none/") == []
    assert files.read("none") is None


def test_what_this_machine_does_not_let_be_read_or_deleted_is_told(tmp_path: Path) -> None:
    (tmp_path / "a-directory").mkdir()
    files = Directory(root=tmp_path)
    with pytest.raises(CannotAct, match=r"a-directory cannot be read: .*Nothing was changed"):
        files.read("a-directory")
    with pytest.raises(CannotAct, match="a-directory cannot be deleted"):
        files.delete("a-directory")


def test_a_bucket_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    """As where nobody has logged in, and the account's bucket was never made."""
    files = find_backend(context_of(World(no_bucket=True), home(tmp_path)), None).files
    with pytest.raises(CannotAct, match=rf"there is no bucket pactum-state-{ACCOUNT}"):
        files.keys(".pulumi/")


@pytest.mark.parametrize("url", ["https://api.pulumi.com", "azblob://x", "gs://x", "s3:///no-bucket", "nonsense"])
def test_another_kind_of_backend_is_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(CannotAct, match=r"reads s3:// and file:// only(.|\n)*`pulumi cancel --stack staging`"):
        find_backend(context_of(World()), url)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(CannotAct) as refused:
        find_backend(context_of(World()), "postgres://user:hunter2@db.example/state")
    assert "hunter2" not in str(refused.value)
    assert "postgres://db.example" in str(refused.value)
