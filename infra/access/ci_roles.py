"""The roles that pipelines assume: one looks, one pushes images, and one for each stack deploys it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.access.boundary import boundary_name, boundary_policy
from infra.access.deploying import deploying_policies
from infra.access.documents import Document, Scope, allow, document
from infra.access.pushing import asking_policy, pulling_policy, pushing_policy
from infra.access.reading import contents_policy, reading_policy
from infra.access.serving import Records
from infra.access.state import state_policy, state_reading_policy
from infra.access.trust import Issuer, deploy_trust, preview_trust, push_trust
from infra.access.watching import one_item
from infra.bootstrap_settings import BootstrapSettings, DeploymentSettings

# An update may wait for a database, a migration and a rollout, one after the other.
DEPLOY_SESSION_SECONDS = 7200


@dataclass(frozen=True, kw_only=True)
class CiRolesArgs:
    """`issuers` is empty where no pipeline is configured: then there is no role that one could assume."""

    settings: BootstrapSettings
    issuers: Sequence[Issuer]
    providers: Sequence[pulumi.Resource]
    state_bucket_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]


class CiRoles(pulumi.ComponentResource):
    """Roles and policies of pipelines.

    Creates, for each stack, the boundary of the roles it may have; and where a pipeline is configured the role
    `PROJECT-ci-preview` (reads how things are made, and Pulumi's state), `PROJECT-ci-push` (one repository) and for
    each stack `PROJECT-ci-deploy-STACK` with its policies. Names are fixed: they stand in pipelines' files.
    """

    boundary_arns: dict[str, pulumi.Output[str]]
    preview_role_arn: pulumi.Output[str] | None
    push_role_arn: pulumi.Output[str] | None
    deploy_role_arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CiRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:CiRoles", name, None, opts)
        self._args, self._child_opts = args, pulumi.ResourceOptions(parent=self)
        # IAM refuses a trust in a provider that is not there yet.
        self._role_opts = pulumi.ResourceOptions(parent=self, depends_on=list(args.providers))
        self._project = args.settings.project
        self.preview_role_arn, self.push_role_arn, self.deploy_role_arns = None, None, {}
        self.boundary_arns = {each.stack: self._boundary(each) for each in args.settings.deployments}
        if args.issuers:
            account_id = args.settings.account_id
            self._reading = self._policy("ci-read", reading_policy(account_id, self._project)).arn
            self.preview_role_arn = self._preview()
            self.push_role_arn = self._push()
            self.deploy_role_arns = {each.stack: self._deploy(each) for each in args.settings.deployments}
        self.register_outputs({})

    def _scope(self, deployment: DeploymentSettings) -> Scope:
        settings = self._args.settings
        return Scope(
            project=self._project, stack=deployment.stack, region=settings.region, account_id=settings.account_id
        )

    def _boundary(self, deployment: DeploymentSettings) -> pulumi.Output[str]:
        policy = boundary_policy(self._scope(deployment), self._args.settings.repository_name)
        label = boundary_name(self._project, deployment.stack).removeprefix(f"{self._project}-")
        return self._policy(label, policy).arn

    def _preview(self) -> pulumi.Output[str]:
        role = self._role("ci-preview", preview_trust(self._args.issuers, self._branches))
        self._attach("ci-preview-read", role, self._reading)
        where = self._where().apply(lambda where: state_reading_policy(where["bucket"], where["key"], self._project))
        self._inline("ci-preview-state", role, where)
        contents = self._where().apply(lambda where: contents_policy(where["bucket"]))
        self._inline("ci-preview-contents", role, contents)
        self._inline("ci-preview-image", role, pulling_policy(self._repository_arn))
        return role.arn

    def _push(self) -> pulumi.Output[str]:
        role = self._role("ci-push", push_trust(self._args.issuers, self._branches))
        self._inline("ci-push", role, pushing_policy(self._repository_arn))
        return role.arn

    @property
    def _branches(self) -> list[str]:
        return sorted({branch for each in self._args.settings.deployments for branch in each.branches})

    @property
    def _repository_arn(self) -> str:
        settings = self._args.settings
        return f"arn:aws:ecr:{settings.region}:{settings.account_id}:repository/{settings.repository_name}"

    def _deploy(self, deployment: DeploymentSettings) -> pulumi.Output[str]:
        stack, label = deployment.stack, f"ci-deploy-{deployment.stack}"
        trust = deploy_trust(self._args.issuers, stack, deployment.branches)
        role = self._role(label, trust, session_seconds=DEPLOY_SESSION_SECONDS)
        self._attach(f"{label}-read", role, self._reading)
        records = Records(hosted_zone_id=deployment.hosted_zone_id, domain_name=deployment.domain_name)
        for part, policy in deploying_policies(self._scope(deployment), records).items():
            self._attach(f"{label}-{part}", role, self._policy(f"{label}-{part}", policy).arn)
        where = self._where().apply(lambda where: state_policy(where["bucket"], where["key"], self._project, stack))
        self._inline(f"{label}-state", role, where)
        self._inline(f"{label}-image", role, asking_policy(self._repository_arn))
        if deployment.after:
            # What the stack before it serves: read from its own memory, which nobody but that stack's role writes.
            memory = f"table/{self._project}-{deployment.after}-releases"
            reading = allow(
                ["dynamodb:GetItem"], self._scope(deployment).arn("dynamodb", memory), one_item(deployment.after)
            )
            self._inline(f"{label}-after", role, document(reading))
        return role.arn

    def _where(self) -> pulumi.Output[Mapping[str, str]]:
        return pulumi.Output.all(bucket=self._args.state_bucket_arn, key=self._args.key_arn)

    def _role(self, label: str, trust: Document, *, session_seconds: int = 3600) -> iam.Role:
        name = f"{self._project}-{label}"
        return iam.Role(
            name,
            name=name,
            assume_role_policy=json.dumps(trust),
            max_session_duration=session_seconds,
            opts=self._role_opts,
        )

    def _policy(self, label: str, policy: Document) -> iam.Policy:
        name = f"{self._project}-{label}"
        # Without spaces: IAM counts none, and its own limit is near.
        return iam.Policy(name, name=name, policy=json.dumps(policy), opts=self._child_opts)

    def _attach(self, label: str, role: iam.Role, policy_arn: pulumi.Output[str]) -> None:
        name = f"{self._project}-{label}"
        iam.RolePolicyAttachment(name, role=role.name, policy_arn=policy_arn, opts=self._child_opts)

    def _inline(self, label: str, role: iam.Role, policy: pulumi.Input[Document]) -> None:
        name = f"{self._project}-{label}"
        iam.RolePolicy(name, role=role.id, policy=pulumi.Output.json_dumps(policy), opts=self._child_opts)
