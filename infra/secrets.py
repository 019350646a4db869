"""Containers of the application's secrets. Their values never pass through Pulumi: `python -m ops seed` makes them."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import secretsmanager

from infra.settings import Settings

# Before the variable's name, in the tag of a secret whose value only a person can know.
GIVEN = "given:"


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """What the secrets are named and tagged with, and whether those made by a command can be brought back too."""

    settings: Settings


class Secrets(pulumi.ComponentResource):
    """Empty secrets: the key the application signs with, its database login, and what else its stack file names.

    Creates `secret-key` (a text), `database-login` (JSON with `username` and `password`) and one text for each of
    `pactum:secrets`, all without a value, tagged so that operator commands find them. Deleted ones of `pactum:secrets`
    can be brought back for 30 days on every stack. Leaves out their values, and the
    master password, which RDS keeps itself.
    """

    secret_key_arn: pulumi.Output[str]
    database_login_arn: pulumi.Output[str]
    given_arns: dict[str, pulumi.Output[str]]
    """The further variables' secrets, by variable: an operator gives them their values."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Secrets", name, None, opts)
        self._name, self._settings = name, args.settings
        self.secret_key_arn = self._container("secret-key", "Key the application signs sessions and tokens with")
        self.database_login_arn = self._container("database-login", "The application's own database login")
        self.given_arns = {
            variable: self._container(
                f"own-{variable.lower().replace('_', '-')}", f"The application's {variable}", f"{GIVEN}{variable}"
            )
            for variable in args.settings.application.secrets
        }
        self.register_outputs({"secret_key_arn": self.secret_key_arn, "database_login_arn": self.database_login_arn})

    @property
    def arns(self) -> list[pulumi.Output[str]]:
        """All secrets, for the policies of those who may read them."""
        return [self.secret_key_arn, self.database_login_arn, *self.given_arns.values()]

    def _container(self, kind: str, description: str, tag: str = "") -> pulumi.Output[str]:
        project, stack = self._settings.project, self._settings.stack
        secret = secretsmanager.Secret(
            f"{self._name}-{kind}",
            # A suffix of its own: a deleted secret's name stays taken until its recovery window ends.
            name_prefix=f"{project}/{stack}/{kind}-",
            description=description,
            # What `ops seed` made it can make again; what a person gave may be nowhere else.
            recovery_window_in_days=30 if tag or self._settings.deletion_protection else 0,
            tags={f"{project}:stack": stack, f"{project}:secret": tag or kind},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return secret.arn
