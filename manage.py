#!/usr/bin/env python
"""Farview's command line: `manage.py serve`, `manage.py ingest PATH...`, and the rest of the README's list."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
