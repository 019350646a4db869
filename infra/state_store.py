"""Where Pulumi keeps the state of all stacks of the account, and the key it encrypts what is secret in it with."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import kms

from infra.access.state import key_policy
from infra.private_bucket import PrivateBucket, PrivateBucketArgs

# A state that an update or a person has spoilt is noticed within weeks; each update writes it many times.
REPLACED_DAYS = 90
# Days in which a key that was scheduled for deletion can be kept after all: without it no state can be read.
KEY_WINDOW_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class StateStoreArgs:
    """What the bucket's name and the key's alias are made of."""

    project: str
    region: str
    account_id: str


class StateStore(pulumi.ComponentResource):
    """Creates a KMS key that rotates every year, its alias, and the bucket `PROJECT-state-ACCOUNT`, encrypted with it.

    Key and bucket are protected: without either, nobody can tell Pulumi what it made.
    """

    bucket_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]
    url: pulumi.Output[str]
    """What `pulumi login` takes."""
    secrets_provider: pulumi.Output[str]
    """What `pulumi stack init --secrets-provider` takes."""

    def __init__(self, name: str, args: StateStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:StateStore", name, None, opts)
        protected = pulumi.ResourceOptions(parent=self, protect=True)
        key = kms.Key(
            f"{name}-state",
            description="Pulumi's state and the secrets in it",
            policy=json.dumps(key_policy(args.account_id)),
            enable_key_rotation=True,
            deletion_window_in_days=KEY_WINDOW_DAYS,
            opts=protected,
        )
        alias = kms.Alias(
            f"{name}-state",
            name=f"alias/{args.project}-pulumi",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Bucket names are the world's; an account's number makes it one that nobody has by chance.
        bucket_name = f"{args.project}-state-{args.account_id}"
        bucket = PrivateBucket(
            f"{name}-state",
            PrivateBucketArgs(
                name=bucket_name,
                deletion_protection=True,
                replaced_days=REPLACED_DAYS,
                kms_key_arn=key.arn,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.bucket_arn, self.key_arn = bucket.arn, key.arn
        self.url = pulumi.Output.from_input(f"s3://{bucket_name}?region={args.region}&awssdk=v2")
        self.secrets_provider = pulumi.Output.concat("awskms://", alias.name, f"?region={args.region}")
        self.register_outputs({"url": self.url, "secrets_provider": self.secrets_provider})
