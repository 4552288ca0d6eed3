"""A study goes in, is searched and comes out by dicomweb-client, as other programs do it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset

from tests.peers.conftest import Site

SERIES = Path("series") / "mr_head_sag_HFDR"


@pytest.fixture(scope="module")
def files(shared_data: Path) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted((shared_data / SERIES).glob("*.dcm"))[:12]]


@pytest.fixture(scope="module")
def client(site: Site, files: list[Dataset]) -> DICOMwebClient:
    """Of a server to which the files were stored by it."""
    logging.getLogger("dicomweb_client").setLevel(logging.ERROR)
    client = DICOMwebClient(f"{site.url}/dicom-web", session=site.session())
    answer = client.store_instances(files)
    assert {one.ReferencedSOPInstanceUID for one in answer.ReferencedSOPSequence} == {
        one.SOPInstanceUID for one in files
    }
    assert "FailedSOPSequence" not in answer
    return client


def test_studies_series_and_instances_are_searched(client: DICOMwebClient, files: list[Dataset]) -> None:
    first = files[0]
    name = str(first.PatientName)
    [study] = client.search_for_studies(search_filters={"PatientName": f"{name[:3].lower()}*"}, fuzzymatching=True)
    assert Dataset.from_json(study).StudyInstanceUID == first.StudyInstanceUID
    [series] = client.search_for_series(first.StudyInstanceUID)
    assert Dataset.from_json(series).NumberOfSeriesRelatedInstances == len(files)
    pages = [client.search_for_instances(first.StudyInstanceUID, limit=5, offset=offset) for offset in (0, 5, 10, 15)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    found = {Dataset.from_json(one).SOPInstanceUID for page in pages for one in page}
    assert found == {one.SOPInstanceUID for one in files}
    assert len(client.search_for_instances(limit=3, get_remaining=True)) == len(files)
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_metadata_say_what_the_files_say(client: DICOMwebClient, files: list[Dataset]) -> None:
    first = files[0]
    models = client.retrieve_series_metadata(first.StudyInstanceUID, first.SeriesInstanceUID)
    read = [Dataset.from_json(model, lambda *given: b"") for model in models]
    told = {one.SOPInstanceUID: one for one in read}
    for file in files:
        for keyword in ("PatientName", "ImagePositionPatient", "Rows", "PixelSpacing", "Modality", "StudyDate"):
            assert told[file.SOPInstanceUID][keyword].value == file[keyword].value


def test_objects_frames_and_bulk_data_come_back_as_they_went(client: DICOMwebClient, files: list[Dataset]) -> None:
    first = files[0]
    uids = (first.StudyInstanceUID, first.SeriesInstanceUID)
    back = {one.SOPInstanceUID: one for one in client.retrieve_series(*uids)}
    assert set(back) == {one.SOPInstanceUID for one in files}
    assert all(np.array_equal(back[one.SOPInstanceUID].pixel_array, one.pixel_array) for one in files)
    alone = client.retrieve_instance(*uids, first.SOPInstanceUID)
    assert alone.PixelData == first.PixelData
    [frame] = client.retrieve_instance_frames(
        *uids, first.SOPInstanceUID, [1], media_types=(("application/octet-stream", "1.2.840.10008.1.2.1"),)
    )
    assert frame == first.pixel_array.tobytes()
    model = client.retrieve_instance_metadata(*uids, first.SOPInstanceUID)
    [encoded] = client.retrieve_bulkdata(
        model["7FE00010"]["BulkDataURI"], media_types=(("image/jp2", "1.2.840.10008.1.2.4.90"),)
    )
    assert encoded == pydicom.encaps.get_frame(first.PixelData, 0, number_of_frames=1)


def test_it_deletes_nothing_that_it_may_not(client: DICOMwebClient, files: list[Dataset]) -> None:
    from requests import HTTPError

    with pytest.raises(HTTPError):
        client.delete_study(files[0].StudyInstanceUID)
    assert len(client.search_for_instances()) == len(files)
