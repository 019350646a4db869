"""What the roles of the recorded programs may do, decided by the emulator's evaluator of policies."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi

from stacks import application
from stacks.bootstrap import account
from tests.recorder import ACCOUNT, IN_SLACK, REGION, ROOT, Recorder, as_engine, computed, configure, record
from tests.shipped import defaults, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTERPRETER = ROOT / ".venv-emulator" / "bin" / "python"
PROGRAM = ROOT / "tests" / "emulator" / "evaluate_policies.py"
PIPELINES = {
    "githubRepository": "example/pactum",
    "gitlabProject": "example/pactum",
    "jenkinsIssuer": "https://jenkins.example.com/oidc",
    "jenkinsJob": "https://jenkins.example.com/job/pactum",
}


@dataclass(frozen=True)
class Role:
    """A role as the program makes it: its own documents, its boundary, and whom it trusts."""

    name: str
    trust: dict[str, Any]
    policies: list[dict[str, Any]]
    boundary: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: an action on a resource, and the condition keys that AWS would give with it."""

    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


def bootstrap_config(**changes: object) -> dict[str, str]:
    """What the engine hands to the bootstrap program: defaults, the account's file, then `changes`."""
    values = defaults(ROOT / "stacks" / "bootstrap") | written("account")
    return as_engine(values | {key if ":" in key else f"pactum-bootstrap:{key}": changes[key] for key in changes})


def bootstrapped(**changes: object) -> Recorder:
    """The bootstrap program, run with every kind of pipeline."""
    pulumi.runtime.set_all_config(bootstrap_config(**{**PIPELINES, **changes}))
    return record(account.deploy, project="pactum-bootstrap", stack="account")


@functools.cache
def account_roles() -> dict[str, Role]:
    """The pipelines' roles by name."""
    recorder = bootstrapped()
    assert recorder.error is None, recorder.error
    return roles(recorder)


@functools.cache
def stack_roles(stack: str) -> dict[str, Role]:
    """The roles of the application's stack by their logical names, media bucket and a channel included."""
    configure(stack, mediaBucket=True, flowLogs=True, **IN_SLACK)
    recorder = record(application.deploy, stack=stack)
    assert recorder.error is None, recorder.error
    return roles(recorder)


@functools.cache
def boundaries() -> dict[str, dict[str, Any]]:
    """The boundaries that bootstrap makes, by ARN."""
    found = bootstrapped().of_type("aws:iam/policy:Policy")
    return {f"arn:aws:iam::{ACCOUNT}:policy/{each.name}": json.loads(each.inputs["policy"]) for each in found}


SUFFIX = "0a1b2c3"
# The recorder answers every ARN in one form; policies are decided about ARNs as AWS writes them.
REAL_ARNS = {
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}",
    "aws:ecs/cluster:Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{{name}}",
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "aws:kms/key:Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{name}}",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{bucket}",
    "aws:scheduler/scheduleGroup:ScheduleGroup": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{{name}}",
    "aws:secretsmanager/secret:Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{{namePrefix}}0a1b2c",
    "aws:sqs/queue:Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
}


def with_real_arns(recorder: Recorder, document: str) -> dict[str, Any]:
    """A recorded policy document with ARNs in AWS's form, and with the names that the provider makes up."""
    for each in recorder.resources:
        if each.type in REAL_ARNS:
            names = {key: value for key, value in each.inputs.items() if isinstance(value, str)}
            auto_named = f"{each.name}-{SUFFIX}"
            real = REAL_ARNS[each.type].format_map({"name": auto_named, "bucket": auto_named, **names})
            document = re.sub(rf"{re.escape(computed(each.type, each.name)['arn'])}(?![\w-])", real, document)
    return dict(json.loads(document))


def roles(recorder: Recorder) -> dict[str, Role]:
    """All roles with what is attached to them."""
    managed = {
        f"arn:aws:iam:{REGION}:{ACCOUNT}:{each.name}": each for each in recorder.of_type("aws:iam/policy:Policy")
    }
    made: dict[str, Role] = {}
    for role in recorder.of_type("aws:iam/role:Role"):
        inline = [
            with_real_arns(recorder, each.inputs["policy"])
            for each in recorder.of_type("aws:iam/rolePolicy:RolePolicy")
            if each.inputs["role"] == f"{role.name}-id"
        ]
        attached = [
            json.loads(managed[each.inputs["policyArn"]].inputs["policy"])
            for each in recorder.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
            if each.inputs["role"] == role.name
        ]
        made[role.name] = Role(
            name=role.name,
            trust=with_real_arns(recorder, role.inputs["assumeRolePolicy"]),
            policies=[*inline, *attached],
            boundary=role.inputs.get("permissionsBoundary", ""),
        )
    return made


def allowed(role: Role, requests: Sequence[Request], *, bounded: bool = True) -> list[bool]:
    """Whether the role may do each of these, within its boundary."""
    layers = [role.policies]
    if role.boundary and bounded:
        layers.append([boundaries()[role.boundary]])
    principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/session"
    return _decide([{**asdict(request), "principal": principal, "layers": layers} for request in requests])


def trusted(role: Role, principals: Sequence[tuple[str, Mapping[str, str]]], action: str) -> list[bool]:
    """Whether the role takes each of these: a provider's ARN or a service, with the condition keys of its token."""
    questions = [
        {"trust": role.trust, "principal": arn, "action": action, "resource": "*", "context": context}
        for arn, context in principals
    ]
    return _decide(questions)


def _decide(questions: Sequence[Mapping[str, Any]]) -> list[bool]:
    assert INTERPRETER.exists(), f"{INTERPRETER} is not there; `make .venv-emulator/.installed` makes it"
    asked = json.dumps(questions, default=dict)
    done = subprocess.run([INTERPRETER, PROGRAM], input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(map(bool, json.loads(done.stdout)))
