"""One run of the migration task: started, shown, judged by its exit code, and stopped when nobody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.clock import Deadline
from ops.container_logs import WITH_A_FAILURE, WITH_A_SUCCESS, LogTail, log_stream, task_id
from ops.diagnosis import Ending, Facts, diagnose
from ops.errors import OpsError, explain
from ops.migration_memory import read_report
from ops.symptoms import symptom_of_task
from ops.transcript import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from ops.command import Context
    from ops.migration_task import MigrationTask
    from ops.release_record import AppliedMigration

STARTED_BY = "ops-migrate"
# IAM needs seconds until a policy is known everywhere, and a first update starts the task seconds after it wrote one.
PAUSES_SECONDS = (5, 10, 20)
# The longest a stopped Fargate task takes to be gone: 120 s to stop at most, and its network interface.
STOP_SECONDS = 180

UNFINISHED = (
    "PostgreSQL rolls back what the interrupted migration had not committed; the ones before it stay applied. "
    "Only a migration with `atomic = False` can be left half done. Running migrate again goes on from there."
)


class Migration:
    """One run of the migration task, from its start to its exit code."""

    def __init__(
        self,
        context: Context,
        task: MigrationTask,
        timeout_seconds: int,
        each_look: Callable[[], object] = lambda: None,
    ) -> None:
        self._context = context
        self._ecs = context.aws.ecs
        self._task = task
        self._timeout_seconds = timeout_seconds
        self._each_look = each_look
        self._may_have_run = False
        self._reported: tuple[AppliedMigration, ...] | None = None
        self._tries = 0
        self._between_tries = False
        self._arn = ""
        self._status = ""
        self._tail = LogTail(context.aws.logs, None)

    def run(self) -> None:
        """Run it to its end.

        Raises:
            OpsError: it failed, did not start, or did not end in time (then it was stopped).
            KeyboardInterrupt: we were interrupted; the task was stopped.

        """
        try:
            ended = self._start_and_wait()
        except KeyboardInterrupt as interruption:
            raise type(interruption)(f"interrupted. {self._stop('ops migrate was interrupted')}") from interruption
        except (ClientError, BotoCoreError) as error:
            if not self._arn:
                raise
            raise OpsError(
                f"lost sight of the migration task {task_id(self._arn)}, which may go on by itself: {explain(error)}\n"
                f"{self._where()}",
            ) from error
        if ended is None:
            raise OpsError(
                f"the migration had not ended after {self._timeout_seconds} s (--timeout). "
                f"{self._stop(f'ops migrate waited {self._timeout_seconds} s')}\n{self._report()}",
            )
        if tasks.container_of(ended, self._task.container).get("exitCode") != 0:
            raise OpsError(self._failure(ended))

    def _start_and_wait(self) -> TaskTypeDef | None:
        deadline = Deadline(self._context.clock, self._timeout_seconds)
        for pause in PAUSES_SECONDS:
            ended = self._try(deadline)
            too_late = deadline.elapsed_seconds + pause >= deadline.timeout_seconds
            if ended is None or too_late or not tasks.denied_before_it_ran(ended):
                return ended
            self._rest(ended, pause)
        return self._try(deadline)

    def _rest(self, denied: TaskTypeDef, pause_seconds: int) -> None:
        self._context.transcript.step(
            f"no container ran, access was denied: {printable(denied.get('stoppedReason', ''))}\n"
            "IAM may not know a policy everywhere that was written seconds ago: "
            f"try {self._tries + 1} of {len(PAUSES_SECONDS) + 1} in {pause_seconds} s",
        )
        self._between_tries = True
        self._context.clock.sleep(pause_seconds)
        self._between_tries = False

    def _try(self, deadline: Deadline) -> TaskTypeDef | None:
        self._tries += 1
        self._arn = self._status = ""
        self._start()
        stream = log_stream(self._task.definition, self._task.container, self._arn)
        self._tail = LogTail(self._context.aws.logs, stream)
        self._context.transcript.step(f"started task {task_id(self._arn)}; its log: {stream or 'not kept'}")
        return self._wait(deadline)

    def _start(self) -> None:
        # Until ECS says otherwise: its answer may be what is lost.
        self._may_have_run = True
        try:
            self._arn = tasks.start(
                self._ecs,
                cluster=self._task.cluster,
                definition_arn=self._task.definition["taskDefinitionArn"],
                network=self._task.network,
                started_by=STARTED_BY,
            )
        except (OpsError, ClientError):
            self._may_have_run = False
            raise

    def _wait(self, deadline: Deadline) -> TaskTypeDef | None:
        return tasks.wait_until_stopped(
            self._ecs,
            cluster=self._task.cluster,
            task_arn=self._arn,
            clock=self._context.clock,
            deadline=deadline,
            look=self._look,
        )

    @property
    def applied(self) -> tuple[AppliedMigration, ...] | None:
        """What it applied, as its log told; None: it may have run, and its log did not tell."""
        return self._reported if self._may_have_run else ()

    def _look(self, task: TaskTypeDef) -> None:
        self._each_look()
        status = task.get("lastStatus", "")
        if status != self._status:
            self._status = status
            self._context.transcript.step(f"task is {status}")
        self._show(self._tail.new_lines())
        if status == "STOPPED":
            container = tasks.container_of(task, self._task.container)
            patience = WITH_A_SUCCESS if container.get("exitCode") == 0 else WITH_A_FAILURE
            # A container that never started never wrote.
            self._may_have_run = tasks.started(task, container)
            self._show(self._tail.drain(self._context.clock, patience) if self._may_have_run else [])

    def _show(self, lines: list[str]) -> None:
        for line in lines:
            self._context.transcript.log(self._task.container, line)
            self._reported = read_report(line, self._reported)

    def _stop(self, reason: str) -> str:
        """Stop the task, so that nothing goes on unwatched, and say how that went."""
        if self._between_tries or not self._arn:
            return self._nothing_to_stop()
        self._context.transcript.step(f"stopping task {task_id(self._arn)}: {reason}")
        try:
            self._ecs.stop_task(cluster=self._task.cluster, task=self._arn, reason=reason)
            ended = self._wait(Deadline(self._context.clock, STOP_SECONDS))
        except KeyboardInterrupt:
            return f"Task {task_id(self._arn)} was asked to stop, and is stopping unwatched. {UNFINISHED}"
        except (ClientError, BotoCoreError, OpsError) as error:
            problem = error if isinstance(error, OpsError) else explain(error)
            return (
                f"Task {task_id(self._arn)} may still run, it could not be stopped: {problem}\n"
                f"Stop it: aws ecs stop-task --cluster {self._task.cluster} --task {self._arn}"
            )
        if ended is None:
            return f"Task {task_id(self._arn)} was asked to stop but had not after {STOP_SECONDS} s. {UNFINISHED}"
        if tasks.container_of(ended, self._task.container).get("exitCode") == 0:
            return f"Task {task_id(self._arn)} ended before it could be stopped: all migrations are applied."
        return f"Task {task_id(self._arn)} was stopped. {UNFINISHED}"

    def _nothing_to_stop(self) -> str:
        if self._between_tries:
            return "It came between two tries to start the migration task: none runs, and nothing was changed."
        return (
            "It came while the migration task was being started; `aws ecs list-tasks "
            f"--cluster {self._task.cluster} --family {self._task.definition.get('family')}` shows whether it was."
        )

    def _failure(self, ended: TaskTypeDef) -> str:
        how = tasks.how_it_ended(ended, tasks.container_of(ended, self._task.container))
        facts = [tasks.indented(tasks.describe_end(ended))]
        symptom = symptom_of_task(ended)
        never = not tasks.started(ended, tasks.container_of(ended, self._task.container))
        if never and symptom:
            how += f", {symptom.kind.value}: {symptom.text}"
        if tasks.denied_before_it_ran(ended):
            facts.append(self._what_may_be_denied())
        elif never and symptom:
            seen = Facts(ending=Ending.GIVEN_UP, stopped=(ended,))
            facts.append(f"what to do: {diagnose(seen, self._context.stack).remedy}")
        if never:
            facts.append("Nothing was migrated, and the service was not touched: whatever served goes on serving.")
        return "\n".join([f"the migration failed: {how}", *facts, self._report()])

    def _what_may_be_denied(self) -> str:
        role = self._task.definition.get("executionRoleArn") or "the task definition names none"
        tries = f" in each of {self._tries} tries" if self._tries > 1 else ""
        return (
            f"Access was denied{tries}, and nothing ran. Give the execution role ({role}) the permission named above; "
            "when it has it, look at the policies of the secret, of its KMS key and of the VPC endpoint."
        )

    def _report(self) -> str:
        lines = list(self._tail.last_lines)
        if not lines:
            return f"no log lines: {self._tail.problem or 'the container wrote none'}\n{self._where()}"
        return f"last {len(lines)} log lines:\n{tasks.indented(lines)}\n{self._where()}"

    def _where(self) -> str:
        stream = log_stream(self._task.definition, self._task.container, self._arn)
        return f"task {task_id(self._arn)} in cluster {self._task.cluster}" + (f"; {stream}" if stream else "")
