"""Images that come become work: by news while the server runs, and looked for when it was down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import Organization
from reporting.models import ItemEvent, ReadingItem, ReportingSite
from reporting.worklist import arrivals, items
from reporting.worklist.arrivals import Arrivals
from tests.reporting.worklist.conftest import Ordered, Scan
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.storage import BlobStore
from viewer.models import Instance, Outbox, Series, Study
from viewer.phantom.studies import write_ultrasound

pytestmark = pytest.mark.django_db


def long_ago(study: Study, **ago: float) -> None:
    Instance.objects.filter(series__study=study).update(stored_at=timezone.now() - timedelta(**ago))


def test_news_of_images_makes_an_item_that_is_ready_once_it_is_quiet(scan: Scan) -> None:
    listening = Arrivals()
    listening.look()
    study = scan()
    assert listening.look() == 1
    item = ReadingItem.objects.get()
    assert (item.status, item.ready_at) == ("arriving", None)
    scan()
    listening.look()
    assert ReadingItem.objects.get().last_image_at > item.last_image_at
    assert ReadingItem.objects.get().status == "arriving"

    long_ago(study, seconds=61)
    ReadingItem.objects.update(last_image_at=timezone.now() - timedelta(seconds=61))
    assert listening.look() == 0
    item = ReadingItem.objects.get()
    assert item.status == "ready"
    assert item.ready_at is not None
    kinds = ItemEvent.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["arrived", "ready"]


@pytest.mark.django_db(transaction=True)
def test_a_demonstration_study_is_work_though_its_images_were_made_here(
    site: Organization, store: BlobStore, tmp_path: Path
) -> None:
    [path] = write_ultrasound(tmp_path, frames=2)
    [stored] = ingest(walk(path), Sender(site, "demo", "ingest"))
    assert stored.outcome == "stored"
    Arrivals().look()
    assert ReadingItem.objects.get().order.modality == "US"


def test_the_quiet_time_is_a_setting(scan: Scan, settings: Any) -> None:
    settings.FARVIEW_ARRIVAL_QUIET_SECONDS = 5
    items.images_came(scan())
    items.settle_arrivals()
    assert ReadingItem.objects.get().status == "arriving"
    ReadingItem.objects.update(last_image_at=timezone.now() - timedelta(seconds=6))
    assert items.settle_arrivals() == 1


def test_where_quality_control_is_wanted_a_person_says_when_it_is_ready(
    scan: Scan, site: Organization, settled: None
) -> None:
    ReportingSite.objects.create(organization=site, quality_control=True)
    items.images_came(scan())
    assert items.settle_arrivals() == 0
    assert ReadingItem.objects.get().status == "arriving"


def test_many_pieces_of_news_about_one_study_are_one_look(scan: Scan) -> None:
    listening = Arrivals()
    listening.look()
    for _ in range(5):
        scan()
    assert listening.look() == 1
    assert ReadingItem.objects.count() == 1
    assert ItemEvent.objects.count() == 1


@pytest.mark.parametrize(
    "said",
    [
        {"modality": "SR", "number_of_frames": 0},
        {"modality": "SEG"},
        {"modality": "OT", "manufacturer": "Farview"},
    ],
)
def test_what_is_written_here_or_derived_is_no_arrival(scan: Scan, said: dict) -> None:
    study = scan()
    Series.objects.filter(study=study).update(**said)
    assert items.images_came(study) == []
    assert not ReadingItem.objects.exists()


def test_nor_does_it_move_the_clock_of_an_item(scan: Scan, settled: None) -> None:
    study = scan()
    items.images_came(study)
    before = ReadingItem.objects.get()
    scan(series="1.2.3.9", Modality="KO")
    items.images_came(study)
    after = ReadingItem.objects.get()
    assert (after.last_image_at, after.version) == (before.last_image_at, before.version)


def test_images_that_come_late_are_an_event_and_leave_the_state(scan: Scan, settled: None) -> None:
    study = scan()
    items.images_came(study)
    items.settle_arrivals()
    ReadingItem.objects.update(last_image_at=timezone.now() - timedelta(hours=1))
    ready = ReadingItem.objects.get()
    scan()
    items.images_came(study)
    late = ReadingItem.objects.get()
    assert (late.status, late.ready_at) == ("ready", ready.ready_at)
    assert ItemEvent.objects.filter(kind="images_came").count() == 1


def test_what_came_while_the_server_was_down_is_found_at_the_start(scan: Scan, ordered: Ordered) -> None:
    order, study = ordered(), scan()
    long_ago(study, minutes=10)
    Arrivals().look()
    item = ReadingItem.objects.get()
    assert (item.order, item.study, item.status) == (order, study, "ready")


def test_an_archive_that_was_full_before_makes_no_work(scan: Scan) -> None:
    study = scan()
    Study.objects.filter(pk=study.pk).update(created_at=timezone.now() - timedelta(days=2))
    MigrationRecorder.Migration.objects.filter(app="reporting").update(applied=timezone.now())
    assert arrivals.catch_up() == 0
    assert not ReadingItem.objects.exists()


def test_the_look_back_is_bounded_by_days_and_by_studies(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    MigrationRecorder.Migration.objects.filter(app="reporting").update(applied=timezone.now() - timedelta(days=400))
    assert timezone.now() - arrivals.horizon() < timedelta(days=arrivals.CATCH_UP_DAYS, minutes=1)
    monkeypatch.setattr(arrivals, "CATCH_UP_STUDIES", 2)
    for number in range(4):
        scan(f"1.2.{number}", AccessionNumber="")
    assert arrivals.catch_up() == 2


def test_old_images_that_nobody_ordered_make_no_work_where_the_site_says_so(scan: Scan, settings: Any) -> None:
    settings.FARVIEW_WORKLIST_DAYS = 30
    assert items.images_came(scan(StudyDate="20100101")) == []
    assert items.images_came(scan("1.2.9", StudyDate=f"{timezone.now():%Y%m%d}", AccessionNumber="")) != []


def test_but_ordered_ones_do(scan: Scan, ordered: Ordered, settings: Any) -> None:
    settings.FARVIEW_WORKLIST_DAYS = 30
    order = ordered()
    (item,) = items.images_came(scan(StudyDate="20100101"))
    assert item.order == order


def test_one_studys_fault_keeps_no_other_out(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Arrivals()
    listening.look()
    scan("1.2.1", AccessionNumber=""), scan("1.2.2", AccessionNumber="")
    sound = items.images_came

    def breaking(study: Study, *rest: Any) -> Any:
        if study.study_instance_uid == "1.2.1":
            raise RuntimeError("broken")
        return sound(study, *rest)

    monkeypatch.setattr(items, "images_came", breaking)
    assert listening.look() == 2
    assert ReadingItem.objects.get().study.study_instance_uid == "1.2.2"


def test_pages_are_told_by_news_with_ids_alone(scan: Scan) -> None:
    items.images_came(scan())
    item = ReadingItem.objects.get()
    assert Outbox.objects.filter(kind="worklist.changed").last().payload == {
        "item": item.pk,
        "study_instance_uid": "1.2.3",
        "status": "arriving",
    }


@pytest.mark.django_db(transaction=True)
async def test_the_task_runs_beside_the_server(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "PERIOD_SECONDS", 0.02)
    running = asyncio.create_task(arrivals.arrivals())
    try:
        await sync_to_async(scan)()
        for _ in range(300):
            if await ReadingItem.objects.acount():
                break
            await asyncio.sleep(0.02)
        assert await ReadingItem.objects.acount() == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_the_server_knows_the_task() -> None:
    from reporting.hooks import TASKS

    assert arrivals.arrivals in TASKS
