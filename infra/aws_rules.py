"""What AWS accepts: forms of names and values that the settings are checked against."""

import re
from dataclasses import dataclass

from infra.config_reader import listed

REPOSITORY = r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[a-z0-9][a-z0-9._/-]*)"
# The AWS partition whose ARNs and host names the program writes.
REGION = r"(?!us-gov-|cn-|us-iso|eu-iso)[a-z]{2}(-[a-z]+)+-\d"
# Its regions, and the letters their zones have: a region opens with a, b and c. Some have lost one since, for all who
# came later; in us-west-1 an account has two of the three. us-east-1e lacks what is new: in old accounts it may be
# another letter, so nobody is refused it.
REGIONS = {
    *("af-south-1", "ca-central-1", "ca-west-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    *("ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6"),
    *("ap-southeast-7", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1"),
    *("eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
}
_OTHER_ZONES = {
    "us-east-1": "abcdef",
    **dict.fromkeys(("us-west-2", "ap-northeast-2"), "abcd"),
    "ap-northeast-1": "acd",
    "ca-central-1": "abd",
}
_FEWER_ZONES = {"us-west-1": 2}
# Names of projects and stacks: RDS takes no two hyphens in a row in what it names after both, nor one at the end.
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
# What mail servers take without quotation marks, and SNS with them.
EMAIL = (
    r"(?=.{6,254}$)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
DOMAIN = r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])"
CERTIFICATE = r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+"
# ACM API, RequestCertificate: the name a certificate is made for, in characters.
CERTIFIED_NAME_LENGTH = 64
# Route 53 API, ResourceId: without the `/hostedzone/` that its answers begin with.
HOSTED_ZONE = r"Z[A-Z0-9]{1,31}"

# AWS documentation, "Amazon ECS task definition parameters for Fargate": CPU units -> memory in MiB.
FARGATE_MEMORY_MIB = {
    256: [512, 1024, 2048],
    512: list(range(1024, 4097, 1024)),
    1024: list(range(2048, 8193, 1024)),
    2048: list(range(4096, 16385, 1024)),
    4096: list(range(8192, 30721, 1024)),
    8192: list(range(16384, 61441, 4096)),
    16384: list(range(32768, 122881, 8192)),
}
MOST_CPU, MOST_MEMORY_MIB = max(FARGATE_MEMORY_MIB), 122880


@dataclass(frozen=True, kw_only=True)
class SizeProblem:
    """Why Fargate has no task of a size. `of_memory`: its memory is wrong, and not its CPU."""

    of_memory: bool
    rule: str
    remedy: str


def fargate_size_problem(cpu: int, memory_mib: int, *, key: str = "cpu") -> SizeProblem | None:
    """What is wrong with a task's CPU units, which stand after `key`, and memory in MiB, if anything is."""
    if cpu not in FARGATE_MEMORY_MIB:
        rule, fitting = "is not a Fargate size.", list(FARGATE_MEMORY_MIB)
    elif memory_mib not in FARGATE_MEMORY_MIB[cpu]:
        rule, fitting = f"does not go with {key} {cpu} on Fargate.", FARGATE_MEMORY_MIB[cpu]
    else:
        return None
    return SizeProblem(of_memory=cpu in FARGATE_MEMORY_MIB, rule=rule, remedy=f"Choose {listed(fitting)}.")


def zone_letters(region: str) -> str:
    """The letters of a region's zones; of no region, those of any."""
    return _OTHER_ZONES.get(region, "abc") if region else "abcdef"


def most_zones(region: str) -> int:
    """How many zones an account has in a region, as far as a stack could use them."""
    return _FEWER_ZONES.get(region, 3)


# CloudWatch Logs API, PutRetentionPolicy: the periods it accepts, in days.
RETENTION_DAYS = [
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
]

# RDS User Guide, "DB instance classes": burstable, general purpose and memory optimised ones that run PostgreSQL 17.
# Only burstable ones are small; the others begin with large.
INSTANCE_CLASS = (
    r"db\.(?:(?P<burstable>t3|t4g)|(?P<family>[mr][5-9]\w*))\."
    r"(?P<size>large|(?(burstable)(?:micro|small|medium|2?xlarge)|(?:2|4|8|12|16|24|32|48)?xlarge))"
)
_SMALL_MEMORY_GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8}


def rds_memory_gib(instance_class: str) -> int:
    """Memory of an RDS instance class in GiB: the size gives it, and memory optimised (`r`) ones have twice as much."""
    match = re.fullmatch(INSTANCE_CLASS, instance_class)
    if not match:
        raise ValueError(f"{instance_class} is no instance class of a known memory")
    size = match["size"]
    general = _SMALL_MEMORY_GIB.get(size) or 16 * int(size.removesuffix("xlarge") or 1)
    return general * (2 if (match["family"] or "").startswith("r") else 1)
