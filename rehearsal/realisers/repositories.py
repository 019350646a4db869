"""Where images are kept: the emulator's ECR is a registry that tasks really pull from."""

from rehearsal.realisers.data import AT_DELETION
from rehearsal.realisers.realiser import Made, Realiser, made_by, tag_list
from rehearsal.state import Properties


def _encryption(configurations: list[Properties]) -> Properties:
    return {"encryptionConfiguration": configurations[0]}


_REPOSITORY = Realiser(
    create=made_by(
        "ecr",
        "create_repository",
        {
            "name": "repositoryName",
            "imageTagMutability": "imageTagMutability",
            "imageScanningConfiguration": lambda value: {"imageScanningConfiguration": value},
            "encryptionConfigurations": _encryption,
            "tags": tag_list("tags"),
        },
        lambda inputs, response: Made(
            id=inputs["name"],
            outputs={
                "arn": response["repository"]["repositoryArn"],
                "registryId": response["repository"]["registryId"],
                "repositoryUrl": response["repository"]["repositoryUri"],
            },
        ),
    ),
    properties=frozenset({"imageTagMutability", "imageScanningConfiguration", "encryptionConfigurations", "tags"}),
    not_rehearsed={"forceDelete": AT_DELETION},
    name_property="name",
)

_LIFECYCLE_POLICY = Realiser(
    create=made_by(
        "ecr",
        "put_lifecycle_policy",
        {"repository": "repositoryName", "policy": "lifecyclePolicyText"},
        lambda inputs, response: Made(id=inputs["repository"], outputs={"registryId": response.get("registryId")}),
    ),
    properties=frozenset({"repository", "policy"}),
)

REPOSITORIES: dict[str, Realiser] = {
    "aws:ecr/repository:Repository": _REPOSITORY,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _LIFECYCLE_POLICY,
}
