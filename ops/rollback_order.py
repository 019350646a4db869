"""Telling ECS to roll back: once, with the deployment alarms off, and knowing afterwards whether it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.errors import OpsError, explain

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from ops.command import Context

# An answer of this kind does not say that nothing was done.
_ECS_FAILED_STATUS = 500
# Until what was asked for is what is described.
_LOOK_AFTER_SECONDS = 2


class Order:
    """The one request of a rollback to ECS, and whether ECS has it."""

    def __init__(self, context: Context, service: ServiceTypeDef, task_definition: str) -> None:
        self._context = context
        self._service = service
        self._wanted = task_definition
        self.told: bool | None = service["taskDefinition"] == task_definition
        """Whether the service is told to run it; None when that is not known."""

    def give(self) -> None:
        """Tell ECS, unless the service is told so already.

        Raises:
            ClientError: ECS refused it.
            OpsError: the answer was lost, and it cannot be told what ECS does.
            KeyboardInterrupt: with `told` as far as could be found out.

        """
        if self.told:
            return
        self.told = None
        stack = self._context.stack
        try:
            self._context.aws.ecs.update_service(
                cluster=stack.cluster, service=stack.service, taskDefinition=self._wanted, **self._without_alarms()
            )
        except ClientError as error:
            if _status(error) < _ECS_FAILED_STATUS:
                self.told = False
                raise
            self._look_after(error)
        except BotoCoreError as error:
            self._look_after(error)
        except KeyboardInterrupt:
            self._look()
            raise
        self.told = True

    def runs(self, task_definition: str) -> bool:
        """Whether the service is told to run this one now, as far as ECS can be asked."""
        return self._current() == task_definition

    def _without_alarms(self) -> dict[str, Any]:
        """Keep ECS from returning because of errors of the release that is left: they are counted minutes later.

        ECS would return to what was complete last, which is what is left.
        """
        configuration = self._service.get("deploymentConfiguration", {})
        alarms = configuration.get("alarms")
        if not alarms or not alarms["enable"]:
            return {}
        self._context.transcript.step(
            "turns the deployment alarms off, for they still see the errors of the release that is left; "
            "the next `pulumi up` turns them on again"
        )
        return {"deploymentConfiguration": {**configuration, "alarms": {**alarms, "enable": False}}}

    def _look_after(self, error: ClientError | BotoCoreError) -> None:
        """Find out what ECS does after its answer was lost."""
        self._context.transcript.step(f"ECS' answer was lost, looking whether it was told: {explain(error)}")
        self._look()
        if self.told is False:
            raise error
        if self.told is None:
            raise OpsError(
                f"ECS was told to roll back, its answer was lost, and now it cannot be asked: {explain(error)}\n"
                f"`python -m ops status {self._context.stack.options}` shows what serves; run this again when it can."
            ) from error

    def _look(self) -> None:
        self._context.clock.sleep(_LOOK_AFTER_SECONDS)
        now = self._current()
        if now:
            self.told = now == self._wanted

    def _current(self) -> str:
        try:
            service = tasks.find_service(self._context.aws.ecs, self._context.stack)
        except (ClientError, BotoCoreError):
            return ""
        return service["taskDefinition"] if service else ""


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
