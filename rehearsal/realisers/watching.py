"""Lambda functions: their code really runs, by the emulator's own interpreter, and reaches the emulator."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pulumi

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, capitalised, made_by, parameters, verbatim
from rehearsal.realisers.tools import Tools, aws_environment
from rehearsal.state import Deployed, Properties

# A file's time would make another archive of the same files; this is the earliest that a ZIP file can say.
NO_TIME = (1980, 1, 1, 0, 0, 0)
# Of what operator commands are told about the emulator, what MiniStack does not tell functions by itself.
PASSED_ON = ("OPS_CONNECT_TO", "NO_PROXY", "no_proxy")

_CONFIGURATION: dict[str, Field] = {
    "name": "FunctionName",
    "description": "Description",
    "handler": "Handler",
    "runtime": "Runtime",
    "memorySize": "MemorySize",
    "timeout": "Timeout",
    "role": "Role",
    "environment": verbatim("Environment"),
    "loggingConfig": lambda value: {"LoggingConfig": capitalised(value)},
}
# These are told to CreateFunction alone.
_MADE_WITH: dict[str, Field] = {"architectures": "Architectures", "tags": verbatim("Tags")}


class Code(pulumi.AssetArchive):
    """A function's code, equal to whatever says the same digest: the state's file keeps it as that text."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        super().__init__({name: pulumi.FileAsset(str(path)) for name, path in files.items()})
        self.zipped = zipped(files)

    def __str__(self) -> str:
        return f"sha256:{hashlib.sha256(self.zipped).hexdigest()}"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]  # nothing looks it up


def zipped(files: Mapping[str, Path]) -> bytes:
    """The archive that Lambda takes; the same for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), path.read_bytes())
    return made.getvalue()


def _fingerprint(_: Tools, inputs: Properties) -> Properties:
    """The code as what can be compared and kept."""
    assets = inputs["code"].assets if isinstance(inputs["code"], pulumi.AssetArchive) else {}
    files = {name: Path(asset.path) for name, asset in assets.items() if isinstance(asset, pulumi.FileAsset)}
    if not files or len(files) < len(assets):
        raise RehearsalError("the rehearsal knows a function's code only as an archive of files")
    return {"code": Code(files)}


def _configured(tools: Tools, inputs: Properties) -> Properties:
    request = parameters(_CONFIGURATION, inputs)
    told = aws_environment(tools.place, tools.region)
    variables = (inputs.get("environment") or {}).get("variables", {})
    return {**request, "Environment": {"Variables": {**variables, **{name: told[name] for name in PASSED_ON}}}}


def _made(inputs: Properties, response: Properties) -> Made:
    # What was read from the state's file is no archive any more, which Pulumi would insist on.
    return Made(id=inputs["name"], outputs={"arn": response["FunctionArn"], "code": None})


def _create(tools: Tools, _: str, inputs: Properties) -> Made:
    client = tools.client("lambda")
    request = {**_configured(tools, inputs), **parameters(_MADE_WITH, inputs)}
    response = client.create_function(**request, Code={"ZipFile": inputs["code"].zipped})
    client.get_waiter("function_active_v2").wait(FunctionName=inputs["name"])
    return _made(inputs, response)


def _update(tools: Tools, before: Deployed, inputs: Properties) -> Made:
    client, name = tools.client("lambda"), inputs["name"]
    updated = client.get_waiter("function_updated_v2")
    if before.inputs["code"] != inputs["code"]:
        client.update_function_code(FunctionName=name, ZipFile=inputs["code"].zipped)
        updated.wait(FunctionName=name)
    response = client.update_function_configuration(**_configured(tools, inputs))
    updated.wait(FunctionName=name)
    return _made(inputs, response)


_FUNCTION = Realiser(
    create=_create,
    update=_update,
    fingerprint=_fingerprint,
    properties=frozenset({"code", *_CONFIGURATION, *_MADE_WITH}),
    updatable=frozenset({"code", *_CONFIGURATION}) - {"name"},
    name_property="name",
    name_limit=64,
)

_PERMISSION_FIELDS: dict[str, Field] = {
    "statementId": "StatementId",
    "function": "FunctionName",
    "action": "Action",
    "principal": "Principal",
    "sourceArn": "SourceArn",
}

_PERMISSION = Realiser(
    create=made_by(
        "lambda", "add_permission", _PERMISSION_FIELDS, lambda inputs, _: Made(id=inputs["statementId"], outputs={})
    ),
    properties=frozenset(_PERMISSION_FIELDS),
    name_property="statementId",
    name_limit=100,
)

_INVOKE_FIELDS: dict[str, Field] = {
    "functionName": "FunctionName",
    "maximumRetryAttempts": "MaximumRetryAttempts",
    "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
}


def _put_invoke_config(tools: Tools, inputs: Properties) -> Made:
    tools.client("lambda").put_function_event_invoke_config(**parameters(_INVOKE_FIELDS, inputs))
    return Made(id=inputs["functionName"], outputs={})


WATCHING: dict[str, Realiser] = {
    "aws:lambda/function:Function": _FUNCTION,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Realiser(
        create=lambda tools, _, inputs: _put_invoke_config(tools, inputs),
        update=lambda tools, _, inputs: _put_invoke_config(tools, inputs),
        properties=frozenset(_INVOKE_FIELDS),
        updatable=frozenset(_INVOKE_FIELDS) - {"functionName"},
    ),
    "aws:lambda/permission:Permission": _PERMISSION,
}
