"""Earlier studies of a patient are looked for as soon as an examination is ordered: a task of the server."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from reporting.models import ReadingItem
from reporting.worklist.events import NEWS
from viewer.archive import outbox, prefetch
from viewer.serving.database import database
from viewer.tasks import repeatedly

PERIOD_SECONDS = 2.0
AT_ONCE = 500
CATCH_UP = timedelta(hours=12)
CATCH_UP_ORDERS = 500


class OrdersHeard:
    """One look after the other; `seen` is the newest news that was looked at."""

    def __init__(self) -> None:
        self.seen: int | None = None

    def look(self) -> int:
        """Have the patients of new orders looked after; how many searches that began."""
        if self.seen is None:
            self.seen = outbox.newest()
            return _begin(list(_scheduled().filter(created_at__gte=timezone.now() - CATCH_UP)[:CATCH_UP_ORDERS]))
        news = outbox.since(self.seen, AT_ONCE)
        if not news:
            return 0
        self.seen = news[-1].pk
        named = {row.payload.get("item") for row in news if row.kind == NEWS}
        return _begin(list(_scheduled().filter(pk__in=[pk for pk in named if isinstance(pk, int)])))

    async def run(self) -> None:
        await repeatedly(database(self.look), PERIOD_SECONDS, "orders whose earlier studies are to be fetched")


async def priors_ahead() -> None:
    """The task."""
    await OrdersHeard().run()


def _scheduled() -> QuerySet[ReadingItem]:
    rows = ReadingItem.objects.filter(status="scheduled", study=None, order__status="ordered")
    return rows.select_related("order__patient").order_by("-id")


def _begin(items: list[ReadingItem]) -> int:
    return sum(_want(item) for item in items)


def _want(item: ReadingItem) -> int:
    order = item.order
    said = {
        "modality": order.modality,
        "body_part": order.body_part,
        "description": order.procedure_text,
    }
    return prefetch.want(order.patient, said)
