"""The project in tests/other_project, made deployable by what docs/app-contract.md tells, word by word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "tests/other_project"
CONTRACT = ROOT / "docs/app-contract.md"
STACK_FILE = PROJECT / "Pulumi.shop.yaml"
# Where the stack file says that it is.
CONTEXT = ROOT / ".rehearsal/other_project"


def block(language: str) -> str:
    """The one block in this language of the page's last section."""
    section = CONTRACT.read_text(encoding="utf-8").partition("## A stock Django project")[2]
    (found,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(found)


def assemble(target: Path) -> Path:
    """Put the project and the kit together in a directory that is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        ["bash", "-euc", block("bash")], cwd=target, env={**os.environ, "PACTUM": str(ROOT)}, check=True, timeout=60
    )
    return target
