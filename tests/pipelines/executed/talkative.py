"""A pull request that says too much: secrets in all that a preview shows, and more of it than a host takes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.drills.drill import expect
from tests.pipelines.executed.jobs import PULL_REQUEST, Ran, Trigger
from tests.pipelines.executed.runner import TOKEN

if TYPE_CHECKING:
    from tests.pipelines.executed.runner import Host

CANARY = "canary"
LINES = 3000
# What the program prints and logs, and what it exports. None of these values may be seen by anybody.
PROGRAM = f"""
import base64, os
import pulumi
import pulumi_aws as aws

print("connecting to postgres://pactum:{CANARY}-1@db.example.com/pactum")
print("with AKIAIOSFODNN7CANARY1 and aws_secret_access_key={CANARY}/2+x")
print("the host's token is", os.environ.get("GITHUB_TOKEN"))
print("in base64", base64.b64encode(os.environ.get("GITHUB_TOKEN", "").encode()).decode())
pulumi.log.warn("DJANGO_SECRET_KEY=k!3^x&{CANARY}-3(_+")
pulumi.export("database", {{"host": "db", "password": "{CANARY}-4"}})
pulumi.export("database_url", "postgres://pactum:{CANARY}-5@db/pactum")
pulumi.export("environment", [{{"name": "API_TOKEN", "value": "{CANARY}-6"}}, {{"name": "PORT", "value": "8000"}}])
pulumi.export("wrapped", pulumi.Output.secret("{CANARY}-7"))
for number in range({LINES}):
    print(f"line {{number}} of what the program says, and nobody reads")
"""
# How the same is told.
SHOWN = (
    "connecting to postgres://[hidden]@db.example.com/pactum",
    "with [hidden] and aws_secret_access_key=[hidden]",
    "the host's token is [hidden]",
    "in base64 [hidden]",
    "DJANGO_SECRET_KEY=[hidden]",
)
OUTPUTS = (
    "password: [hidden]",
    'database_url: "postgres://[hidden]@db/pactum"',
    "value: [hidden]",
    'value: "8000"',
    "wrapped: [secret]",
)
FOR_EVER = '\naws.cloudwatch.LogGroup("for-ever")\n'
MIGRATIONS = "app_image/agreements/migrations"
_MIGRATION = """from django.db import migrations


def code(apps, schema_editor):
    {code}


class Migration(migrations.Migration):
    dependencies = [("agreements", "{after}")]
    operations = [migrations.RunSQL({sql!r}), migrations.RunPython(code, migrations.RunPython.noop)]
"""
DROPPED = f"""ALTER TABLE "agreements_agreement" DROP COLUMN "terms" -- of PASSWORD '{CANARY}-8'"""
RAISED = f'raise RuntimeError("no answer of postgres://pactum:{CANARY}-9@db/pactum")'


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one run of the pull request's preview has told, and where."""

    ran: Ran
    comments: tuple[str, ...]
    files: dict[str, str]
    """What the job keeps for people."""


def preview(host: Host, *, broken: bool) -> Told:
    """Run it: a log group and a column would be gone; where it is `broken`, a rule and a migration are, too."""
    scratch, branch = host.scratch, "talkative"
    start = (scratch.directory / "__main__.py").read_text().partition(PROGRAM)[0]
    stack_file = (scratch.directory / "Pulumi.staging.yaml").read_text().partition("  pactum:jobs:")[0]
    files = {
        "__main__.py": start + PROGRAM + (FOR_EVER if broken else ""),
        "Pulumi.staging.yaml": stack_file,
        f"{MIGRATIONS}/0002_dropped.py": _MIGRATION.format(code="pass", after="0001_initial", sql=DROPPED),
    }
    if broken:
        files[f"{MIGRATIONS}/0003_broken.py"] = _MIGRATION.format(code=RAISED, after="0002_dropped", sql="SELECT 1")
    commit = scratch.commit(branch, files)
    trigger = Trigger(kind=PULL_REQUEST, branch=branch, title="It says too much", commit=commit, head=commit)
    kept: dict[str, str] = {}
    job, clone = host.job("preview", trigger), host.clone(trigger)
    process = host.start(job, "make ci-preview STACKS=staging", trigger, clone)
    said = process.communicate(timeout=300)[0]
    expect((clone / "ci").is_dir(), said)
    for path in sorted((clone / "ci").iterdir()):
        kept[path.name] = path.read_text()
    ran = Ran(job=job.name, code=process.returncode, output=said)
    return Told(ran=ran, comments=tuple(each["body"] for each in host.people.comments), files=kept)


def secrets() -> tuple[str, ...]:
    """What may be nowhere."""
    return (CANARY, CANARY.upper(), TOKEN, base64.b64encode(TOKEN.encode()).decode().rstrip("="))
