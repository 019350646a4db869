"""What secrets are called: variables of a job, and names in any text."""

from __future__ import annotations

import re

# A job's variables: what the application keeps out of its log (app_image/deployment/kept_out.py), and what jobs get.
_OF_VARIABLES = re.compile(
    r"PASS|_PWD$|SECRET|TOKEN|CREDENTIAL|DSN|KEYS?$|_KEY_|PRIVATE|WEBHOOK|_AUTH$|_PAT$",
    re.IGNORECASE,
)
# What is called so and holds the place of a secret, its name, or how long it is good.
_NO_SECRET = re.compile(
    r"_(FILE|PATH|DIR|ARN|NAME|REQUEST_URL|TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|AGE|LENGTH)$", re.IGNORECASE
)
# In a text: a name ends so, but for what a second one is called. A lone `key` is a tag's, or a place in a bucket.
WORD = (
    r"(?:passw(?:or)?ds?|passphrase|pwd|secret(?:[_-]?string)?|secrets|tokens?|credentials?|signature|dsn|auth|webhook"
    r"|(?<=[A-Za-z0-9_.-])keys?)"
    r"(?:[_-]?\d{1,3}|[_-](?:base|old|new|previous|next|fallbacks?|v\d))?"
)
# Keys by which something is found, ordered or shown to everybody.
_NO_SECRET_KEY = re.compile(
    r"(?:hash|range|partition|sort|primary|foreign|public|object|s3|bucket|cache|routing|tag|context|condition"
    r"|metadata|idempotency)[_-]?keys?$",
    re.IGNORECASE,
)
_IS_SECRET = re.compile(rf"{WORD}$", re.IGNORECASE)


def of_variable(name: str) -> bool:
    """Whether a variable of the job holds a secret."""
    return bool(_OF_VARIABLES.search(name)) and not _NO_SECRET.search(name)


def in_text(name: str) -> bool:
    """Whether what stands behind this name in a text is a secret."""
    return bool(_IS_SECRET.search(name)) and not _NO_SECRET_KEY.search(name)
