"""Where operator commands remember what was released, and the guard that asks them before anything is released."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from infra.operator_command import OperatorCommand
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ReleaseMemoryArgs:
    """`deletion_protection`: whether the table, and with it the memory, refuses to be deleted."""

    deletion_protection: bool


class ReleaseMemory(pulumi.ComponentResource):
    """The table in which `ops` keeps one record per stack: releases, denials, holds and what is in flight.

    Creates a DynamoDB table, empty, with restore to any second of the last 35 days. What stands in it is written by
    operator commands only (docs/decisions/0005-release-memory.md), so an update can neither undo nor forget it.
    """

    def __init__(self, name: str, args: ReleaseMemoryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:ReleaseMemory", name, None, opts)
        dynamodb.Table(
            f"{name}-releases",
            # Operator commands find it by this name, also when Pulumi's state is locked or lost.
            name=f"{name}-releases",
            billing_mode="PAY_PER_REQUEST",
            hash_key="stack",
            attributes=[dynamodb.TableAttributeArgs(name="stack", type="S")],
            point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=args.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def guard(
    settings: Settings, release: pulumi.Output[str], depends_on: Sequence[pulumi.Resource]
) -> pulumi.Output[None]:
    """Resolves when the release may be deployed; fails the update when it is denied, held, or another is in flight."""
    command = OperatorCommand(verb="guard", settings=settings, options=[("--release", release)])
    return command.at_every_update(depends_on)
