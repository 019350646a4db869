"""`manage.py sample_data`: what a new developer finds."""

from __future__ import annotations

import logging
import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from agreements.models import Agreement, Party

logger = logging.getLogger(__name__)

SAMPLES = (
    ("Lease of the mill", Agreement.Status.ACTIVE, ("Ada Lovelace", "Charles Babbage")),
    ("Sale of forty sheep", Agreement.Status.ENDED, ("Bathsheba Everdene", "Gabriel Oak")),
    ("Voyage around the world", Agreement.Status.DRAFT, ("Phileas Fogg", "Reform Club", "Jean Passepartout")),
)
TERMS = "{title}: twelve months from the first of June.\n\nWhoever ends it says so thirty days before, in writing."
# Enough that the list has a second page.
COPIES = 10


class Command(BaseCommand):
    """Makes a superuser and agreements where there are none; changes nothing that is there."""

    help = "Makes a superuser (DEV_SUPERUSER_NAME, ..._PASSWORD, ..._EMAIL) and sample agreements where there are none."

    @transaction.atomic
    def handle(self, *_: str, **__: Any) -> None:  # noqa: ANN401
        """Make both, or neither."""
        name, password, email = (os.environ[f"DEV_SUPERUSER_{part}"] for part in ("NAME", "PASSWORD", "EMAIL"))
        users = get_user_model()
        if not users.objects.filter(username=name).exists():
            users.objects.create_superuser(username=name, password=password, email=email)
            logger.info("The superuser %s is made.", name)
        if not Agreement.objects.exists():
            for number in range(COPIES):
                for sample in SAMPLES:
                    make(number, *sample)
            logger.info("%s sample agreements are made.", Agreement.objects.count())


def make(number: int, title: str, status: Agreement.Status, parties: tuple[str, ...]) -> None:
    """Store one agreement."""
    title = f"{title}, no. {number + 1}"
    agreement = Agreement.objects.create(title=title, status=status, terms=TERMS.format(title=title))
    Party.objects.bulk_create(Party(agreement=agreement, name=name) for name in parties)
