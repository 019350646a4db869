"""stacks/lean_imports.py: the program loads what it names, and gets the same classes as without."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap

import pytest

from tests.recorder import ROOT


def run(source: str) -> str:
    """What a fresh interpreter prints: this one has loaded `pulumi_aws` long ago."""
    source = "from stacks import lean_imports\nlean_imports.install()\n" + textwrap.dedent(source)
    command = [sys.executable, "-c", source]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def named() -> list[tuple[str, str]]:
    """Package and name of all that infra/ names of `pulumi_aws`."""
    found: set[tuple[str, str]] = set()
    for path in (ROOT / "infra").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        services = {
            alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom) and node.module == "pulumi_aws"
            for alias in node.names
        }
        found |= {
            (node.value.id, node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in services
        }
    return sorted(found)


def test_all_that_infra_names_is_found_without_its_package_and_is_the_same_with_it() -> None:
    assert len(named()) > 80, "names are no longer found, and the test says nothing"
    answer = run(f"""
        import json
        from importlib import import_module
        named = [(import_module("pulumi_aws." + service), name) for service, name in {named()!r}]
        lean = [getattr(*one) for one in named]
        whole = sorted({{package.__name__ for package, _ in named if "__getattr__" not in vars(package)}})
        for package, _ in named:
            package._utilities  # which only a whole package has
        assert not any("__getattr__" in vars(package) for package, _ in named)
        other = [name for (package, name), value in zip(named, lean) if vars(package)[name] is not value]
        print(json.dumps([whole, other]))
    """)
    whole, other = json.loads(answer)
    assert whole == [], "loaded whole, for something of it that has no module of its name"
    assert other == [], "another class than the package's own"


@pytest.mark.parametrize(
    "expression",
    [
        # A function whose module has its name, a result, an enumeration, arguments that a resource's module defines.
        "type(ec2.get_ami).__name__ == 'function'",
        "ec2.GetAmiResult.__module__ == 'pulumi_aws.ec2.get_ami'",
        "ec2.InstanceType.__module__ == 'pulumi_aws.ec2._enums'",
        "ec2.VpcArgs.__module__ == 'pulumi_aws.ec2.vpc'",
        "ec2.Vpc.__module__ == 'pulumi_aws.ec2.vpc' and callable(ec2.get_ami)",
        # What has another kind of __init__ keeps it.
        "pulumi_aws.config.region is None and '__getattr__' not in vars(pulumi_aws.config)",
    ],
)
def test_whatever_else_is_asked_for_is_there_too(expression: str) -> None:
    assert run(f"import pulumi_aws\nfrom pulumi_aws import ec2\nprint({expression})") == "True"


def test_everything_can_be_imported_from_a_package() -> None:
    assert run("from pulumi_aws.sqs import *\nprint(Queue.__name__, get_queue.__name__)") == "Queue get_queue"


def test_a_name_that_does_not_exist_is_the_usual_error() -> None:
    source = "from pulumi_aws import ec2\ntry: ec2.Vcp\nexcept AttributeError as error: print(error)"
    assert run(source) == "module 'pulumi_aws.ec2' has no attribute 'Vcp'"


def test_only_what_is_named_is_loaded() -> None:
    source = "import sys\nfrom pulumi_aws import ec2\nec2.Vpc\nprint([m for m in sys.modules if 'aws.ec2.' in m])"
    assert run(source) == "['pulumi_aws.ec2.vpc']"


def test_it_is_installed_once() -> None:
    source = "lean_imports.install()\nimport sys\nprint([type(f).__name__ for f in sys.meta_path].count('LeanFinder'))"
    assert run(source) == "1"
