"""A function of Lambda for the tests, which tells what it is invoked with."""

import io
import json
import zipfile
from typing import Any

from emulator_cloud import Cloud

# A function that writes what it is invoked with to its log.
ECHO = "import json\ndef handler(event, context):\n    print('echo', json.dumps(event))\n"


def function(cloud: Cloud, name: str, code: str = ECHO) -> str:
    """Make a function and return its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("index.py", code)
    made = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::123456789012:role/function",
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])


def echoed(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    """The events that a function with ECHO was invoked with, as it wrote them to its log."""
    try:
        found = cloud.logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    except cloud.logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(each["message"][5:]) for each in found if each["message"].startswith("echo ")]
