"""The repository's own stack files: the program takes them as they are, whatever a team has written."""

from __future__ import annotations

import pulumi
import pytest
import yaml

from infra.guardrails.program import GuardrailError
from stacks import application
from stacks.bootstrap import account
from tests.recorder import DIGEST, ROOT, as_engine, record
from tests.shipped import PLACEHOLDER, defaults, stack_file, written

BOOTSTRAP = ROOT / "stacks" / "bootstrap"
OWN = {path.name.split(".")[1]: path for path in ROOT.glob("Pulumi.*.yaml")} | {
    "account": BOOTSTRAP / "Pulumi.account.yaml"
}


def own(stack: str) -> dict[str, object]:
    """What the engine reads of the project and of the stack's own file, before a release is chosen."""
    given: dict[str, object] = yaml.safe_load(OWN[stack].read_text())["config"]
    return defaults(OWN[stack].parent) | given


@pytest.mark.parametrize("stack", sorted(OWN))
def test_the_program_takes_the_repositorys_own_stack_file(stack: str) -> None:
    values = own(stack)
    if stack == "account":
        pulumi.runtime.set_all_config(as_engine(values))
        recorder = record(account.deploy, project="pactum-bootstrap", stack=stack)
    else:
        pulumi.runtime.set_all_config(as_engine(values | {"pactum:imageDigest": DIGEST}))
        recorder = record(application.deploy, stack=stack)
    if isinstance(recorder.error, (pulumi.RunError, GuardrailError)):
        pytest.fail(f"{OWN[stack].name} is refused, and so would be every preview: {recorder.error}")
    assert recorder.error is None


@pytest.mark.parametrize("stack", ["account", "prod", "staging"])
def test_what_is_shipped_is_what_tests_run_on(stack: str) -> None:
    values = yaml.safe_load(OWN[stack].read_text())["config"]
    if values["aws:allowedAccountIds"] != [PLACEHOLDER]:
        pytest.skip(f"{OWN[stack].name} is a team's own: it names an account")
    assert values == written(stack), f"copy {OWN[stack].name} to {stack_file(stack)}: tests run on the copy"
