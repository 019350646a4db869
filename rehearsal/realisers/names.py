"""Physical names where the program leaves them to the provider."""

import itertools
import secrets
import threading
from datetime import UTC, datetime

RANDOM_DIGITS = 7
_counter = itertools.count(1)
_lock = threading.Lock()


def unique_name(logical_name: str, *, limit: int) -> str:
    """Pulumi's auto-naming: the logical name, a dash and seven random hexadecimal digits, cut to `limit` characters."""
    kept = logical_name[: limit - RANDOM_DIGITS - 1]
    return f"{kept}-{secrets.token_hex(4)[:RANDOM_DIGITS]}"


def prefixed_name(prefix: str) -> str:
    """The AWS provider's `name_prefix`: the prefix, the time to a tenth of a millisecond, a counter of eight digits."""
    with _lock:
        number = next(_counter)
    return f"{prefix}{datetime.now(tz=UTC):%Y%m%d%H%M%S}{datetime.now(tz=UTC).microsecond // 100:04d}{number:08x}"
