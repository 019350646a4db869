"""What takes the app's mail where no mail server is set."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.mail.backends.base import BaseEmailBackend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)


class NoMail(BaseEmailBackend):
    """Sends nothing and says so; what was to be sent stays out of the log, for it may be a way in."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Log one warning; return that none was sent."""
        logger.warning("%s mail was not sent: set EMAIL_HOST to a mail server.", len(email_messages))
        return 0
