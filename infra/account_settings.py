"""What a stack file says to the providers: in which account and region, with which tags - and no credentials."""

import difflib
import re
from collections.abc import Mapping

from infra.aws_rules import REGION, REGIONS
from infra.config_reader import ConfigReader, listed

# What may stand in a stack file besides what is read here: how the providers reach AWS and Docker from this machine.
# Whatever else begins with `aws:` or `docker:` is a misspelt key, or a credential.
PROVIDER_KEYS = frozenset(
    {
        *("aws:assumeRoleWithWebIdentity", "aws:assumeRoles", "aws:customCaBundle", "aws:ec2MetadataServiceEndpoint"),
        *("aws:ec2MetadataServiceEndpointMode", "aws:endpoints", "aws:forbiddenAccountIds", "aws:httpProxy"),
        *("aws:httpsProxy", "aws:ignoreTags", "aws:insecure", "aws:maxRetries", "aws:noProxy", "aws:profile"),
        *("aws:retryMode", "aws:s3UsEast1RegionalEndpoint", "aws:s3UsePathStyle", "aws:sharedConfigFiles"),
        *("aws:sharedCredentialsFiles", "aws:skipCredentialsValidation", "aws:skipMetadataApiCheck"),
        *("aws:skipRegionValidation", "aws:skipRequestingAccountId", "aws:stsRegion", "aws:tagPolicyCompliance"),
        *("aws:tokenBucketRateLimiterCapacity", "aws:useDualstackEndpoint", "aws:useFipsEndpoint", "aws:userAgents"),
        *("docker:caMaterial", "docker:certMaterial", "docker:certPath", "docker:context"),
        *("docker:disableDockerDaemonCheck", "docker:host", "docker:sshOpts"),
    }
)
CREDENTIALS = ("aws:accessKey", "aws:secretKey", "aws:token", "docker:keyMaterial", "docker:registryAuth")
TAG = re.compile(r"(?!aws:)[\w .:/=+@-]{1,128}")
TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
# AWS takes 50 for a resource; ECS and RDS add some of their own.
MOST_TAGS = 40


def read_region(config: ConfigReader) -> str:
    """Read the region: one of AWS's commercial ones, whose ARNs and host names the program writes."""
    region = config.text("aws:region", pattern=REGION, example="us-east-1", required=True)
    if region and region not in REGIONS:
        near = difflib.get_close_matches(region, sorted(REGIONS), n=3, cutoff=0)
        config.refuse("aws:region", "is no region that this program knows.", f"Choose one such as {listed(near)}.")
        return ""
    return region


def read_account(config: ConfigReader) -> str:
    """Read the one account, and refuse credentials."""
    _check_provider(config)
    accounts = config.texts("aws:allowedAccountIds")
    if config.is_refused("aws:allowedAccountIds"):
        return ""
    if len(accounts) != 1 or not re.fullmatch(r"[0-9]{12}", accounts[0]):
        config.refuse(
            "aws:allowedAccountIds",
            "must name the one account this stack lives in.",
            'Write its twelve digits as a text in a list: ["123456789012"].',
        )
        return ""
    return accounts[0]


def read_tags(config: ConfigReader) -> dict[str, object]:
    """Read the tags that the provider gives to everything. Which there must be is a guardrail's to say."""
    given = config.object("aws:defaultTags")
    tags = given.get("tags", {})
    unknown = sorted(given.keys() - {"tags"})
    if unknown:
        config.refuse(
            "aws:defaultTags",
            f"holds {unknown[0]!r}, which the provider does not know: nothing would be tagged.",
            "Write { tags: { project: ..., stack: ... } }.",
        )
    elif not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        config.refuse("aws:defaultTags", "holds tags that are no texts.", 'Write { tags: { project: "..." } }.')
    else:
        _check_tags(config, tags)
        return tags
    return {}


def _check_provider(config: ConfigReader) -> None:
    config.known |= PROVIDER_KEYS
    for key in CREDENTIALS:
        config.conceal(key)
        if config.given(key):
            config.refuse(
                key,
                "is a credential; it would stand in the stack file and in Pulumi's state.",
                "Remove it, and replace it at its origin. Credentials come from your environment (AWS_PROFILE,"
                " `docker login`) or from the role of the pipeline.",
            )


def _check_tags(config: ConfigReader, tags: Mapping[str, str]) -> None:
    wrong = [name for name, value in tags.items() if not TAG.fullmatch(name) or not TAG_VALUE.fullmatch(value)]
    if wrong:
        config.refuse(
            "aws:defaultTags",
            f"holds the tag {wrong[0]!r}, which AWS does not take with its value.",
            "Use letters, digits, spaces and . : / = + @ - _, at most 128 of them in a name that does not begin with"
            " aws:, and 256 in a value.",
        )
    elif len(tags) > MOST_TAGS:
        config.refuse("aws:defaultTags", f"holds {len(tags)} tags, more than {MOST_TAGS}.", "Remove some.")
