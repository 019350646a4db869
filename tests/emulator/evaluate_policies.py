"""Decides questions of IAM with MiniStack's own evaluator, the one by which it enforces policies.

Run in the emulator's interpreter (`tests/policies.py` starts it): questions in JSON on stdin, answers on stdout. The
emulator's API simulates without condition keys and boundaries, its evaluator knows both.
"""

import json
import sys
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, evaluate_trust_policy, parse_policy_document

ACCOUNT, REGION = "123456789012", "us-east-1"


def answer(question: dict[str, Any]) -> bool:
    """Whether the request of one question is allowed."""
    # Context keys know no upper and lower case.
    keys = {key.lower(): value for key, value in question["context"].items()}
    context = EvalContext(
        principal_arn=question["principal"],
        principal_type="AssumedRole",
        # The evaluator takes every bucket for the caller's own: the other way round it knows one of another account.
        principal_account=keys.get("aws:resourceaccount", ACCOUNT),
        action=question["action"],
        resource_arn=question["resource"],
        region=REGION,
        source_ip="192.0.2.1",
        secure_transport=True,
        request_tags={key.partition("/")[2]: str(keys[key]) for key in keys if key.startswith("aws:requesttag/")},
        service_context=keys,
    )
    if "trust" in question:
        return evaluate_trust_policy(question["trust"], question["principal"], context)
    layers = [[parse_policy_document(document) for document in layer] for layer in question["layers"]]
    return bool(evaluate(context, *layers).decision == "Allow")


if __name__ == "__main__":
    json.dump([answer(question) for question in json.load(sys.stdin)], sys.stdout)
