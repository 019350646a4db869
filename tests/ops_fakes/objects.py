"""S3 in memory: the objects of any bucket, listed a few at a time."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import Refused

_PAGE = 2


@dataclass
class ObjectsFake:
    """The objects of the account, by bucket and key."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)

    no_bucket: bool = False

    def list_objects_v2(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.no_bucket:
            raise Refused("NoSuchBucket", "The specified bucket does not exist")
        keys = sorted(
            key for bucket, key in self.objects if bucket == asked["Bucket"] and key.startswith(asked["Prefix"])
        )
        start = int(asked.get("ContinuationToken", "0"))
        page = [{"Key": key} for key in keys[start : start + _PAGE]]
        rest = start + _PAGE < len(keys)
        more = {"NextContinuationToken": str(start + _PAGE)} if rest else {}
        return {"IsTruncated": rest, **({"Contents": page} if page else {}), **more}

    def get_object(self, asked: dict[str, Any]) -> dict[str, Any]:
        content = self.objects.get((asked["Bucket"], asked["Key"]))
        if content is None:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        return {"Body": io.BytesIO(content)}

    def delete_object(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.objects.pop((asked["Bucket"], asked["Key"]), None)
        return {}
