"""What a stage works with, for one stack: the same context that the operator commands are given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from botocore.exceptions import NoRegionError

from ops.aws import Aws
from ops.clock import SystemClock
from ops.command import Context
from ops.errors import NO_CREDENTIALS, CannotAct
from ops.pipeline.event import is_on_a_host
from ops.stack import Stack
from ops.stack_file import account_of, refuse_another_account, region_to_set, stack_file
from ops.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def context_of(
    name: str,
    environment: Mapping[str, str],
    *,
    root: Path | None = None,
    connect: Callable[[], Aws] | None = None,
    commit: str = "",
) -> Context:
    """Return the context of one stack of the project in `root`, with credentials that are for its account.

    `commit`: the one that an image was built of, for what is written into the release memory.

    Raises:
        CannotAct: there is no such stack here, or the credentials are for another account.

    """
    root = root or Path.cwd()
    stack = stack_of(root, name)
    file = stack_file(root, stack)
    if file is None:
        raise CannotAct(
            f"there is no Pulumi.{name}.yaml in {root}. Nothing was done. Name a stack that has its file there, and "
            "run the stage at the top of the checkout.",
        )
    aws = (connect or Aws)()
    try:
        here = aws.whereabouts(environment)
    except NoRegionError as error:
        raise CannotAct(_no_region(root, stack)) from error
    except NO_CREDENTIALS as error:
        if not is_on_a_host(environment):
            raise
        raise CannotAct(_no_credentials(stack, error)) from error
    refuse_another_account(here, stack, account_of(file), file.name)
    return Context(
        stack=stack,
        aws=aws,
        whereabouts=here,
        transcript=Transcript(progress=sys.stdout, results=sys.stdout),
        clock=SystemClock(),
        environment={**environment, "PACTUM_COMMIT": commit} if commit else environment,
    )


def _no_region(root: Path, stack: Stack) -> str:
    return (
        f"no AWS region is chosen for {stack}. Nothing was done. Set {region_to_set(root, stack)}; for a pipeline it "
        "is one of the variables that docs/pipelines.md lists."
    )


def _no_credentials(stack: Stack, error: Exception) -> str:
    return (
        f"this job has no usable AWS credentials for {stack}: {error}. Nothing was done. Its role is a variable of the "
        "pipeline, which docs/pipelines.md lists (PREVIEW_ROLE_ARN, PUSH_ROLE_ARN, DEPLOY_ROLE_ARN_...): is it there, "
        "and bootstrap's output? And the host's token for AWS: `id-token: write` on GitHub, `id_tokens` on GitLab, "
        "the credential `aws-oidc` on Jenkins."
    )


def stack_of(root: Path, name: str) -> Stack:
    """Return a stack of the project in `root`.

    Raises:
        CannotAct: there is no project there, or no stack can be called so.

    """
    try:
        project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError) as error:
        raise CannotAct(
            f"Pulumi.yaml in {root} does not name a project: {error!r}. Nothing was done. Run the stage at the top of "
            "the checkout.",
        ) from error
    return Stack(project=str(project), name=name)


def ops_command(context: Context, command: str, *arguments: str) -> list[str]:
    """Return an operator command as a program of its own, as a person would type it."""
    about = ["--stack", context.stack.name, "--project", context.stack.project]
    return [sys.executable, "-m", "ops", command, *about, *arguments]
