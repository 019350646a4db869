"""Two lists of what holds data: the preview's comment (ops, which imports nothing of infra) and the rules."""

from __future__ import annotations

from infra.guardrails.catalogue import RULES
from infra.guardrails.rule import ResourceRule
from infra.guardrails.types import KNOWN
from ops.pipeline.preview_events import STATEFUL

# Told as a loss by the comment, and no rule's to keep: why.
NO_RULE_KEEPS = {
    "aws:cloudwatch/logGroup:LogGroup": "what it holds ends by itself; some are retained on delete, by infra",
    "aws:sqs/queue:Queue": "starts that failed, which people have been told of",
    "aws:s3/bucketVersioning:BucketVersioning": "without it no object comes back",
}
# Types of which no rule knows: G31 refuses them, until somebody writes the rules they must keep.
NO_RULE_KNOWS = {
    *("aws:efs/", "aws:elasticache/", "aws:backup/vault", "aws:opensearch/", "aws:docdb/", "aws:neptune/"),
    *("aws:fsx/", "aws:ebs/volume", "aws:kinesis/stream", "aws:rds/cluster:", "aws:rds/clusterInstance:"),
    *("aws:rds/globalCluster:", "aws:rds/snapshot:", "aws:rds/clusterSnapshot:", "aws:s3/bucketV2:"),
}


def test_both_lists_say_the_same_of_what_holds_data_but_for_what_is_said_here() -> None:
    (keeping,) = (rule for rule in RULES if isinstance(rule, ResourceRule) and rule.id == "G15")
    told = {type_ for type_ in KNOWN if type_.startswith(STATEFUL)}
    assert keeping.types <= told, "what a rule keeps from being lost would be lost without a word to the reviewer"
    assert told - keeping.types == NO_RULE_KEEPS.keys(), "a rule of G15 keeps it, or it stands above with its reason"


def test_what_else_the_comment_takes_for_data_is_refused_by_the_rules() -> None:
    unknown = {beginning for beginning in STATEFUL if not any(type_.startswith(beginning) for type_ in KNOWN)}
    assert unknown == NO_RULE_KNOWS, "a type that the rules come to know is one whose data they must keep"
