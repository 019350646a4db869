"""ECS: tasks really run, as containers on this machine, rolled and rolled back by the emulator and its extensions."""

import json
import time
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, merge, parameters, tag_list, verbatim
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

STEADY_SECONDS = 900

_tags = tag_list("tags", key="key", value="value")


def _cluster(_: Properties, response: Properties) -> Made:
    arn = response["cluster"]["clusterArn"]
    return Made(id=arn, outputs={"arn": arn})


_CLUSTER = Realiser(
    create=made_by(
        "ecs",
        "create_cluster",
        {"name": "clusterName", "settings": verbatim("settings"), "tags": _tags},
        _cluster,
    ),
    properties=frozenset({"settings", "tags"}),
    name_property="name",
)

_TASK_FIELDS: dict[str, Field] = {
    "family": "family",
    "cpu": "cpu",
    "memory": "memory",
    "networkMode": "networkMode",
    "requiresCompatibilities": "requiresCompatibilities",
    "runtimePlatform": verbatim("runtimePlatform"),
    "executionRoleArn": "executionRoleArn",
    "taskRoleArn": "taskRoleArn",
    "volumes": verbatim("volumes"),
    "containerDefinitions": lambda text: {"containerDefinitions": json.loads(text)},
    "tags": _tags,
}


def _register(tools: Tools, inputs: Properties) -> Made:
    definition = tools.client("ecs").register_task_definition(**parameters(_TASK_FIELDS, inputs))["taskDefinition"]
    arn = str(definition["taskDefinitionArn"])
    outputs = {"arn": arn, "arnWithoutRevision": arn.rpartition(":")[0], "revision": definition["revision"]}
    return Made(id=inputs["family"], outputs=outputs)


def _new_revision(tools: Tools, before: Deployed, inputs: Properties) -> Made:
    made = _register(tools, inputs)
    if not inputs.get("skipDestroy"):
        tools.client("ecs").deregister_task_definition(taskDefinition=before.outputs["arn"])
    return made


_TASK_DEFINITION = Realiser(
    create=lambda tools, _, inputs: _register(tools, inputs),
    update=_new_revision,
    properties=frozenset({*_TASK_FIELDS, "skipDestroy"}),
    # A revision is registered whole.
    updatable=frozenset({*_TASK_FIELDS, "skipDestroy"}),
    removable=frozenset({*_TASK_FIELDS, "skipDestroy"}),
)


def _network(value: Properties) -> Properties:
    public = {True: "ENABLED", False: "DISABLED"}
    settings = {key: item for key, item in value.items() if key != "assignPublicIp"}
    if "assignPublicIp" in value:
        settings["assignPublicIp"] = public[value["assignPublicIp"]]
    return {"networkConfiguration": {"awsvpcConfiguration": settings}}


def _deployment(key: str) -> Any:  # noqa: ANN401 - a Field
    return lambda value: {"deploymentConfiguration": {key: value}}


def _alarms(value: Properties) -> Properties:
    names = ("alarmNames", "enable", "rollback")
    return {"deploymentConfiguration": {"alarms": {name: value[name] for name in names}}}


# What the emulator's UpdateService acts on as ECS does, in every request that has it.
_CHANGEABLE: dict[str, Field] = {
    "taskDefinition": "taskDefinition",
    "desiredCount": "desiredCount",
    "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "deploymentMinimumHealthyPercent": _deployment("minimumHealthyPercent"),
    "deploymentMaximumPercent": _deployment("maximumPercent"),
    "deploymentCircuitBreaker": _deployment("deploymentCircuitBreaker"),
    "alarms": _alarms,
    "enableExecuteCommand": "enableExecuteCommand",
    "forceNewDeployment": "forceNewDeployment",
}
# What a change of would roll every task on AWS, or what UpdateService does not take: rehearsed at creation only.
_FIXED: dict[str, Field] = {
    "name": "serviceName",
    "cluster": "cluster",
    "launchType": "launchType",
    "schedulingStrategy": "schedulingStrategy",
    "deploymentController": verbatim("deploymentController"),
    "platformVersion": "platformVersion",
    "networkConfiguration": _network,
    "loadBalancers": verbatim("loadBalancers"),
    "propagateTags": "propagateTags",
    "enableEcsManagedTags": "enableECSManagedTags",
    "tags": _tags,
}
# Where the service is, which every request must say.
_WHERE: dict[str, Field] = {"cluster": _FIXED["cluster"]}


def _create_service(tools: Tools, _: str, inputs: Properties) -> Made:
    creation = {key: value for key, value in (_CHANGEABLE | _FIXED).items() if key != "forceNewDeployment"}
    service = tools.client("ecs").create_service(**parameters(creation, inputs))["service"]
    made = Made(id=service["serviceArn"], outputs={"arn": service["serviceArn"]})
    _wait_if_asked(tools, inputs, made.id)
    return made


def _update_service(tools: Tools, before: Deployed, inputs: Properties) -> Made:
    request = parameters(_CHANGEABLE | _WHERE, inputs)
    merge(request, {"service": before.id})
    tools.client("ecs").update_service(**request)
    _wait_if_asked(tools, inputs, before.id)
    return Made(id=before.id, outputs={"arn": before.id})


def _wait_if_asked(tools: Tools, inputs: Properties, arn: str) -> None:
    deadline = time.monotonic() + STEADY_SECONDS
    while inputs.get("waitForSteadyState"):
        service = tools.client("ecs").describe_services(cluster=inputs["cluster"], services=[arn])["services"][0]
        if len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"]:
            return
        if time.monotonic() > deadline:
            raise RehearsalError(f"the service is not steady after {STEADY_SECONDS} s")
        time.sleep(1)


def _as_it_is(tools: Tools, deployed: Deployed) -> Properties:
    """What `refresh: always` finds: ECS may have rolled back, and autoscaling may have changed the count."""
    cluster = deployed.inputs["cluster"]
    service = tools.client("ecs").describe_services(cluster=cluster, services=[deployed.id])["services"][0]
    return {
        **deployed.inputs,
        "taskDefinition": service["taskDefinition"],
        "desiredCount": service["desiredCount"],
    }


_SERVICE = Realiser(
    create=_create_service,
    update=_update_service,
    refresh=_as_it_is,
    properties=frozenset({*_CHANGEABLE, *_FIXED, "waitForSteadyState"}),
    updatable=frozenset({*_CHANGEABLE, "waitForSteadyState"}),
    removable=frozenset({"forceNewDeployment", "waitForSteadyState"}),
    name_property="name",
)

COMPUTE: dict[str, Realiser] = {
    "aws:ecs/cluster:Cluster": _CLUSTER,
    "aws:ecs/taskDefinition:TaskDefinition": _TASK_DEFINITION,
    "aws:ecs/service:Service": _SERVICE,
}
