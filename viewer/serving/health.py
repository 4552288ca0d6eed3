"""`GET /healthz`: may traffic be sent here? No sign-in, no details."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from viewer.archive.backup_schedule import standing
from viewer.dimse.supervising import listens
from viewer.serving.runtime import runtime


def database_answers() -> bool:
    """True when the database answers and carries every migration (a server only starts after they ran)."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM viewer_study WHERE 1 = 0")
        return True
    except DatabaseError:
        return False


@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """200 "ok" when the database is migrated, the engine runs and the DICOM node listens, else 503. A second line says that
    backups fail or are overdue: traffic may come all the same."""
    sound = runtime().running and listens() and await sync_to_async(database_answers)()
    said = "ok\n" if sound else "not ready\n"
    if wrong := await asyncio.to_thread(standing):
        said += f"backup {wrong}\n"
    return HttpResponse(said, status=200 if sound else 503, content_type="text/plain")
