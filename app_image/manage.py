#!/usr/bin/env python
"""Django's command line."""

import logging.config
import os
import sys

from django.core.management import execute_from_command_line

from deployment.environment import EnvironmentInvalid
from deployment.json_logs import logging_config


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pactum.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        # Django could not read the settings, so it has not set up the log either.
        logging.config.dictConfig(logging_config("INFO", os.environ.get("RELEASE", "")))
        logging.getLogger("deployment.environment").critical(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
