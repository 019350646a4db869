import sys
from pathlib import Path

# Pulumi puts this directory on the path; infra/ is two levels above it.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from pulumi_policy import EnforcementLevel, PolicyPack

from infra.guardrails.policies import policies

PolicyPack("pactum-guardrails", policies(), EnforcementLevel.MANDATORY)
