"""What AWS accepts: forms of names and values that the settings are checked against."""

import re

REPOSITORY = r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[a-z0-9][a-z0-9._/-]*)"
EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
# The AWS partition whose ARNs and host names the program writes.
REGION = r"(?!us-gov-|cn-|us-iso|eu-iso)[a-z]{2}(-[a-z]+)+-\d"
# Names of projects and stacks: RDS takes no two hyphens in a row in what it names after both, nor one at the end.
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
# An ALB's name has 32 characters at most: project, stack, `-web-` and seven that Pulumi adds, with a hyphen between.
NAME_LENGTH = 19
DOMAIN = r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
CERTIFICATE = r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+"

# AWS documentation, "Amazon ECS task definition parameters for Fargate": CPU units -> memory in MiB.
FARGATE_MEMORY_MIB = {
    256: [512, 1024, 2048],
    512: list(range(1024, 4097, 1024)),
    1024: list(range(2048, 8193, 1024)),
    2048: list(range(4096, 16385, 1024)),
    4096: list(range(8192, 30721, 1024)),
}
# ECS API, HealthCheck: the longest startPeriod, in seconds.
LONGEST_START_SECONDS = 300
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
INSTANCE_CLASS = r"db\.(?P<family>t3|t4g|m[5-9]\w*|r[5-9]\w*)\.(?P<size>micro|small|medium|large|\d{0,2}xlarge)"
_SMALL_MEMORY_GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8}


def rds_memory_gib(instance_class: str) -> int:
    """Memory of an RDS instance class in GiB: the size gives it, and memory optimised (`r`) ones have twice as much."""
    match = re.fullmatch(INSTANCE_CLASS, instance_class)
    if not match:
        raise ValueError(f"{instance_class} is no instance class of a known memory")
    size = match["size"]
    general = _SMALL_MEMORY_GIB.get(size) or 16 * int(size.removesuffix("xlarge") or 1)
    return general * (2 if match["family"].startswith("r") else 1)
