#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from pactum.environment import EnvironmentInvalid


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pactum.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
