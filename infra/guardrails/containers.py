"""Rules about what runs: containers, and the images they are made of."""

import re
from collections.abc import Iterator
from typing import Any

from infra.application_settings import holds_a_secret
from infra.guardrails.resource import Facts, Graph, Resource, Unknown, UnreadableError
from infra.guardrails.rule import GraphRule, ResourceRule

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
SCHEDULE = "aws:scheduler/schedule:Schedule"
REPOSITORY = "aws:ecr/repository:Repository"
PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")
ROOT = ("", "0", "root")
# A person works in it through ECS Exec, whose agent writes to the root file system; nothing that serves users is it.
FOR_PEOPLE = "shell"


def _containers(definition: Resource) -> list[dict[str, Any]]:
    document = definition.document("containerDefinitions")
    if document is None:
        return []
    if not isinstance(document, list) or not all(isinstance(each, dict | Unknown) for each in document):
        raise UnreadableError(definition, "its containerDefinitions are no list of containers")
    return [each for each in document if isinstance(each, dict)]


def _plain_secrets(definition: Resource, _: Facts) -> Iterator[str]:
    for container in _containers(definition):
        for variable in container.get("environment") or []:
            # The value is never shown: it may be one.
            if holds_a_secret(variable["name"], variable["value"]):
                yield f"the container {container['name']} is given {variable['name']} as plain text"


def _movable_images(definition: Resource, _: Facts) -> Iterator[str]:
    for container in _containers(definition):
        if not PINNED.fullmatch(container.get("image", "")):
            yield f"the image of the container {container['name']} is not named by its digest"


def _soft(definition: Resource, _: Facts) -> Iterator[str]:
    if definition.value("pidMode") == "host":
        yield "its containers see the host's processes"
    for container in _containers(definition):
        name = container["name"]
        if container.get("privileged"):
            yield f"the container {name} is privileged"
        if str(container.get("user", "")).partition(":")[0] in ROOT:
            yield f"the container {name} runs as root"
        if _writable(container) and name != FOR_PEOPLE:
            yield f"the container {name} can change its own program"


def _writable(container: dict[str, Any]) -> bool:
    return not container.get("readonlyRootFilesystem")


def _serves_writable(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    serving = graph.users_of(SERVICE, "taskDefinition") | graph.users_of(SCHEDULE, "target")
    for definition in graph.of_type(TASK_DEFINITION):
        for container in _containers(definition) if definition.urn in serving else []:
            if _writable(container) and container.get("name") == FOR_PEOPLE:
                yield definition, f"the container {FOR_PEOPLE} serves users, and can change its own program"


def _mutable_repository(repository: Resource, _: Facts) -> Iterator[str]:
    if not repository.may_be("imageTagMutability", "IMMUTABLE"):
        yield "a tag can be moved to another image"
    if not repository.may_be("imageScanningConfiguration.scanOnPush", True):
        yield "images are not scanned when they are pushed"


RULES = (
    ResourceRule(
        id="G01",
        title="no secret in plain text",
        reason="A container's environment stands in Pulumi's state, in ECS's API and in all revisions kept.",
        remedy="Name the variable in pactum:secrets, and put its value with `python -m ops set-secret`.",
        types=frozenset({TASK_DEFINITION}),
        check=_plain_secrets,
    ),
    ResourceRule(
        id="G02",
        title="images by digest",
        reason="A tag can mean another image tomorrow: what was tested would not be what runs.",
        remedy="Name the image REPOSITORY@sha256:..., as infra/image.py does.",
        types=frozenset({TASK_DEFINITION}),
        check=_movable_images,
    ),
    ResourceRule(
        id="G03",
        title="hardened containers",
        reason="Who breaks into a process should find a user without rights, and nothing to change.",
        remedy="Use task_definition() of infra/task_definition.py, which sets user and read-only root file system.",
        checkov=("CKV_AWS_334", "CKV_AWS_335"),
        types=frozenset({TASK_DEFINITION}),
        check=_soft,
    ),
    ResourceRule(
        id="G04",
        title="images stay what they are",
        reason="The repository is shared by all stacks; what production runs must be what was pushed and scanned.",
        remedy='Set image_tag_mutability="IMMUTABLE" and scan_on_push=True.',
        checkov=("CKV_AWS_51", "CKV_AWS_163"),
        types=frozenset({REPOSITORY}),
        check=_mutable_repository,
    ),
    GraphRule(
        id="G32",
        title="what serves is read-only",
        reason="G03 lets the shell for people write, by its name; nothing that users reach may hide behind that.",
        remedy="Let services and schedules run a task definition of which every container is read-only.",
        check=_serves_writable,
    ),
)
