"""Images that come become work: a task of the server that listens to the archive's news.

What was stored while no server ran is found at the start: studies without an item that came since reporting was installed
(or in the day before), in the last CATCH_UP_DAYS, and CATCH_UP_STUDIES of them at most. An archive that was full before
does not fill the worklist; a report opened on an older study makes its item then.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from reporting.models import ReadingItem
from reporting.worklist import claiming, items
from viewer.archive import outbox
from viewer.models import Study
from viewer.serving.database import database
from viewer.tasks import repeatedly

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
AT_ONCE = 500
CATCH_UP_DAYS = 14
CATCH_UP_STUDIES = 1000
NEWS = "study.changed"


class Arrivals:
    """One look after the other; `seen` is the newest news that was looked at."""

    def __init__(self) -> None:
        self.seen: int | None = None

    def look(self) -> int:
        """Make items of what is new, offer what has come to rest, free what nobody reads; how many studies had news."""
        if self.seen is None:
            self.seen = outbox.newest()
            count = catch_up()
        else:
            count = self._hear()
        items.settle_arrivals()
        claiming.free_expired()
        return count

    def _hear(self) -> int:
        """Each study once, however often it was in the news."""
        news = outbox.since(self.seen or 0, AT_ONCE)
        named = {(row.organization_id, row.payload["study_instance_uid"]) for row in news if row.kind == NEWS}
        for organization_id, uid in sorted(named):
            found = Study.objects.filter(organization_id=organization_id, study_instance_uid=uid)
            for study in found.select_related("patient", "organization"):
                _took(study)
        if news:
            self.seen = news[-1].pk
        return len(named)

    async def run(self) -> None:
        await repeatedly(database(self.look), PERIOD_SECONDS, "studies that arrive")


async def arrivals() -> None:
    """The task."""
    await Arrivals().run()


def _took(study: Study) -> None:
    """One study's fault keeps no other from being taken in."""
    try:
        items.images_came(study)
    except Exception:
        logger.exception("cannot take a study into the worklist")


def catch_up() -> int:
    """Look at what came while nobody listened; how many studies."""
    recent = Study.objects.select_related("patient", "organization")
    missing = recent.filter(created_at__gte=horizon(), reading_items=None).order_by("-id")[:CATCH_UP_STUDIES]
    waiting = ReadingItem.objects.filter(status__in=("arriving", "ready", "assigned"), study__isnull=False)
    grown = recent.filter(pk__in=waiting.values("study"), updated_at__gte=horizon())[:CATCH_UP_STUDIES]
    studies = {study.pk: study for study in (*missing, *grown)}
    for study in studies.values():
        _took(study)
    return len(studies)


def horizon() -> datetime:
    """Studies that came before are not looked for."""
    applied = MigrationRecorder(connection).migration_qs.filter(app="reporting").order_by("applied").first()
    bound = timezone.now() - timedelta(days=CATCH_UP_DAYS)
    return max(bound, applied.applied - timedelta(days=1)) if applied else bound
