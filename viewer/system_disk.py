"""How much is stored, by whom, how fast it grows, and when the disk will be full."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from viewer.models import Blob, Deletion, Instance

DAYS = 30
FILES_COUNTED = 200_000
"""Of one folder; beyond, its size is a lower bound."""
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Room:
    """The disk of the data folder. `reserve`: what is kept free."""

    total: int
    free: int
    reserve: int

    @property
    def left(self) -> int:
        return max(0, self.free - self.reserve)


def room() -> Room:
    state = os.statvfs(settings.FARVIEW_DATA_DIR)
    total = state.f_blocks * state.f_frsize
    reserve = max(settings.FARVIEW_MIN_FREE_BYTES, int(settings.FARVIEW_MIN_FREE_FRACTION * total))
    return Room(total, state.f_bavail * state.f_frsize, reserve)


def days_left(left: int, grown: int, days: int = DAYS) -> int | None:
    """Until nothing more is accepted, when it goes on as in the last `days`; None: it does not grow."""
    return int(left * days / grown) if grown > 0 else None


def grown(now: datetime) -> list[tuple[str, int, int]]:
    """(day, objects, bytes) of the last days, the newest first."""
    rows = Blob.objects.filter(stored_at__gte=now - timedelta(days=DAYS)).annotate(day=TruncDate("stored_at"))
    summed = rows.values("day").order_by("-day").annotate(number=Count("pk"), size=Sum("size"))
    return [(str(row["day"]), row["number"], row["size"]) for row in summed]


def freed(now: datetime) -> int:
    """Bytes that rules of retention have removed in the last days."""
    rows = Deletion.objects.filter(at__gte=now - timedelta(days=DAYS))
    return rows.aggregate(size=Sum("freed"))["size"] or 0


def by_organization() -> list[tuple[str, str, int, int]]:
    """(organization, modality, objects, bytes), the greatest first."""
    rows = Instance.objects.values("organization__name", "series__modality")
    summed = rows.annotate(number=Count("pk"), size=Sum("blob__size")).order_by("-size")
    return [
        (row["organization__name"], row["series__modality"] or "none", row["number"], row["size"]) for row in summed
    ]


def stored() -> int:
    return Blob.objects.aggregate(size=Sum("size"))["size"] or 0


def database_size() -> int:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    name = str(connection.settings_dict["NAME"])
    return sum(os.path.getsize(path) for path in (name, f"{name}-wal") if os.path.exists(path))


def folder_size(folder: Path) -> int:
    size = 0
    counted = 0
    for where, _, names in os.walk(folder):
        for name in names:
            counted += 1
            if counted > FILES_COUNTED:
                return size
            try:
                size += os.lstat(os.path.join(where, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return size


def in_words(size: float) -> str:
    for unit in UNITS[:-1]:
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} {UNITS[-1]}"
