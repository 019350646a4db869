"""What a stack file says of the web service: how users reach it, and what its tasks are."""

from dataclasses import dataclass

from infra.aws_rules import CERTIFICATE, DOMAIN, FARGATE_MEMORY_MIB
from infra.config_reader import ConfigReader, listed
from infra.serving import Serving, connection_budget, fewest_connections, serving


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """The web service: how users reach it, and what its tasks are. `serving` is derived from their size."""

    certificate_arn: str
    domain_name: str
    cpu: int
    memory_mib: int
    minimum: int
    serving: Serving
    health_grace_seconds: int
    deployment_timeout_seconds: int


def read_web(config: ConfigReader, region: str, instance_class: str) -> WebSettings:
    """Read the web service's keys; what is wrong with them is left with `config`."""
    example = f"arn:aws:acm:{region}:123456789012:certificate/..."
    certificate_arn = config.text("certificateArn", pattern=CERTIFICATE, example=example)
    domain_name = config.text("domainName", pattern=DOMAIN, example="pactum.example.com")
    if certificate_arn and not domain_name and not config.is_refused("domainName"):
        config.refuse("certificateArn", "is set without domainName.", "Set domainName to the name it certifies.")
    if certificate_arn and region and certificate_arn.split(":")[3] != region:
        config.refuse(
            "certificateArn", f"is not in the stack's region {region}.", "A balancer takes only its region's."
        )
    cpu = config.whole("taskCpu", 256, 4096)
    memory = config.whole("taskMemoryMib", 512, 30720)
    if not config.is_refused("taskCpu", "taskMemoryMib"):
        _check_fargate_size(config, cpu, memory)
    minimum = config.whole("webMinimum", 1, 100)
    return WebSettings(
        certificate_arn=certificate_arn,
        domain_name=domain_name,
        cpu=cpu,
        memory_mib=memory,
        minimum=minimum,
        serving=_serving(config, cpu, memory, minimum, instance_class),
        health_grace_seconds=config.whole("healthGraceSeconds", 0, 600),
        deployment_timeout_seconds=config.whole("deploymentTimeoutSeconds", 60, 3600),
    )


def _serving(config: ConfigReader, cpu: int, memory_mib: int, tasks: int, instance_class: str) -> Serving:
    budget = connection_budget(instance_class) if instance_class else 0
    size = serving(cpu=cpu, memory_mib=memory_mib, connections=budget, tasks=tasks)
    fewest = fewest_connections(size, tasks)
    if instance_class and fewest > budget and not config.is_refused("taskCpu", "taskMemoryMib", "webMinimum"):
        config.refuse(
            "webMinimum",
            f"needs {fewest} database connections while old and new tasks run side by side; {instance_class} has"
            f" {budget} for them.",
            "Choose a larger databaseInstanceClass, or fewer tasks.",
        )
    return size


def _check_fargate_size(config: ConfigReader, cpu: int, memory_mib: int) -> None:
    if cpu not in FARGATE_MEMORY_MIB:
        config.refuse("taskCpu", "is not a Fargate size.", f"Choose {listed(list(FARGATE_MEMORY_MIB))}.")
    elif memory_mib not in FARGATE_MEMORY_MIB[cpu]:
        config.refuse(
            "taskMemoryMib",
            f"does not go with taskCpu {cpu} on Fargate.",
            f"Choose {listed(FARGATE_MEMORY_MIB[cpu])}.",
        )
