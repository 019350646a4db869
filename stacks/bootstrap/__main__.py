import sys
from pathlib import Path

# Pulumi puts this directory on the path; infra/ and stacks/ are two levels above it.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stacks.bootstrap.account import deploy

deploy()
