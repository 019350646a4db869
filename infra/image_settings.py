"""What a stack file says of the image: where it is, and how it is built."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.application_settings import holds_a_secret
from infra.aws_rules import REPOSITORY
from infra.config_reader import ConfigReader


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """Where the image is, and how it is built when no digest is given."""

    repository_url: str
    repository_arn: str
    digest: str
    python_image: str
    build_arguments: Mapping[str, str]
    cpu_architecture: str


def read_image(config: ConfigReader, region: str, account_id: str) -> ImageSettings:
    """Read the image's keys; what is wrong with them is left with `config`."""
    example = f"{account_id or '123456789012'}.dkr.ecr.{region or 'us-east-1'}.amazonaws.com/pactum"
    url = config.text("repositoryUrl", pattern=REPOSITORY, example=example, required=True)
    match = re.fullmatch(REPOSITORY, url)
    if match and region and match["region"] != region:
        config.refuse("repositoryUrl", f"is not in the stack's region {region}.", f"Use {example}.")
    elif match and account_id and match["account"] != account_id:
        config.refuse("repositoryUrl", f"is not in the stack's account {account_id}.", f"Use {example}.")
    arn = f"arn:aws:ecr:{match['region']}:{match['account']}:repository/{match['name']}" if match else ""
    return ImageSettings(
        repository_url=url,
        repository_arn=arn,
        digest=config.text("imageDigest", pattern=r"sha256:[0-9a-f]{64}", example="sha256: and 64 hexadecimal digits"),
        python_image=config.text("pythonImage", pattern=r"\S+", example="docker.io/library/python:3.13", required=True),
        build_arguments=_build_arguments(config),
        cpu_architecture=config.choice("cpuArchitecture", ["X86_64", "ARM64"]),
    )


def _build_arguments(config: ConfigReader) -> Mapping[str, str]:
    arguments = config.mapping("buildArguments")
    if "PYTHON_IMAGE" in arguments:
        config.refuse("buildArguments", "PYTHON_IMAGE has a key of its own.", "Set pactum:pythonImage instead.")
    for name in sorted(name for name, value in arguments.items() if holds_a_secret(name, value)):
        config.refuse(
            "buildArguments",
            f"{name} looks like a secret, and arguments stay readable in the image's history.",
            "Build with `make image`, which takes secrets as secrets (PIP_CONF), push, and set pactum:imageDigest.",
        )
    return arguments
