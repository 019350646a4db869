"""Rules about data: who can reach them, how they are encrypted, and what keeps them from being deleted."""

from collections.abc import Iterator

from infra.aws_rules import rds_memory_gib
from infra.guardrails.containers import REPOSITORY, TASK_DEFINITION
from infra.guardrails.resource import UNKNOWN, Facts, Graph, Resource, Unknown
from infra.guardrails.rule import GraphRule, ResourceRule
from infra.production_rules import FEWEST_BACKUP_DAYS

INSTANCE = "aws:rds/instance:Instance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
TABLE = "aws:dynamodb/table:Table"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type of resource
KEY = "aws:kms/key:Key"
QUEUE = "aws:sqs/queue:Queue"
BUCKET = "aws:s3/bucket:Bucket"
SUBNET = "aws:ec2/subnet:Subnet"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
WHOSE_DELETION = {
    INSTANCE: "deletionProtection",
    TABLE: "deletionProtectionEnabled",
    BALANCER: "enableDeletionProtection",
}
# Above these somebody should have thought about the bill: GiB of an instance, CPU units of a task.
MOST_MEMORY_GIB = {True: 64, False: 8}
MOST_CPU = {True: 4096, False: 1024}


def _public(instance: Resource, _: Facts) -> Iterator[str]:
    if not instance.may_be("publiclyAccessible", False):
        yield "it has a public address"


def _reachable_subnets(graph: Graph, _: Facts) -> Iterator[tuple[Resource, str]]:
    for instance in graph.of_type(INSTANCE):
        if instance.is_empty("dbSubnetGroupName"):
            yield instance, "it stands in the account's default network, whose subnets are public"
    for group in graph.of_type("aws:rds/subnetGroup:SubnetGroup"):
        subnets = graph.referred(group, "subnetIds", SUBNET)
        if len(subnets) < len(group.items("subnetIds")):
            yield group, "it has subnets that nobody here sees"
        for subnet in subnets:
            associations = graph.referring(subnet, "aws:ec2/routeTableAssociation:RouteTableAssociation", "subnetId")
            tables = [
                table
                for association in associations
                for table in graph.referred(association, "routeTableId", "aws:ec2/routeTable:RouteTable")
            ]
            if not tables:
                yield subnet, "it is the database's, and routes as a table says that nobody here sees"
            for table in tables:
                leading_out = graph.referring(table, "aws:ec2/route:Route", "routeTableId")
                for route in [*leading_out, *([table] if table.items("routes") else [])]:
                    yield route, f"the database's subnet {subnet.name} gets a way out of the network"


def _unencrypted(resource: Resource, _: Facts) -> Iterator[str]:
    if resource.type == INSTANCE and not resource.may_be("storageEncrypted", True):
        yield "its storage is not encrypted"
    if resource.type == REPOSITORY and resource.is_empty("encryptionConfigurations"):
        yield "it does not say how images are encrypted"
    if resource.type == QUEUE and not (
        resource.value("kmsMasterKeyId") or resource.may_be("sqsManagedSseEnabled", True)
    ):
        yield "its messages are not encrypted"
    if resource.type == KEY and not resource.may_be("enableKeyRotation", True):
        yield "the key is not rotated"


def _database_without_tls(resource: Resource, _: Facts) -> Iterator[str]:
    if resource.type == INSTANCE:
        if resource.is_empty("parameterGroupName"):
            yield "it names no parameter group, and so nothing that refuses connections without TLS"
        return
    forced = [each for each in resource.items("parameters") if each.get("name") == "rds.force_ssl"]
    known = not isinstance(resource.value("parameters"), Unknown)
    if known and [each.get("value") for each in forced] not in (["1"], [UNKNOWN]):
        yield "the database accepts connections without TLS"


def _deletable(resource: Resource, facts: Facts) -> Iterator[str]:
    if not facts.production:
        return
    if not resource.may_be(WHOSE_DELETION[resource.type], True):
        yield "it can be deleted by one call"
    if resource.type == INSTANCE and not resource.protect:
        yield "`pulumi destroy` would delete it"


def _fragile(instance: Resource, facts: Facts) -> Iterator[str]:
    days = instance.value("backupRetentionPeriod")
    fewest = FEWEST_BACKUP_DAYS if facts.production else 1
    if days is None or (isinstance(days, int) and days < fewest):
        yield f"it can be restored for {days or 0} days only, fewer than {fewest}"
    if facts.production and not instance.may_be("multiAz", True):
        yield "it has no standby in another zone"


def _deletes_data(resource: Resource, facts: Facts) -> Iterator[str]:
    if resource.type == TABLE and not resource.may_be("pointInTimeRecovery.enabled", True):
        yield "it cannot be restored"
    if resource.type == REPOSITORY and not resource.may_be("forceDelete", None, False):
        yield "it is deleted with all images in it"
    if not facts.production:
        return
    if resource.type == INSTANCE and not resource.may_be("skipFinalSnapshot", None, False):
        yield "deleting it leaves no snapshot"
    if resource.type == BUCKET and not resource.may_be("forceDestroy", None, False):
        yield "it is deleted with all that is in it"
    if resource.type == SECRET and not resource.may_be("recoveryWindowInDays", None, *range(7, 31)):
        yield "its value is gone at once when it is deleted"
    if resource.type == KEY and not resource.may_be("deletionWindowInDays", None, 30):
        yield "it waits for less than 30 days when it is deleted, and with it all it has encrypted"


def _oversized(resource: Resource, facts: Facts) -> Iterator[str]:
    if resource.type == INSTANCE and isinstance(class_ := resource.value("instanceClass"), str):
        most = MOST_MEMORY_GIB[facts.production]
        try:
            memory_gib = rds_memory_gib(class_)
        except ValueError as error:
            yield str(error)
            return
        if memory_gib > most:
            yield f"{class_} has {memory_gib} GiB, more than {most}"
    if resource.type == TASK_DEFINITION and str(cpu := resource.value("cpu")).isdigit():
        most = MOST_CPU[facts.production]
        if int(cpu) > most:
            yield f"its tasks have {cpu} CPU units, more than {most}"


def _neglected(instance: Resource, _: Facts) -> Iterator[str]:
    if not instance.may_be("autoMinorVersionUpgrade", True):
        yield "it gets no security fixes by itself"
    if not instance.may_be("copyTagsToSnapshot", True):
        yield "its snapshots do not say whose they are"
    if instance.is_empty("enabledCloudwatchLogsExports"):
        yield "its logs are lost with it"
    if not instance.may_be("manageMasterUserPassword", True) or not instance.may_be("password", None):
        yield "its master password is not RDS's own: it stands in Pulumi's state, and nobody rotates it"
    if not instance.may_be("performanceInsightsEnabled", True):
        yield "nobody can see what it is busy with"


RULES = (
    ResourceRule(
        id="G05",
        title="no public database",
        reason="A database is for the tasks beside it; from the internet only attackers ask for it.",
        remedy="Set publicly_accessible=False; people reach it from `python -m ops shell`.",
        checkov=("CKV_AWS_17",),
        types=frozenset({INSTANCE}),
        check=_public,
    ),
    GraphRule(
        id="G06",
        title="the database's subnets are isolated",
        reason="Without a route out, an open security group alone cannot lead to or from the database.",
        remedy="Use subnets whose route table has no route, as `Network.isolated_subnet_ids` are.",
        check=_reachable_subnets,
    ),
    ResourceRule(
        id="G07",
        title="encryption at rest",
        reason="Discs, snapshots and copies leave our sight; the key does not.",
        remedy="Turn encryption on; it cannot be turned on later without a copy of the data.",
        checkov=("CKV_AWS_7", "CKV_AWS_16", "CKV_AWS_27"),
        types=frozenset({INSTANCE, REPOSITORY, QUEUE, KEY}),
        check=_unencrypted,
    ),
    ResourceRule(
        id="G12",
        title="the database over TLS only",
        reason="Passwords and users' data cross the network between zones.",
        remedy='Set the parameter rds.force_ssl to "1".',
        checkov=("CKV2_AWS_69",),
        types=frozenset({PARAMETERS, INSTANCE}),
        check=_database_without_tls,
    ),
    ResourceRule(
        id="G13",
        title="production cannot be deleted in passing",
        reason="A deleted database is an outage of hours, a deleted table forgets what may be deployed.",
        remedy="Set pactum:deletionProtection to true; taking a stack down is described in README.md.",
        checkov=("CKV_AWS_150", "CKV_AWS_293"),
        types=frozenset(WHOSE_DELETION),
        check=_deletable,
    ),
    ResourceRule(
        id="G14",
        title="production survives a lost zone and a mistake",
        reason="A zone fails about once a year; people delete the wrong rows more often, and notice days later.",
        remedy="Set pactum:databaseMultiAz to true, and pactum:databaseBackupDays high enough.",
        checkov=("CKV_AWS_133", "CKV_AWS_157"),
        types=frozenset({INSTANCE}),
        check=_fragile,
    ),
    ResourceRule(
        id="G15",
        title="deletion keeps the data",
        reason="What users entrusted to us exists nowhere else.",
        remedy="Leave a final snapshot, a recovery window or the objects, and delete those by hand in the end.",
        checkov=("CKV_AWS_28",),
        types=frozenset({INSTANCE, TABLE, REPOSITORY, BUCKET, SECRET, KEY}),
        check=_deletes_data,
    ),
    ResourceRule(
        id="G16",
        title="no size by mistake",
        reason="A zero too many in a stack file is a bill of thousands before anybody looks.",
        remedy="Choose a smaller size; if it is meant, raise the limit in infra/guardrails/data.py in the same commit.",
        types=frozenset({INSTANCE, TASK_DEFINITION}),
        check=_oversized,
    ),
    ResourceRule(
        id="G17",
        title="a database that looks after itself",
        reason="What is not upgraded, logged and rotated by itself is not at three in the morning.",
        remedy="Compare with infra/database.py, which sets all of it.",
        checkov=("CKV_AWS_129", "CKV_AWS_226", "CKV_AWS_353", "CKV2_AWS_60"),
        types=frozenset({INSTANCE}),
        check=_neglected,
    ),
)
