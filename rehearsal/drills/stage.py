"""What drills are played on: a stack that is up, users who keep asking, and ways to change, break and look at it."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import children, releases
from rehearsal.drills.attached_update import AttachedUpdate
from rehearsal.drills.drill import DrillError, expect
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import RehearsalError
from rehearsal.load import REQUESTS_PER_SECOND, USERS, Load
from rehearsal.place import PROJECT_ROOT
from rehearsal.smoke import Live
from rehearsal.state import Tally
from rehearsal.updater import Updater

RELEASES = PROJECT_ROOT / "tests/releases"
DIGEST = "pactum:imageDigest"
OPERATION_SECONDS = 300
STEADY_SECONDS = 120
POLL_SECONDS = 0.1
# Users ask for a moment before and after what happens, so that its beginning and its end are among what they see.
LEAD_SECONDS = 2.0
# The alarm's period of a minute, and its evaluation.
ALARM_SECONDS = 75.0
# It is raised by any of the three newest periods, whose numbers may be late.
CALM_PERIODS = 5


@dataclass(frozen=True, kw_only=True)
class Update:
    """One update that ended. `error` is empty when it ended well; `ended` is by the monotonic clock."""

    error: str
    seconds: float
    ended: float
    tally: Tally

    @property
    def began(self) -> float:
        return self.ended - self.seconds


@dataclass(kw_only=True)
class Stage:
    """The stack of one rehearsal. `loads` are the users of the drill that is being played."""

    updater: Updater
    directory: Path = RELEASES
    loads: list[Load] = field(default_factory=list)
    _attached: list[AttachedUpdate] = field(default_factory=list)
    _last_failure: float = float("-inf")

    def begin(self, *, calm: bool = True) -> None:
        """A drill begins: what the one before left to look at is forgotten, and `calm`: its errors raise no alarm."""
        self.loads, self._attached = [], []
        if calm and time.monotonic() - self._last_failure < ALARM_SECONDS:
            self.note("waiting until the errors of the drill before are out of the alarms: they would fail a rollout")
            self.wait(self._is_calm, "the alarms did not return to OK", seconds=CALM_PERIODS * ALARM_SECONDS)

    def end(self) -> list[Load]:
        """The drill's users, all of them gone home."""
        for load in self.loads:
            load.stop()
            self._last_failure = max([self._last_failure, *(failure.at for failure in load.failures)])
        return self.loads

    def _is_calm(self) -> bool:
        alarms = self.service().get("deploymentConfiguration", {}).get("alarms") or {}
        names = alarms.get("alarmNames") or []
        found = (
            self.updater.tools.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
        )
        waited = time.monotonic() - self._last_failure >= ALARM_SECONDS
        return waited and all(alarm["StateValue"] != "ALARM" for alarm in found)

    def recover(self) -> None:
        """Bring back a stack that serves what was deployed last, where the drill did not leave one.

        Where that is refused, as after a rollback by hand, what the service runs is deployed. DrillError when neither
        can be.
        """
        for each in self._attached:
            each.end()
        self.updater.take_outputs()
        if self.serves(self.live.release, within_seconds=5) and self.is_steady():
            return
        self.note("the drill left a stack that does not serve what was deployed last; updating it once more")
        first = self.update(self.live.release)
        if first.error:
            self.note(f"refused; updating it to what the service runs: {self.running}")
            second = self.update(self.running)
            expect(not second.error, f"{first.error}\n{second.error}")

    @property
    def live(self) -> Live:
        """What the last update that ended well has deployed."""
        return releases.live(self.updater)

    @property
    def running(self) -> str:
        """The release that the service is told to run: what it was updated to, or has returned to."""
        described = self.updater.tools.client("ecs").describe_task_definition(
            taskDefinition=self.service()["taskDefinition"]
        )
        containers = described["taskDefinition"]["containerDefinitions"]
        variables = (each for container in containers for each in container.get("environment", []))
        return next((each["value"] for each in variables if each["name"] == "RELEASE"), self.live.release)

    def note(self, text: str) -> None:
        self.updater.progress.note(text)

    @contextlib.contextmanager
    def load(
        self,
        *,
        users: int = USERS,
        paths: Sequence[str] | None = None,
        requests_per_second: float = REQUESTS_PER_SECOND,
    ) -> Iterator[Load]:
        """Users who keep asking meanwhile, and a moment before and after."""
        load = Load(
            place=self.updater.place,
            url=self.live.url,
            users=users,
            paths=self.live.users_paths if paths is None else paths,
            readiness=self.live.application.readiness_path,
            requests_per_second=requests_per_second,
        )
        self.loads.append(load)
        with load:
            time.sleep(LEAD_SECONDS)
            yield load
            time.sleep(LEAD_SECONDS)

    def build(self, release: str) -> str:
        """Build and push a release of tests/releases/; answers its digest."""
        return releases.build(self.updater, self.directory / release)

    def update(self, digest: str, overrides: Mapping[str, str] | None = None) -> Update:
        """Update the stack to a digest, to the update's end, whatever it is."""
        began, error, tally = time.monotonic(), "", Tally()
        try:
            tally = self.updater.up({**(overrides or {}), DIGEST: digest}, phase=f"update to {digest[:19]}…")
        except EmulatorEndedError:
            raise
        except RehearsalError as failure:
            error = str(failure)
        ended = time.monotonic()
        return Update(error=error, seconds=ended - began, ended=ended, tally=tally)

    def attached_update(self, digest: str, *, hold_before: str = "") -> AttachedUpdate:
        """Start an update in a process of its own, which can be killed; it may wait before a type of resource."""
        update = AttachedUpdate.start(self.updater, digest, hold_before=hold_before)
        self._attached.append(update)
        return update

    def deploy_good(self) -> Update:
        """Deploy one more good release. DrillError when that does not end well."""
        update = self.update(self.build("good"))
        expect(not update.error, f"a good release could not be deployed: {update.error}")
        return update

    def operate(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `python -m ops` with these words on this stack, as an operator does."""
        tools = self.updater.tools
        command = [sys.executable, "-m", "ops", *words, "--stack", self.live.stack]
        try:
            return children.run(
                command,
                environment=tools.command_environment({}),
                directory=self.updater.place.root,
                timeout_seconds=OPERATION_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise DrillError(f"`ops {' '.join(words)}` did not end within {OPERATION_SECONDS} s") from None

    def serves(self, release: str, *, within_seconds: float) -> bool:
        """Whether a release answers within some seconds."""
        return releases.serves(self.updater.place, self.live, release, within_seconds=within_seconds)

    def service(self) -> dict[str, Any]:
        """The ECS service, as describe_services answers it."""
        found = self.updater.tools.client("ecs").describe_services(
            cluster=self.live.cluster, services=[self.live.service]
        )
        return dict(found["services"][0])

    def tasks(self) -> list[str]:
        """ARNs of the tasks that the service wants to run."""
        return sorted(
            self.updater.tools.client("ecs").list_tasks(
                cluster=self.live.cluster, serviceName=self.live.service, desiredStatus="RUNNING"
            )["taskArns"]
        )

    def is_steady(self) -> bool:
        """Whether one deployment is there, complete, with all its tasks."""
        service = self.service()
        return (
            service["runningCount"] == service["desiredCount"]
            and [item["rolloutState"] for item in service["deployments"] if item["status"] == "PRIMARY"]
            == ["COMPLETED"]
            and all(item["runningCount"] == 0 for item in service["deployments"] if item["status"] != "PRIMARY")
        )

    def container_of(self, task: str) -> str:
        """The id of a task's container."""
        return self.container(f"com.amazonaws.ecs.task-arn={task}")

    def container(self, label: str) -> str:
        """The id of this rehearsal's one running container with a label. DrillError when there is none."""
        found = self.docker(
            *("ps", "--quiet", "--filter", f"label={self.updater.place.docker_label}", "--filter", f"label={label}")
        ).split()
        expect(found, f"no running container has the label {label}")
        return found[0]

    def docker(self, *arguments: str) -> str:
        """Run docker and return what it says. RehearsalError when it fails."""
        return self.updater.tools.docker.run(*arguments)

    def operations(self, *, since: int = 0) -> str:
        """What operator commands wrote within updates, from a length that `operations_length` gave."""
        try:
            with self.updater.place.transcript.open(encoding="utf-8", errors="replace") as transcript:
                transcript.seek(since)
                return transcript.read()
        except FileNotFoundError:
            return ""

    def operations_length(self) -> int:
        path = self.updater.place.transcript
        return path.stat().st_size if path.exists() else 0

    def wait(self, condition: Callable[[], object], what: str, *, seconds: float = STEADY_SECONDS) -> float:
        """Wait for a condition; answers after how many seconds it held. DrillError with `what` when it does not."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                raise DrillError(f"{what} within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began
