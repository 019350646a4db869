"""The task in which a person works beside the application: `python -m ops shell`."""

from dataclasses import dataclass

import pulumi

from infra.application import ApplicationEnvironment
from infra.image import Image
from infra.load_balancer import LoadBalancer
from infra.process import Process, ProcessArgs
from infra.settings import Settings
from infra.task_definition import task_definition

# The task ends by itself after an hour, whatever became of the person who started it.
COMMAND = ("python", "-c", "import time; time.sleep(3600)")


@dataclass(frozen=True, kw_only=True)
class OperatorShellArgs:
    """The same image, settings and secrets as the web service's."""

    settings: Settings
    image: Image
    environment: ApplicationEnvironment
    balancer: LoadBalancer


class OperatorShell(pulumi.ComponentResource):
    """A task definition of its own for people, because ECS Exec cannot enter a read-only root filesystem.

    Creates the process `...-shell` (log group and roles) and its task definition. No service runs it: `ops shell`
    starts one task of it, and stops it.
    """

    def __init__(self, name: str, args: OperatorShellArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:OperatorShell", name, None, opts)
        child_opts, web = pulumi.ResourceOptions(parent=self), args.settings.web
        process = Process(
            f"{name}-shell",
            ProcessArgs(
                settings=args.settings,
                image=args.image,
                process="shell",
                cpu=256,
                memory_mib=512,
                command=COMMAND,
                environment=args.environment.web(args.balancer.allowed_hosts, web.serving, https=args.balancer.https),
                secrets=args.environment.secret(),
                secret_arns=args.environment.secrets.arns,
                for_people=True,
                media_bucket_arn=args.environment.media_bucket_arn,
            ),
            child_opts,
        )
        task_definition(f"{name}-shell", process.task, child_opts)
        self.register_outputs({})
