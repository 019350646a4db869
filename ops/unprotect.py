"""`python -m ops unprotect`: the first step of taking a stack down, before `pulumi destroy` can do the rest."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ops.command import Command, Context
from ops.errors import CannotAct

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

Step = tuple[str, "Callable[[], object]"]
NOT_THERE = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault", "ResourceNotFoundException"})


def _unprotect(context: Context, options: argparse.Namespace) -> None:
    name = context.stack.cluster
    if options.confirm != name and not context.dry_run:
        raise CannotAct(
            f"--confirm {options.confirm} is not {name}: nothing was changed. Name what is to lose its protection; "
            "--dry-run shows it."
        )
    steps = [*_database(context), *_balancers(context), *_release_memory(context)]
    for what, turn_off in steps:
        if not context.dry_run:
            turn_off()
        done = "would turn off" if context.dry_run else "turned off"
        context.transcript.step(f"{done} the deletion protection of {what}")
    context.answer["unprotected"] = [what for what, _ in steps]
    if not steps:
        context.transcript.result(f"nothing of {context.stack} refuses to be deleted")
    elif context.dry_run:
        context.transcript.result(f"would let {len(steps)} things of {context.stack} be deleted")
    else:
        context.transcript.result(f"{context.stack} can be deleted; the next update would protect it again")


def _database(context: Context) -> Iterator[Step]:
    identifier, rds = f"{context.stack.cluster}-database", context.aws.rds
    try:
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return
    if instance["DeletionProtection"]:
        yield (
            f"the database {identifier}",
            lambda: rds.modify_db_instance(
                DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True
            ),
        )


def _balancers(context: Context) -> Iterator[Step]:
    elbv2 = context.aws.elbv2
    for page in elbv2.get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            arn, name = balancer["LoadBalancerArn"], balancer.get("LoadBalancerName", "")
            if not name.startswith(f"{context.stack.cluster}-"):
                continue
            attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            if {"Key": "deletion_protection.enabled", "Value": "true"} in attributes:
                yield f"the load balancer {name}", functools.partial(_open_balancer, context, arn)


def _open_balancer(context: Context, arn: str) -> None:
    off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    context.aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=off)  # type: ignore[arg-type]


def _release_memory(context: Context) -> Iterator[Step]:
    table, dynamodb = context.stack.releases_table, context.aws.dynamodb
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        return
    if found.get("DeletionProtectionEnabled"):
        yield (
            f"the release memory {table}",
            lambda: dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False),
        )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--confirm", default="", metavar="PROJECT-STACK", help="the stack's full name, such as pactum-prod"
    )


COMMAND = Command(
    name="unprotect",
    summary="turn off what keeps a stack from being deleted",
    description="Turn off the deletion protection of a stack's database, load balancer and release memory in AWS.\n"
    "Nothing is deleted: `make down` goes on from here, and the next update would protect them again.",
    add_options=_add_options,
    run=_unprotect,
)
