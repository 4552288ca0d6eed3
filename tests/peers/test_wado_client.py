"""dicomweb-client retrieves from us; Orthanc's DICOMweb plugin does, too, with a bearer token of its own, and sends to us."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from PIL import Image

from tests.peers.conftest import Site, needed
from tests.peers.orthanc import DICOM_WEB, PROGRAM, Orthanc
from tests.viewer.archive.objects import slices

SERIES = ("ct_chest_lidc0314_jpegls", "mr_head_sag_HFDR", "pet_body")
SLICES = 3
CLIP = "cine/US_palette_10f_rle.dcm"


@pytest.fixture(scope="module")
def files(site: Site, shared_data: Path) -> list[Path]:
    """Some slices of a JPEG-LS, a JPEG 2000 and an Implicit VR series, and a clip in RLE."""
    found = [path for name in SERIES for path in sorted((shared_data / "series" / name).iterdir())[:SLICES]]
    found.append(shared_data / CLIP)
    site.live.manage("ingest", *found)
    return found


@pytest.fixture
def client(site: Site) -> DICOMwebClient:
    return DICOMwebClient(f"{site.url}/dicom-web", session=site.session())


def uids(path: Path) -> tuple[str, str, str]:
    read = pydicom.dcmread(path, stop_before_pixels=True)
    return read.StudyInstanceUID, read.SeriesInstanceUID, read.SOPInstanceUID


def raw(dataset: pydicom.Dataset) -> np.ndarray:
    return pydicom.pixels.pixel_array(dataset, raw=True)


def test_studies_series_and_instances_are_retrieved_with_the_same_pixels(
    client: DICOMwebClient, files: list[Path]
) -> None:
    for name_at in range(0, len(files), SLICES):
        study, series, _ = uids(files[name_at])
        own = {uids(path)[2]: path for path in files if uids(path)[0] == study}
        for got in (client.retrieve_study(study), client.retrieve_series(study, series)):
            assert {dataset.SOPInstanceUID for dataset in got} == set(own)
            for dataset in got:
                assert np.array_equal(raw(dataset), raw(pydicom.dcmread(own[dataset.SOPInstanceUID])))
    for path in files:
        dataset = client.retrieve_instance(*uids(path))
        assert np.array_equal(raw(dataset), raw(pydicom.dcmread(path)))


def test_an_instance_is_retrieved_in_explicit_little_endian_by_name(client: DICOMwebClient, files: list[Path]) -> None:
    for path in files:
        dataset = client.retrieve_instance(*uids(path), media_types=(("application/dicom", "1.2.840.10008.1.2.1"),))
        assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert np.array_equal(raw(dataset), raw(pydicom.dcmread(path)))


def test_frames_are_retrieved_uncompressed_and_as_they_are_stored(client: DICOMwebClient, files: list[Path]) -> None:
    clip = files[-1]
    values = raw(pydicom.dcmread(clip))
    plain = client.retrieve_instance_frames(*uids(clip), frame_numbers=[1, 4, 10])
    octets = client.retrieve_instance_frames(
        *uids(clip), frame_numbers=[1, 4, 10], media_types=("application/octet-stream",)
    )
    assert [len(frame) for frame in octets] == [430 * 600] * 3
    for frame, number in zip(octets, (1, 4, 10), strict=True):
        assert np.array_equal(np.frombuffer(frame, np.uint8).reshape(430, 600), values[number - 1])
    assert len(plain) == 3
    slice_ = files[0]
    jls = client.retrieve_instance_frames(
        *uids(slice_), frame_numbers=[1], media_types=(("image/jls", "1.2.840.10008.1.2.4.80"),)
    )
    assert jls[0] == next(pydicom.encaps.generate_frames(pydicom.dcmread(slice_).PixelData, number_of_frames=1))


def test_pictures_are_rendered(client: DICOMwebClient, files: list[Path]) -> None:
    where = uids(files[0])
    png = client.retrieve_instance_rendered(*where, media_types=("image/png",), params={"window": "-600,1500,LINEAR"})
    assert np.asarray(Image.open(io.BytesIO(png))).shape == (512, 512)
    frame = client.retrieve_instance_frames_rendered(*uids(files[-1]), [2], media_types=("image/jpeg",))
    assert np.asarray(Image.open(io.BytesIO(frame))).shape[:2] == (430, 600)


@pytest.fixture
def fetching(site: Site) -> Iterator[Orthanc]:
    """An Orthanc that knows us as a DICOMweb server and shows Alice's token."""
    needed(PROGRAM, "orthanc")
    needed(DICOM_WEB, "orthanc-dicomweb")
    servers = {"farview": {"Url": f"{site.url}/dicom-web/", "HttpHeaders": {"Authorization": f"Bearer {site.token}"}}}
    with Orthanc("FETCHER", DicomWeb={"Enable": True, "Root": "/dicom-web/", "Servers": servers}) as peer:
        yield peer


def test_orthanc_retrieves_from_us_what_it_was_sent_to_fetch(fetching: Orthanc, files: list[Path]) -> None:
    for path in (files[0], files[2 * SLICES], files[-1]):
        study = uids(path)[0]
        asked = fetching.session.post(
            f"{fetching.url}/dicom-web/servers/farview/retrieve",
            json={"Resources": [{"Study": study}], "Synchronous": True},
            timeout=120,
        )
        assert asked.status_code == 200, asked.text
        own = {uids(one)[2]: one for one in files if uids(one)[0] == study}
        assert held(fetching, study, len(own)) == {uid: pixels_of(pydicom.dcmread(one)) for uid, one in own.items()}


def test_orthanc_sends_to_us_by_stow(fetching: Orthanc, client: DICOMwebClient, tmp_path: Path) -> None:
    paths = slices(tmp_path, SLICES, series="1.2.3.77", PixelData=bytes(range(32)))
    given = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, paths)}
    fetching.post("/dicom-web/servers/farview/stow", {"Resources": fetching.take(tmp_path), "Synchronous": True})
    study = next(iter(given.values())).StudyInstanceUID
    back = {one.SOPInstanceUID: one for one in client.retrieve_study(study)}
    assert back.keys() == given.keys()
    assert all(back[uid].PixelData == one.PixelData for uid, one in given.items())
    assert all(back[uid].PatientName == one.PatientName for uid, one in given.items())


def held(peer: Orthanc, study: str, expected: int) -> dict[str, bytes]:
    """SOP Instance UID -> pixel values of what Orthanc has of a study."""
    end = time.monotonic() + 60
    while True:
        found: list[str] = peer.session.post(
            f"{peer.url}/tools/find", json={"Level": "Instance", "Query": {"StudyInstanceUID": study}}, timeout=30
        ).json()
        if len(found) >= expected or time.monotonic() > end:
            break
        time.sleep(0.2)
    read = [pydicom.dcmread(io.BytesIO(file(peer.session, f"{peer.url}/instances/{one}/file"))) for one in found]
    return {dataset.SOPInstanceUID: pixels_of(dataset) for dataset in read}


def file(session: requests.Session, address: str) -> bytes:
    return session.get(address, timeout=30).content


def pixels_of(dataset: Any) -> bytes:
    return raw(dataset).tobytes()
