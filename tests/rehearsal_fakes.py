"""A place, tools and realisers that need neither Docker nor an emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.configuration import Configuration
from rehearsal.docker_client import DockerClient
from rehearsal.engine import Engine
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tools import Tools
from rehearsal.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.state import Deployed, Properties

PROGRAM = """
import pulumi
config = pulumi.Config()
class Thing(pulumi.CustomResource):
    def __init__(self, name, kind="fake:index:Thing", opts=None, **props):
        super().__init__(kind, name, {"given": None, **props}, opts)
    given: pulumi.Output[str]
"""


def fake_tools(root: Path = PROJECT_ROOT) -> Tools:
    """Tools whose docker does not exist and whose emulator nobody started."""
    place = Place(root=root, gateway_port=1, front_port=2)
    docker = DockerClient(executable="/nonexistent/docker")
    return Tools(place=place, docker=docker, directory=root, command_timeout_seconds=20)


@dataclass
class FakeCloud:
    """Makes things of type fake:index:Thing and remembers what it was asked."""

    created: list[Properties] = field(default_factory=list)
    updated: list[Properties] = field(default_factory=list)
    updatable: bool = True
    present: Properties = field(default_factory=dict)

    def find(self, _: str) -> Realiser:
        return Realiser(
            create=self._create,
            update=self._update if self.updatable else None,
            updatable=frozenset({"size", "count"}),
            removable=frozenset({"size"}),
            refresh=self._refresh,
            properties=frozenset({"size", "count"}),
            not_rehearsed={"polish": "nobody looks"},
            name_property="name",
            name_limit=20,
        )

    def _create(self, _: Tools, name: str, inputs: Properties) -> Made:
        if inputs.get("size") == "broken":
            raise ValueError("the cloud refuses broken things")
        self.created.append(inputs)
        return Made(id=f"id-of-{name}", outputs={"given": f"arn:{name}"})

    def _update(self, _: Tools, before: Deployed, inputs: Properties) -> Made:
        self.updated.append(inputs)
        return Made(id=before.id, outputs={"given": before.outputs["given"]})

    def _refresh(self, _: Tools, before: Deployed) -> Properties:
        return {**before.inputs, **self.present}


def engine_with(cloud: FakeCloud, state: State | None = None, *, preview: bool = False) -> Engine:
    """An engine for one run on the fake cloud."""
    return Engine(tools=fake_tools(), state=state or State(), preview=preview, find=cloud.find)


def written(directory: Path, body: str, values: dict[str, str] | None = None) -> Configuration:
    """A program with the given body, ready to be run."""
    directory.mkdir(exist_ok=True)
    (directory / "__main__.py").write_text(PROGRAM + body)
    return Configuration(project="shop", stack="dev", program=directory, values=values or {})
