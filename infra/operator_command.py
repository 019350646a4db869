"""How an update runs the commands a person can run: `python -m ops ...` in the project's virtual environment."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import local

from infra.settings import Settings

# Where Pulumi.yaml puts the virtual environment: the same text on every machine, or each would run everything again.
PYTHON = ".venv/bin/python"
# What the shell writes when a command of every update has failed. Pulumi would show a failed invoke as a traceback,
# with the command's own message in its last line; a RunError is shown as it is.
FAILED = "this command failed"


@dataclass(frozen=True, kw_only=True)
class OperatorCommand:
    """`python -m ops VERB` with its options; an update fails with the command's own message when the command fails."""

    verb: str
    settings: Settings
    options: Sequence[tuple[str, pulumi.Input[str]]]

    def text(self) -> pulumi.Output[str]:
        """The command line. Every value in it is an ARN, an id, a digest or a number: none needs quoting."""
        settings = self.settings
        words: list[pulumi.Input[str]] = [
            f"{PYTHON} -m ops {self.verb} --project {settings.project} --stack {settings.stack}",
            # The command's credentials come from the environment, not from Pulumi's provider: they must be the same.
            f" --account {settings.account_id}",
        ]
        for option, value in self.options:
            words += [f" {option} ", value]
        return pulumi.Output.concat(*words)

    def environment(self) -> dict[str, str]:
        # What the command prints becomes part of the state; PACTUM_WITHIN_UPDATE keeps container logs out of it.
        return {"AWS_REGION": self.settings.region, "PACTUM_WITHIN_UPDATE": "1"}

    def when_changed(
        self,
        name: str,
        triggers: list[pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
        after: pulumi.Output[None] | None = None,
    ) -> local.Command:
        """A resource that runs the command when it is created and again whenever a trigger changes.

        It waits for `after`, a command of every update, and is not run when that one failed.
        """
        text = pulumi.Output.all(self.text(), after).apply(lambda both: str(both[0]))
        return local.Command(name, create=text, environment=self.environment(), triggers=list(triggers), opts=opts)

    def at_every_update(self, depends_on: Sequence[pulumi.Resource]) -> pulumi.Output[None]:
        """Run the command in every update, also when nothing changed, and in no preview.

        The output resolves when the command succeeded; else the update fails with what the command wrote. A `Command`
        would be skipped exactly when it matters: after ECS rolled a release back, with the program's inputs unchanged.
        """
        if pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(None)
        ran = local.run_output(
            command=pulumi.Output.concat(self.text(), f" || echo {FAILED} $?"),
            # What it says meanwhile, ECS's events above all, is seen where no terminal is; state keeps nothing of it.
            environment={**self.environment(), "OPS_PROGRESS": "stderr"},
            opts=pulumi.InvokeOutputOptions(depends_on=list(depends_on)),
        )
        return ran.apply(lambda result: self._judge(result.stdout, result.stderr))

    def _judge(self, stdout: str, stderr: str) -> None:
        _, failed, exit_code = stdout.rpartition(FAILED)
        if not failed:
            return
        # Its steps were shown as they came; what is left to say begins with its name.
        start = f"ops {self.verb}: "
        _, said, message = f"\n{stderr}".rpartition(f"\n{start}")
        ended = f"ended with exit code {exit_code.strip()}, and said no more than this:\n{stderr}"
        raise pulumi.RunError(start + (message if said else ended).strip())
