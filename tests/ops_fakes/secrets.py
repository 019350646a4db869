"""Secrets Manager in memory, by the rules of its API reference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import Refused


@dataclass
class SecretsFake:
    """What Secrets Manager holds, and its answers about it."""

    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)

    def secret(self, arn: str, *, kind: str, stack: str = "staging", project: str = "pactum", **more: Any) -> str:
        tags = [{"Key": f"{project}:stack", "Value": stack}, {"Key": f"{project}:secret", "Value": kind}]
        self.secrets[arn] = {"ARN": arn, "Name": arn, "Tags": tags, "values": {}, "stages": {}, **more}
        return arn

    def current_value(self, arn: str) -> str | None:
        secret = self.secrets[arn]
        value: str | None = secret["values"].get(secret["stages"].get("AWSCURRENT"))
        return value

    def _secret(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["SecretId"] not in self.secrets:
            raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return self.secrets[asked["SecretId"]]

    def describe_secret(self, asked: dict[str, Any]) -> dict[str, Any]:
        secret = self._secret(asked)
        labels: dict[str, list[str]] = defaultdict(list)
        for stage, version in secret["stages"].items():
            labels[version].append(stage)
        answer = {name: value for name, value in secret.items() if name not in {"values", "stages"}}
        return answer | ({"VersionIdsToStages": dict(labels)} if labels else {})

    def list_secrets(self, asked: dict[str, Any]) -> dict[str, Any]:
        def passes(secret: dict[str, Any]) -> bool:
            sides = {"tag-key": "Key", "tag-value": "Value"}
            return all(
                any(tag[sides[rule["Key"]]].startswith(tuple(rule["Values"])) for tag in secret["Tags"])
                for rule in asked["Filters"]
            )

        start = int(asked.get("NextToken", "0"))
        found = [self.describe_secret({"SecretId": arn}) for arn, secret in self.secrets.items() if passes(secret)]
        more = {"NextToken": str(start + 1)} if start + 1 < len(found) else {}
        listed = [{k: v for k, v in item.items() if k != "VersionIdsToStages"} for item in found]
        return {"SecretList": listed[start : start + 1], **more}

    def put_secret_value(self, asked: dict[str, Any]) -> dict[str, Any]:
        secret, version = self._secret(asked), asked["ClientRequestToken"]
        if secret["values"].setdefault(version, asked["SecretString"]) != asked["SecretString"]:
            raise Refused("ResourceExistsException", "You can't modify an existing version.")
        stages = list(asked.get("VersionStages", ["AWSCURRENT"]))
        if len(secret["values"]) == 1:
            stages.append("AWSCURRENT")
        secret["stages"] |= dict.fromkeys(stages, version)
        return {"ARN": secret["ARN"], "VersionId": version, "VersionStages": stages}

    def update_secret_version_stage(self, asked: dict[str, Any]) -> dict[str, Any]:
        secret = self._secret(asked)
        label, remove, move = asked["VersionStage"], asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId")
        holder = secret["stages"].get(label)
        if holder not in {None, remove, move}:
            raise Refused("InvalidParameterException", f"{label} is attached to version {holder}.")
        if move:
            secret["stages"][label] = move
        else:
            secret["stages"].pop(label, None)
        return {"ARN": secret["ARN"]}
