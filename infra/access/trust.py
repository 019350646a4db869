"""Whose tokens a pipeline's role takes: statements of trust policies, by what AWS can check of each issuer's tokens.

Of every issuer AWS checks subject and audience. Of GitHub it checks more since January 2026: repository, ref,
environment and job_workflow_ref are condition keys of their own, so one statement says environment *and* ref *and*
workflow, without a subject made to measure. GitLab and Jenkins have all they prove in the subject.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.access.documents import Document, Statement, document

AUDIENCE = "sts.amazonaws.com"
GITHUB = "token.actions.githubusercontent.com"
# IAM quota "Role trust policy length", in characters without white space.
LONGEST_TRUST = 2048
# GitHub's workflow that previews stacks at night, on a branch; it may look, and nothing else.
DRIFT_WORKFLOW = ".github/workflows/drift.yml"
Claims = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """A repository, `OWNER/NAME`, or `OWNER@ID/NAME@ID` where subjects have ids (all made since 15 July 2026 do)."""

    provider_arn: str
    repository: str
    workflow: str

    def deploy(self, stack: str, branches: Sequence[str]) -> Statement:
        """Jobs of the environment named like the stack, in that workflow, on these branches."""
        return self._trust([f"environment:{stack}"], branches, {"environment": stack})

    def push(self, branches: Sequence[str]) -> Statement:
        """Jobs without an environment, in that workflow, on these branches."""
        return self._trust([f"ref:refs/heads/{branch}" for branch in branches], branches, {})

    def preview(self, branches: Sequence[str]) -> list[Statement]:
        """Pull requests and the nightly workflow on these branches.

        Pull requests of a fork get no token. Their workflow is their own, so there is no use in its name.
        """
        pulls: Claims = {"sub": self._subject("pull_request"), "repository": self._name}
        nightly = [f"ref:refs/heads/{branch}" for branch in branches]
        return [
            _web_identity(self.provider_arn, GITHUB, pulls),
            self._trust(nightly, branches, {}, workflow=DRIFT_WORKFLOW),
        ]

    @property
    def _name(self) -> str:
        return re.sub(r"@\d+", "", self.repository)

    def _subject(self, rest: str) -> str:
        return f"repo:{self.repository}:{rest}"

    def _trust(
        self, rests: Sequence[str], branches: Sequence[str], further: dict[str, str], *, workflow: str = ""
    ) -> Statement:
        refs = [f"refs/heads/{branch}" for branch in branches]
        claims: Claims = {
            "sub": [self._subject(rest) for rest in rests],
            "repository": self._name,
            "ref": refs,
            "job_workflow_ref": [f"{self._name}/{workflow or self.workflow}@{ref}" for ref in refs],
            **further,
        }
        return _web_identity(self.provider_arn, GITHUB, claims)


@dataclass(frozen=True, kw_only=True)
class GitLab:
    """A project of one GitLab, `GROUP/NAME`. Its subject proves project and branch, not environment or job.

    A fork's own pipelines are another project's. But a member may run a fork's merge request in this project, and then
    a fork's branch called main has the subject of this project's main: that has to be switched off in GitLab
    (docs/account.md), for nothing AWS checks tells them apart.
    """

    provider_arn: str
    host: str
    project: str

    def deploy(self, _: str, branches: Sequence[str]) -> Statement:
        return self.push(branches)

    def push(self, branches: Sequence[str]) -> Statement:
        return _web_identity(self.provider_arn, self.host, {"sub": [self._subject(branch) for branch in branches]})

    def preview(self, _: Sequence[str]) -> list[Statement]:
        """Any branch of the project: a merge request's job has no other subject."""
        return [_web_identity(self.provider_arn, self.host, {}, {"sub": self._subject("*")})]

    def _subject(self, branch: str) -> str:
        return f"project_path:{self.project}:ref_type:branch:ref:{branch}"


@dataclass(frozen=True, kw_only=True)
class Jenkins:
    """A multibranch job, seen through Jenkins's OpenID Connect Provider plugin; the subject is the job's address."""

    provider_arn: str
    issuer: str
    job: str

    def deploy(self, _: str, branches: Sequence[str]) -> Statement:
        return self.push(branches)

    def push(self, branches: Sequence[str]) -> Statement:
        return _web_identity(self.provider_arn, self._host, {"sub": self._subjects(branches)})

    def preview(self, branches: Sequence[str]) -> list[Statement]:
        """Jobs of pull requests, and at night the branches' own; the job's settings must not build strangers'."""
        subjects = [f"{self.job}/job/PR-*/", *self._subjects(branches)]
        return [_web_identity(self.provider_arn, self._host, {}, {"sub": subjects})]

    def _subjects(self, branches: Sequence[str]) -> list[str]:
        # Jenkins writes a branch's slash into the address as %2F, and escapes the percent sign once more.
        return [f"{self.job}/job/{branch.replace('/', '%252F')}/" for branch in branches]

    @property
    def _host(self) -> str:
        return self.issuer.removeprefix("https://")


Issuer = GitHub | GitLab | Jenkins


def deploy_trust(issuers: Sequence[Issuer], stack: str, branches: Sequence[str]) -> Document:
    """Who may deploy one stack."""
    return document(*(issuer.deploy(stack, branches) for issuer in issuers))


def push_trust(issuers: Sequence[Issuer], branches: Sequence[str]) -> Document:
    """Who may push images."""
    return document(*(issuer.push(branches) for issuer in issuers))


def preview_trust(issuers: Sequence[Issuer], branches: Sequence[str]) -> Document:
    """Who may look at what an update would change."""
    return document(*(statement for issuer in issuers for statement in issuer.preview(branches)))


def _web_identity(provider_arn: str, host: str, exact: Claims, like: Claims | None = None) -> Statement:
    equals = {f"{host}:aud": AUDIENCE, **{f"{host}:{claim}": value for claim, value in exact.items()}}
    condition: dict[str, object] = {"StringEquals": equals}
    if like:
        condition["StringLike"] = {f"{host}:{claim}": pattern for claim, pattern in like.items()}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
