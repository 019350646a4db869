"""Rules about Lambda functions: what code runs as, where its log goes, and who may start it."""

import re
from collections.abc import Iterator

from infra.application_settings import holds_a_secret
from infra.guardrails.resource import Facts, Resource, Unknown
from infra.guardrails.rule import ResourceRule

FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
# The two latest; AWS gives up 3.12 in October 2028 (Lambda Developer Guide, "Lambda runtimes").
CURRENT = ("python3.13", "python3.14")
SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")
# A thing of one account, by its whole name. S3's ARNs alone say no account, and nothing here listens to S3.
EXACT = re.compile(r"arn:[^:*?]+:[^:*?]+:[^:*?]*:\d{12}:[^*?]+")


def _careless(function: Resource, _: Facts) -> Iterator[str]:
    if not function.may_be("packageType", None, "Zip") or not function.may_be("runtime", *CURRENT):
        yield f"it runs on {function.value('runtime') or 'an image'}, which is none of {', '.join(CURRENT)}"
    if function.is_empty("loggingConfig.logGroup"):
        yield "Lambda makes its log group itself, and keeps what is in it for ever"
    variables = function.value("environment.variables")
    for name, value in variables.items() if isinstance(variables, dict) else ():
        # The value is never shown: it may be one.
        if isinstance(value, str) and holds_a_secret(name, value):
            yield f"it is given {name} as plain text"


def _startable(permission: Resource, _: Facts) -> Iterator[str]:
    principal, source = permission.value("principal"), permission.value("sourceArn")
    if not isinstance(principal, Unknown) and not SERVICE.fullmatch(str(principal)):
        yield f"it lets in {principal}, which is no service of AWS"
    if not isinstance(source, Unknown) and not EXACT.fullmatch(str(source or "")):
        yield f"it lets in {principal} on behalf of {source or 'anybody'}"
    if not permission.may_be("action", "lambda:InvokeFunction"):
        yield f"it allows {permission.value('action')}, which is more than to start the function"
    if not permission.is_empty("functionUrlAuthType"):
        yield "it gives the function an address of its own"


def _acting(target: Resource, _: Facts) -> Iterator[str]:
    if not target.is_empty("roleArn"):
        yield "it acts with a role of its own on whatever AWS says of itself"


RULES = (
    ResourceRule(
        id="G36",
        title="functions that are kept up",
        reason="A runtime that AWS has given up gets no repairs; a secret in a variable stands in Pulumi's state.",
        remedy="Choose a current runtime, name a log group of the stack, and let code ask for a secret's value.",
        checkov=("CKV_AWS_45", "CKV_AWS_363"),
        types=frozenset({FUNCTION}),
        check=_careless,
    ),
    ResourceRule(
        id="G37",
        title="functions for one caller",
        reason="A service of AWS starts functions for whoever asks it, and a function does what its role may do.",
        remedy="Allow lambda:InvokeFunction to one service, with the source_arn of one thing of ours.",
        checkov=("CKV_AWS_258", "CKV_AWS_301", "CKV_AWS_364"),
        types=frozenset({PERMISSION}),
        check=_startable,
    ),
    ResourceRule(
        id="G38",
        title="events only tell",
        reason="What AWS says of itself is made by whoever uses it: a target with a role lets them start things.",
        remedy="Let the rule's target be a function or a log, whose own policy lets it in, and name no role.",
        types=frozenset({TARGET}),
        check=_acting,
    ),
)
