"""Where EventBridge's rules lead: log groups and functions, each only where its own policy lets EventBridge in."""

import json
import logging
import time
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import cloudwatch_logs, ecs, eventbridge, lambda_svc

from rehearsal.emulator.patching import Extension, replace, require

logger = logging.getLogger("rehearsal.events")

EXTENSION = Extension(
    name="targets of event rules",
    rule=(
        "A rule's event is written to a log group that a resource policy opens to EventBridge, in a stream of its own, "
        "and invokes a function whose policy lets the rule do so, with two more attempts; where the policy is missing "
        "the event is lost"
    ),
    source="Using resource-based policies for Amazon EventBridge; Amazon EventBridge targets",
)
EVENTS = "events.amazonaws.com"
DELIVERY = "delivery.logs.amazonaws.com"
INPUTS = ("Input", "InputPath", "InputTransformer")
NO_INPUT = "The rehearsal writes whole events to log groups: leave {input} out of the target."
MILLISECONDS = 1000
Record = dict[str, Any]
_CONTEXT = "ctx: ministack.core.iam_evaluator.EvalContext"
EVALUATE = (
    f"(doc: str | dict | None, {_CONTEXT}, service: str | None = None, named_only: bool = False, "
    "direct_only: bool = False) -> ministack.core.iam_evaluator.EvalResult"
)


def lets_in(policy: Any, service: str, action: str, resource: str, source: str) -> bool:
    """Whether a resource's policy lets a service of AWS do this for `source`, an ARN of this account or nothing."""
    account = ecs.get_account_id()
    keys = {"aws:sourcearn": source, "aws:sourceaccount": account, "aws:sourceowner": account} if source else {}
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=ecs.get_region(),
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=keys,
    )
    decision = iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision
    return str(decision) == "Allow"


def write(arn: str, event: Record, rule_arn: str) -> bool:
    """Write an event to a log group, where a policy lets EventBridge do so."""
    group = arn.partition(":log-group:")[2].removesuffix(":*")
    stream = event["id"]
    resource = f"{arn.removesuffix(':*')}:log-stream:{stream}"
    # Whoever makes the stream does not say for which rule.
    if not (_opened("logs:CreateLogStream", resource, "") and _opened("logs:PutLogEvents", resource, rule_arn)):
        logger.warning("event lost: no resource policy lets EventBridge write to the log group %s", group)
        return False
    where = {"logGroupName": group, "logStreamName": stream}
    cloudwatch_logs._create_log_stream(where)
    line = {"timestamp": int(time.time() * MILLISECONDS), "message": json.dumps(event)}
    answer = cloudwatch_logs._put_log_events({**where, "logEvents": [line]})
    if answer[0] != 200:  # noqa: PLR2004
        logger.warning("event lost: %s", answer[2])
    return bool(answer[0] == 200)  # noqa: PLR2004


def _opened(action: str, resource: str, source: str) -> bool:
    documents = [policy["policyDocument"] for policy in cloudwatch_logs._resource_policies.values()]
    return any(lets_in(each, service, action, resource, source) for each in documents for service in (EVENTS, DELIVERY))


def invoke(arn: str, payload: str) -> bool:
    """Invoke a function as EventBridge and Scheduler do: without waiting, and again when it fails."""
    function, config, _name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        return False
    record = lambda_svc._execution_record_for_config(function, config)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))
    return True


def _may_invoke(arn: str, rule_arn: str) -> bool:
    policy, _account = lambda_svc.function_policy_for_arn(arn) or ({}, "")
    return lets_in(policy, EVENTS, "lambda:InvokeFunction", arn, rule_arn)


def problem_of(asked: Record) -> str:
    """What the rehearsal would not do of a rule's targets; empty for nothing."""
    for target in asked.get("Targets", []):
        given = [name for name in INPUTS if target.get(name)]
        if given and ":logs:" in target.get("Arn", ""):
            return NO_INPUT.format(input=given[0])
    return ""


def install() -> None:
    """Deliver to log groups, and to functions only as their policies say."""

    def invoke_target(target: Record, event: Record, rule: Record, view: Any = None) -> Any:
        arn, rule_arn = target.get("Arn", ""), rule.get("Arn", "")
        if arn.startswith("arn:aws:logs:"):
            shown = (view or eventbridge._pattern_event_view(event)).event_with_detail()
            return write(arn, shown, rule_arn)
        if arn.startswith("arn:aws:lambda:") and not _may_invoke(arn, rule_arn):
            logger.warning("event lost: the policy of %s does not let the rule %s invoke it", arn, rule_arn)
            return None
        return original(target, event, rule, view)

    def put_targets(asked: Record) -> Any:
        if problem := problem_of(asked):
            return ecs.error_response_json("ValidationException", problem, 400)
        return put(asked)

    require(iam_evaluator, "evaluate_resource_policy", EVALUATE)
    require(lambda_svc, "_get_func_record_for_ref", "(function_ref: str) -> tuple[dict | None, dict | None, str]")
    require(lambda_svc, "_execution_record_for_config", "(func: dict, config: dict) -> dict")
    require(lambda_svc, "invoke_async_with_retry", "(func: dict, event: dict) -> None")
    require(lambda_svc, "function_policy_for_arn", "(resource_arn: str) -> tuple[dict, str] | None")
    require(eventbridge, "_pattern_event_view", "(event)")
    require(cloudwatch_logs, "_create_log_stream", "(data)")
    original = replace(eventbridge, "_invoke_target", "(target, event, rule, view=None)", invoke_target)
    put = replace(eventbridge, "_put_targets", "(data)", put_targets)
    replace(eventbridge, "_dispatch_to_lambda", "(arn, payload)", invoke)
