"""What several extensions call and read of MiniStack, checked before the emulator answers anybody.

What one extension replaces, and what it calls for that, its own `install` checks. Without either check a part that is
gone would show only when a task stops or an alarm goes off, as an error somewhere in a log.
"""

from collections.abc import Mapping
from types import ModuleType

from ministack.services import (
    acm,
    alb,
    cloudwatch,
    cloudwatch_logs,
    ecs,
    ecs_metadata,
    eventbridge,
    iam,
    rds,
    scheduler,
    secretsmanager,
    sqs,
)

from rehearsal.emulator.patching import require, require_record

FUNCTIONS: Mapping[ModuleType, Mapping[str, str]] = {
    ecs: {
        "_awslogs_config": "(cdef, task_id, container_id)",
        "_bump_task_version": "(task)",
        "_circuit_breaker_threshold": "(svc)",
        "_cluster_name_from_arn": "(arn)",
        "_deployment_for_task": "(svc, task)",
        "_iso": "()",
        "_record_task_ip": "(task, container, ecs_network)",
        "_recount_cluster": "(cluster_name)",
        "_resolve_cluster_name": "(ref)",
        "_resolve_task": "(ref, cluster_name='default')",
        "_resolve_td_key": "(ref)",
        "_task_ip": "(task)",
        "_task_is_active": "(task_arn, task)",
        "error_response_json": (
            "(code: str, message: str, status: int = 400, extra: dict | None = None, *, "
            "message_key: str = 'message', content_type: str = 'application/x-amz-json-1.0') -> tuple"
        ),
        "get_account_id": "() -> str",
        "get_region": "() -> str",
        "json_response": (
            "(data: dict, status: int = 200, *, content_type: str = 'application/x-amz-json-1.0') -> tuple"
        ),
        "new_uuid": "() -> str",
        "resource_lock": "(scope: str, key: str) -> <built-in function allocate_lock>",
    },
    ecs_metadata: {"unregister_token": "(token: str) -> None"},
    rds: {
        "_error": "(code, message, status)",
        "_p": "(params, key, default='')",
        "_resolve_instance": "(db_id)",
    },
}
# Read with `get` in the account and region of the request; those in THROUGHOUT also by way of all of them.
RECORDS: Mapping[ModuleType, tuple[str, ...]] = {
    acm: ("_certificates",),
    alb: ("_listeners", "_lbs", "_targets", "_tg_attrs", "_tgs"),
    cloudwatch: ("_alarms", "_composite_alarms", "_metrics"),
    cloudwatch_logs: ("_log_groups", "_metric_filters", "_queries", "_resource_policies"),
    ecs: ("_services", "_tags", "_task_defs", "_tasks"),
    eventbridge: ("_rules", "_targets"),
    iam: ("_roles",),
    rds: ("_instances", "_param_groups"),
    scheduler: ("_schedules",),
    secretsmanager: ("_secrets",),
    sqs: ("_queues",),
}
THROUGHOUT = frozenset(
    {
        "_alarms",
        "_certificates",
        "_instances",
        "_lbs",
        "_listeners",
        "_queues",
        "_rules",
        "_schedules",
        "_services",
        "_tasks",
        "_tgs",
    }
)
# Read or set as they are.
VALUES: Mapping[ModuleType, tuple[str, ...]] = {ecs: ("_docker",), rds: ("_docker", "_PG_TLS_DIR")}


def check_parts() -> None:
    """Raise CannotStartError naming the first part that is not there, or is another than it was."""
    for module, functions in FUNCTIONS.items():
        for name, signature in functions.items():
            require(module, name, signature)
    for module, names in RECORDS.items():
        for name in names:
            require_record(module, name, *(("get", "_data") if name in THROUGHOUT else ("get",)))
    for module, names in VALUES.items():
        for name in names:
            require_record(module, name)
