"""Who entered the admin's pages, and who tried: a line in the log for each login of staff, and each that failed."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed

logger = logging.getLogger("deployment.admin_login")


def log_logins() -> None:
    """Log them from now on, by user id: names are people's, and what was typed may be a password in the wrong field."""
    user_logged_in.connect(_log_staff, dispatch_uid="deployment.admin_login.staff")
    user_login_failed.connect(_log_failed, dispatch_uid="deployment.admin_login.failed")


def _log_staff(user: Any, **_: object) -> None:  # noqa: ANN401 - a project's own user model
    if getattr(user, "is_staff", False):
        logger.info("staff login", extra={"user_id": user.pk})


def _log_failed(**_: object) -> None:
    logger.info("failed login")
