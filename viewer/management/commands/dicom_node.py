"""`manage.py dicom_node`: the DICOM listener and what belongs to it. `serve` starts it; alone it serves for a look at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Listen for DICOM associations on FARVIEW_DICOM_PORT. `serve` does this by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lifeline", type=int, help="file descriptor that ends when the server does")
        parser.add_argument("--ready", type=int, help="file descriptor to write to once it listens")

    def handle(self, *, lifeline: int | None, ready: int | None, **_: Any) -> None:
        from viewer.dimse.process import run

        if not settings.FARVIEW_DICOM_PORT:
            raise CommandError("FARVIEW_DICOM_PORT is 0: no DICOM listener is wanted")
        try:
            run(lifeline=lifeline, ready=ready)
        except OSError as problem:
            raise CommandError(
                f"cannot listen on {settings.FARVIEW_DICOM_HOST}:{settings.FARVIEW_DICOM_PORT}: "
                f"{problem.strerror or problem}. Set FARVIEW_DICOM_PORT to a free port, or to 0 for no DICOM listener."
            ) from problem
