#!/usr/bin/env python
"""Farview's command line: `manage.py serve`, `manage.py ingest PATH...`, and the rest of the README's list."""

from __future__ import annotations

import os
import sys

ADVICE = {
    "no such": "Run `manage.py migrate` first.",
    "readonly": "The data folder and everything in it must be writable for this user.",
    "unable to open": "The data folder must exist and be writable for this user.",
    "locked": "Another process holds it; try again in a moment.",
}
"""What to do, by what the database says."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Settings: {problem}")
    except OperationalError as problem:
        if "--traceback" in sys.argv:
            raise
        advice = next((advice for said, advice in ADVICE.items() if said in str(problem)), "")
        sys.exit(f"The database cannot be used ({problem}). {advice}".rstrip())


if __name__ == "__main__":
    main()
