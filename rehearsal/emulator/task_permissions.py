"""What ECS does on a task's behalf is done as the task's execution role, and refused where that may not do it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import ecs, iam, secretsmanager

from rehearsal.emulator import images, task_secrets
from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="permissions of execution roles",
    rule=(
        "A task starts only if ECS may assume its execution role, and the role may read its secrets, pull its image "
        "and write its log stream: by the role's policies, within its permissions boundary"
    ),
    source="Amazon ECS task execution IAM role; Permissions boundaries for IAM entities",
)
SERVICE = "ecs-tasks.amazonaws.com"
CANNOT_ASSUME = (
    f"{images.CANNOT_ASSUME} '{{arn}}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
NO_REGISTRY = "unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
DENIED = "AccessDeniedException: User: {session} is not authorized to perform: {action} on resource: {resource} {why}"
_STATEMENTS = "list[list[ministack.core.iam_evaluator.ParsedStatement]]"
_CONTEXT = "ministack.core.iam_evaluator.EvalContext"
EVALUATOR = {
    "evaluate": (
        f"(ctx: {_CONTEXT}, policies: {_STATEMENTS}, *limits: {_STATEMENTS}) -> ministack.core.iam_evaluator.EvalResult"
    ),
    "evaluate_trust_policy": f"(trust_doc: str | dict, caller_arn: str, ctx: {_CONTEXT} | None = None) -> bool",
    "_gather_role_policies": f"(role_name: str, account_id: str) -> {_STATEMENTS}",
    "_permissions_boundary": f"(store, name: str, account_id: str) -> list[{_STATEMENTS}]",
}
# Parts of a secret's ARN; what follows names a key, a stage and a version.
ARN_PARTS = 7


def check(task: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Raise what stops a task whose execution role is missing something; a definition without one is not checked."""
    arn = definition.get("executionRoleArn")
    if not arn:
        return
    role = Role(arn, task["taskArn"].rsplit("/", 1)[-1])
    role.assume()
    containers = definition.get("containerDefinitions") or []
    for container in containers:
        _check_secrets(role, container)
    for container in containers:
        _check_image(role, container)
        _check_log(role, container)


class Role:
    """A role as a service of AWS uses it, for one task or schedule."""

    def __init__(self, arn: str, session: str) -> None:
        self.arn, self.name = arn, arn.rsplit("/", 1)[-1]
        self._session = f"arn:aws:sts::{ecs.get_account_id()}:assumed-role/{self.name}/{session}"

    def assume(self) -> None:
        """Raise StartError unless the role is there and its trust policy lets ECS's tasks of this account use it."""
        if not self.trusts(SERVICE, {"aws:sourceaccount": ecs.get_account_id()}):
            raise images.StartError(CANNOT_ASSUME.format(arn=self.arn))

    def trusts(self, service: str, source: Mapping[str, str]) -> bool:
        """Whether the role is there and its trust policy lets a service use it, on behalf of what `source` says."""
        role = iam._roles.get(self.name)
        # The evaluator knows no services; in the place of one it takes the account itself.
        root = f"arn:aws:iam::{ecs.get_account_id()}:root"
        statements = _statements_for(service, role["AssumeRolePolicyDocument"]) if role else {}
        context = self._context("sts:AssumeRole", "*", source)
        return bool(iam_evaluator.evaluate_trust_policy(statements, root, context))

    def refusal(self, action: str, resource: str, keys: Mapping[str, str] | None = None) -> str:
        """What AWS answers when the role may not do this; nothing when it may."""
        account = ecs.get_account_id()
        policies = iam_evaluator._gather_role_policies(self.name, account)
        limits = iam_evaluator._permissions_boundary(iam._roles, self.name, account)
        context = self._context(action, resource, keys or {})
        decision = iam_evaluator.evaluate(context, policies, *limits).decision
        if decision == "Allow":
            return ""
        own = iam_evaluator.evaluate(context, policies).decision
        a, by = ("a", "permissions boundary") if own == "Allow" else ("an", "identity-based policy")
        explicit, implicit = f"with an explicit deny in {a} {by}", f"because no {by} allows the {action} action"
        why = explicit if decision == "Deny" else implicit
        return DENIED.format(session=self._session, action=action, resource=resource, why=why)

    def _context(self, action: str, resource: str, keys: Mapping[str, str]) -> EvalContext:
        return EvalContext(
            principal_arn=self._session,
            principal_type="AssumedRole",
            principal_account=ecs.get_account_id(),
            action=action,
            resource_arn=resource,
            region=ecs.get_region(),
            source_ip="127.0.0.1",
            secure_transport=True,
            service_context=dict(keys),
        )


def _statements_for(service: str, trust: Any) -> dict[str, Any]:
    """The statements of a trust policy that speak of one service, which the evaluator itself does not look at."""
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {"Statement": [one for one in statements if service in _services(one)]}


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    return [named] if isinstance(named, str) else list(named)


def _check_secrets(role: Role, container: Mapping[str, Any]) -> None:
    for arn in _secret_arns(container):
        _, secret = secretsmanager._resolve(arn, use_arn_scope=True)
        tags = {f"aws:resourcetag/{tag['Key'].lower()}": tag["Value"] for tag in (secret or {}).get("Tags") or []}
        if refused := role.refusal("secretsmanager:GetSecretValue", arn, tags):
            said = task_secrets.FAILED.format(arn=arn, request=ecs.new_uuid(), error=f"api error {refused}")
            raise ecs._SecretResolutionError(task_secrets.RETRIED + said)


def _secret_arns(container: Mapping[str, Any]) -> Iterator[str]:
    for secret in container.get("secrets") or []:
        if "secretsmanager" in secret.get("valueFrom", ""):
            yield ":".join(secret["valueFrom"].split(":")[:ARN_PARTS])


def _check_image(role: Role, container: Mapping[str, Any]) -> None:
    if not (match := images.ECR.match(container.get("image", ""))):
        return
    if refused := role.refusal("ecr:GetAuthorizationToken", "*"):
        raise ecs._SecretResolutionError(f"{NO_REGISTRY}{refused}")
    repository = match["rest"].partition("@")[0].partition(":")[0]
    arn = f"arn:aws:ecr:{ecs.get_region()}:{ecs.get_account_id()}:repository/{repository}"
    for action in ("BatchGetImage", "GetDownloadUrlForLayer"):
        if refused := role.refusal(f"ecr:{action}", arn):
            raise ecs._ImagePullError(f"pull image manifest has been retried 1 time(s): {refused}")


def _check_log(role: Role, container: Mapping[str, Any]) -> None:
    config = ecs._awslogs_config(container, "", "")
    if not config:
        return
    group = f"arn:aws:logs:{ecs.get_region()}:{ecs.get_account_id()}:log-group:{config['group']}"
    for action in ("CreateLogStream", "PutLogEvents"):
        if refused := role.refusal(f"logs:{action}", f"{group}:log-stream:{config['stream']}"):
            raise images.StartError(
                f"{images.NO_LOG_GROUP} create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream: {refused}"
            )


def install() -> None:
    """Ask before anything of a task is fetched or started."""

    def start(task: Any, td: Any, container_overrides: Any, docker_client: Any) -> Any:
        check(task, td)
        return original(task, td, container_overrides, docker_client)

    for name, signature in EVALUATOR.items():
        require(iam_evaluator, name, signature)
    original = replace(ecs, "_start_task_worker", "(task, td, container_overrides, docker_client)", start)
