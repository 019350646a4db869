"""Loads of `pulumi_aws` the modules that the program names, and not all that their packages hold.

To name `ec2.Vpc` is to load 180 modules of EC2, of which the program needs 15: `pulumi_aws/ec2/__init__.py` imports
each of them, as those of all services do. A third of the program's time went into that, and 34 MB, in every preview.
Here such a package runs its `__init__` only when it is asked for what no module of that name defines; the classes are
the same ones, and type checkers and editors see nothing of it. Nothing depends on it: without it all is loaded.
"""

import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

SERVICE = re.compile(r"pulumi_aws\.\w+")
CLASS = re.compile(r"[A-Z]\w*")
# Modules that a service's own modules import as such.
SHARED = ("_inputs", "outputs")


def install() -> None:
    """Do so from now on; what is loaded already stays as it is."""
    if not any(isinstance(finder, LeanFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LeanFinder())


class LeanFinder(MetaPathFinder):
    """Finds the packages of AWS's services, and leaves everything else to the finders after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not SERVICE.fullmatch(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # `_inputs` is what Pulumi generates for services; `pulumi_aws.config`, for one, is another kind of package.
        if not spec or not isinstance(spec.loader, SourceFileLoader) or not spec.submodule_search_locations:
            return None
        if not Path(spec.loader.path).with_name("_inputs.py").exists():
            return None
        spec.loader = LeanLoader(spec.loader.name, spec.loader.path)
        return spec


class LeanLoader(SourceFileLoader):
    """Loads a service's package without its modules, each of which follows when something of it is asked for."""

    def exec_module(self, module: ModuleType) -> None:
        def missing(name: str) -> object:
            found = self._lean(module, name)
            if found is None:
                vars(module).pop("__getattr__", None)
                super(LeanLoader, self).exec_module(module)
                return getattr(module, name)
            vars(module)[name] = found
            return found

        vars(module)["__getattr__"] = missing

    def _lean(self, package: ModuleType, name: str) -> object:
        """What a package calls `name`, by the one module that should define it, or None."""
        if name in SHARED:
            return importlib.import_module(f"{package.__name__}.{name}")
        if not CLASS.fullmatch(name):
            return None
        resource = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for stem in (resource, "_inputs") if name.endswith("Args") else (resource,):
            if Path(self.path).with_name(f"{stem}.py").exists():
                module = importlib.import_module(f"{package.__name__}.{stem}")
                if name in module.__all__:
                    return vars(module)[name]
        return None
