"""An archive of an older version learns what this one reads of its files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.core.management import call_command
from pydicom.dataset import Dataset

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicom.making import image_dataset, write
from tests.viewer.dicom.states import overlay
from viewer.archive import reading_anew as anew
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore
from viewer.dicom.read import READ_AS
from viewer.models import Instance, Series, SeriesRequest, Study

pytestmark = pytest.mark.django_db(transaction=True)


def reindex() -> str:
    out = io.StringIO()
    call_command("reindex", stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def image(store: BlobStore, hospital: Organization, tmp_path: Path) -> Instance:
    dataset = overlay(image_dataset(np.zeros((8, 8), np.uint8)), 0x6000, np.ones((8, 8), bool), label="mark")
    ingest_file(write(tmp_path / "image.dcm", dataset), hospital, "test", "")
    return Instance.objects.get()


def test_an_index_of_an_older_version_is_made_anew_and_the_series_gets_another_version(image: Instance) -> None:
    whole = dict(image.index)
    assert whole["overlays"][0]["label"] == "mark"
    del image.index["overlays"]
    image.save()
    version = Series.objects.get().version
    assert reindex() == "1 of the indexes renewed.\n"
    image.refresh_from_db()
    assert image.index == whole
    assert Series.objects.get().version == version + 1
    assert reindex() == "0 of the indexes renewed.\n"
    assert Series.objects.get().version == version + 1


def test_a_file_that_is_gone_is_named_and_its_index_stays(image: Instance, store: BlobStore) -> None:
    store.path(image.blob_id).unlink()
    errors = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("reindex", stdout=io.StringIO(), stderr=errors)
    assert image.sop_instance_uid in errors.getvalue()
    before = dict(image.index)
    image.refresh_from_db()
    assert image.index == before


def test_series_of_an_older_version_learn_when_they_were_begun_and_what_asked_for_them(
    store: BlobStore, hospital: Organization, tmp_path: Path
) -> None:
    request = Dataset()
    request.AccessionNumber, request.ScheduledProcedureStepID = "A1", "S1"
    slice_ = ct_slice(PerformedProcedureStepStartDate="20240131", RequestAttributesSequence=[request])
    ingest_file(save(slice_, tmp_path / "slice.dcm"), hospital, "test", "")
    Series.objects.update(performed_date="")
    Study.objects.update(accession_number="A2")  # as a correction since then would have
    SeriesRequest.objects.all().delete()
    assert reindex() == "1 of the indexes renewed.\n"
    assert Series.objects.get().performed_date == "20240131"
    asked = SeriesRequest.objects.get()
    assert (asked.accession_number, asked.scheduled_procedure_step_id) == ("A2", "S1")
    assert reindex() == "0 of the indexes renewed.\n"


@pytest.fixture
def data(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """The data folder of a server, and the commands that it would run."""
    settings.FARVIEW_DATA_DIR = tmp_path / "data"
    settings.FARVIEW_DATA_DIR.mkdir()
    run: list[str] = []

    async def run_command(*words: str) -> str:
        run.append(*words)
        return ""

    monkeypatch.setattr(anew, "run_command", run_command)
    return settings.FARVIEW_DATA_DIR, run


def test_an_archive_of_an_older_version_is_read_again_by_the_server_once(
    image: Instance, data: tuple[Path, list[str]]
) -> None:
    folder, run = data
    (folder / "headers.read").write_text(json.dumps({"as": READ_AS - 1}))
    for _ in range(2):
        async_to_sync(anew.reading_anew)()
    assert run == ["reindex"]
    assert json.loads((folder / "headers.read").read_text()) == {"as": READ_AS}


def test_an_archive_that_is_new_has_nothing_to_read(hospital: Organization, data: tuple[Path, list[str]]) -> None:
    folder, run = data
    async_to_sync(anew.reading_anew)()
    assert run == []
    assert json.loads((folder / "headers.read").read_text()) == {"as": READ_AS}


def test_what_comes_into_a_new_archive_before_it_serves_is_not_read_again(
    image: Instance, data: tuple[Path, list[str]]
) -> None:
    """The demonstration of a first start."""
    _, run = data
    anew.new_archive()
    async_to_sync(anew.reading_anew)()
    assert run == []
