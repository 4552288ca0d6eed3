"""Objects that are no images over REST: listed with the reason, and given out so that nothing in them can act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41, EncapsulatedCDAStorage, EncapsulatedPDFStorage, VideoEndoscopicImageStorage

from accounts.models import AuditEvent, Membership, Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file
from viewer.marks import other_objects

pytestmark = pytest.mark.usefixtures("store")

MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40


def taken_in(path: Path, organization: Organization) -> Dataset:
    outcome = ingest_file(path, organization, "ingest", "")
    assert outcome.outcome == "stored", outcome.reason
    return pydicom.dcmread(path, stop_before_pixels=True)


def listed(client: Client, study: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/studies/{study}/objects/")
    assert answer.status_code == 200
    return answer.json()["objects"]


def streamed(client: Client, address: str, **headers: str) -> tuple[HttpResponse, bytes]:
    """The answer and its body, read as the server does."""

    async def ask() -> tuple[HttpResponse, bytes]:
        asynchronous = AsyncClient()
        asynchronous.cookies = client.cookies
        answer = await asynchronous.get(address, headers=headers)
        if not answer.streaming:
            return answer, answer.content
        return answer, b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(ask)()


def document_object(data: bytes, kind: str = EncapsulatedPDFStorage, **changed: Any) -> Dataset:
    made = ct_slice("1.2.3.9.1", series="1.2.3.9", SOPClassUID=kind, Modality="DOC", **changed)
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "PixelSpacing", "ImagePositionPatient"):
        delattr(made, keyword)
    made.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    made.EncapsulatedDocumentLength = len(data)
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    return made


def video_object(payload: list[bytes], folder: Path, syntax: str = MPEG4HP41, frames: int = 30) -> Path:
    made = ct_slice("1.2.3.8.1", series="1.2.3.8", SOPClassUID=VideoEndoscopicImageStorage, Modality="ES")
    made.NumberOfFrames, made.SamplesPerPixel, made.PhotometricInterpretation = frames, 3, "YBR_PARTIAL_420"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PlanarConfiguration, made.PixelData = 0, encapsulate(payload, has_bot=False)
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    path = save(made, folder / "video.dcm")
    read = pydicom.dcmread(path)
    read.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, read)
    return path


# --- the list


def test_every_object_that_is_no_image_is_listed(shared_data: Path, hospital: Organization, alice: Client) -> None:
    for name in ("sr_basic_text", "sr_basic_text_mr"):
        said = taken_in(shared_data / "derived" / f"{name}.dcm", hospital)
    report = pydicom.dcmread(shared_data / "derived" / "sr_basic_text.dcm")
    (row,) = listed(alice, said.StudyInstanceUID)
    assert row == {
        "sop_instance_uid": report.SOPInstanceUID,
        "series_instance_uid": report.SeriesInstanceUID,
        "kind": "sr",
        "title": "Annotations",
        "date": "20180328",
        "time": "082247.689453",
        "refers_to": ["1.3.12.2.1107.5.2.18.41185.2014120613392067352020757"],
        "reason": None,
        "superseded": False,
    }


@pytest.mark.parametrize(
    ("name", "kind", "title", "references", "reason"),
    [
        ("tid1500_sr", "sr", "Imaging Measurement Report", 193, None),
        ("tid1500_seg", "seg", "QIICR QIN IOWA: Iowa QIN segmentation result", 13, None),
        ("tid1500_rwvm", "other", "RWV", 191, "real world value mapping: not shown here"),
        ("gsps_luts", "gsps", "XLUT_P03: scrambled modality lut / voi lut / presentation lut", 1, None),
        ("encapsulated_pdf", "pdf", "Sample protocol", 0, None),
        ("rtstruct_lctsc", "rtstruct", "AutoSS", 131, None),
    ],
)
def test_each_kind_is_named_with_what_it_refers_to_and_the_reason_when_it_is_not_shown(
    shared_data: Path,
    hospital: Organization,
    alice: Client,
    name: str,
    kind: str,
    title: str,
    references: int,
    reason: str | None,
) -> None:
    said = taken_in(shared_data / "derived" / f"{name}.dcm", hospital)
    (row,) = listed(alice, said.StudyInstanceUID)
    assert (row["kind"], row["title"], len(row["refers_to"]), row["reason"]) == (kind, title, references, reason)


def test_a_clinical_document_is_listed_with_the_reason(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    made = document_object(b"<ClinicalDocument/>", EncapsulatedCDAStorage, DocumentTitle="Letter")
    taken_in(save(made, tmp_path / "cda.dcm"), hospital)
    (row,) = listed(alice, "1.2.3")
    assert (row["kind"], row["title"], row["reason"]) == ("other", "Letter", "clinical document: not shown here")
    assert alice.get("/api/instances/1.2.3.9.1/pdf/").status_code == 422
    assert alice.get("/api/instances/1.2.3.9.1/document/").json()["detail"] == "This object is no report."


def test_a_list_that_takes_too_long_to_read_names_the_rest_by_their_series(
    shared_data: Path, hospital: Organization, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = taken_in(shared_data / "derived" / "tid1500_sr.dcm", hospital)
    monkeypatch.setattr(other_objects, "READING_S", -1.0)
    (row,) = listed(alice, said.StudyInstanceUID)
    assert (row["kind"], row["title"], row["refers_to"]) == ("sr", "tumor measurements - User2 Manual trial 1", [])


# --- reports


def test_a_report_comes_as_a_tree_that_names_what_this_archive_holds(
    shared_data: Path, hospital: Organization, alice: Client
) -> None:
    report = taken_in(shared_data / "derived" / "tid1500_sr.dcm", hospital)
    segmentation = taken_in(shared_data / "derived" / "tid1500_seg.dcm", hospital)
    answer = alice.get(f"/api/instances/{report.SOPInstanceUID}/document/").json()
    assert (answer["kind"], answer["title"], answer["notes"]) == ("sr", "Imaging Measurement Report", [])
    references = [node["reference"] for node in nodes(answer["tree"]) if "reference" in node]
    here = {reference["sop_instance_uid"] for reference in references if reference["here"]}
    assert here == {segmentation.SOPInstanceUID}
    assert {r["series_instance_uid"] for r in references if r["here"]} == {segmentation.SeriesInstanceUID}


def nodes(top: dict[str, Any]) -> list[dict[str, Any]]:
    return [top, *(inner for child in top.get("children", []) for inner in nodes(child))]


# --- PDF


def test_a_pdf_is_given_out_as_its_bytes_and_can_do_nothing(
    shared_data: Path, hospital: Organization, alice: Client
) -> None:
    said = taken_in(shared_data / "derived" / "encapsulated_pdf.dcm", hospital)
    answer, body = streamed(alice, f"/api/instances/{said.SOPInstanceUID}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert body == pydicom.dcmread(shared_data / "derived" / "encapsulated_pdf.dcm").EncapsulatedDocument
    assert int(answer["Content-Length"]) == len(body)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Content-Disposition"] == 'inline; filename="Sample-protocol.pdf"'
    assert answer["Cache-Control"] == "no-store"


def test_a_documents_own_length_says_where_it_ends(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    taken_in(save(document_object(b"%PDF-1.7 odd"[:11]), tmp_path / "a.dcm"), hospital)
    assert streamed(alice, "/api/instances/1.2.3.9.1/pdf/")[1] == b"%PDF-1.7 od"


@pytest.mark.parametrize("data", [b"<html><script>alert(1)</script>", b"\0\0%PDF-1.7", b"MZ\x90", b"%PD"])
def test_what_does_not_begin_as_a_pdf_is_not_given_out_as_one(
    hospital: Organization, alice: Client, tmp_path: Path, data: bytes
) -> None:
    taken_in(save(document_object(data), tmp_path / "a.dcm"), hospital)
    answer = alice.get("/api/instances/1.2.3.9.1/pdf/")
    assert answer.status_code == 422
    assert "does not begin as a PDF" in answer.json()["detail"]


def test_a_title_never_ends_up_in_a_header_as_it_is(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    title = '"; filename="x.html" \u202e../..\\ <b>'
    taken_in(
        save(document_object(b"%PDF-1.7", DocumentTitle=title, SpecificCharacterSet="ISO_IR 192"), tmp_path / "a"),
        hospital,
    )
    answer, _ = streamed(alice, "/api/instances/1.2.3.9.1/pdf/")
    assert answer["Content-Disposition"] == 'inline; filename="filename-x-html-b.pdf"'


# --- video


def test_a_video_that_browsers_play_is_served_in_ranges(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    taken_in(video_object([MP4[:5000], MP4[5000:]], tmp_path), hospital)
    (row,) = listed(alice, "1.2.3")
    assert (row["kind"], row["reason"]) == ("video", None)
    door = "/api/instances/1.2.3.8.1/video/"
    answer, body = streamed(alice, door)
    assert (answer.status_code, answer["Content-Type"], answer["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert body[: len(MP4)] == MP4
    size = len(body)
    for asked, wanted in (
        ("bytes=0-", (0, size - 1)),
        ("bytes=4990-5010", (4990, 5010)),
        ("bytes=-7", (size - 7, size - 1)),
        (f"bytes={size - 1}-{size + 50}", (size - 1, size - 1)),
    ):
        answer, part = streamed(alice, door, Range=asked)
        assert answer.status_code == 206
        assert answer["Content-Range"] == f"bytes {wanted[0]}-{wanted[1]}/{size}"
        assert part == body[wanted[0] : wanted[1] + 1]
    answer, _ = streamed(alice, door, Range=f"bytes={size}-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize(
    ("payload", "syntax", "words"),
    [
        ((b"G" + bytes(187)) * 20, MPEG4HP41, "MPEG-2 transport stream"),
        (b"\0\0\0\1\x67" + bytes(500), MPEG4HP41, "without a container"),
        (b"rubbish!" * 100, MPEG4HP41, "no H.264 video"),
        (b"\0\0\1\xb3" + bytes(500), "1.2.840.10008.1.2.4.100", "MPEG-2 video"),
        (MP4, "1.2.840.10008.1.2.4.107", "H.265 video"),
    ],
)
def test_a_video_that_browsers_do_not_play_says_why(
    hospital: Organization, alice: Client, tmp_path: Path, payload: bytes, syntax: str, words: str
) -> None:
    taken_in(video_object([payload], tmp_path, syntax), hospital)
    (row,) = listed(alice, "1.2.3")
    assert words in row["reason"]
    answer = alice.get("/api/instances/1.2.3.8.1/video/")
    assert (answer.status_code, answer.json()["detail"]) == (422, row["reason"])


# --- who may


def test_objects_of_others_are_as_if_they_did_not_exist(
    shared_data: Path, hospital: Organization, alice: Client, bob: Client, charlie: Client, client: Client
) -> None:
    said = taken_in(shared_data / "derived" / "encapsulated_pdf.dcm", hospital)
    report = taken_in(shared_data / "derived" / "sr_basic_text.dcm", hospital)
    doors = [
        f"/api/studies/{said.StudyInstanceUID}/objects/",
        f"/api/instances/{report.SOPInstanceUID}/document/",
        f"/api/instances/{said.SOPInstanceUID}/pdf/",
        f"/api/instances/{said.SOPInstanceUID}/video/",
    ]
    for door in doors:
        assert [person.get(door).status_code for person in (bob, charlie, client)] == [404, 404, 401], door
        assert charlie.get(door).json() == charlie.get(door.replace("1.", "9.")).json()
    assert streamed(alice, doors[2])[0].status_code == 200
    Membership.objects.all().delete()
    assert [alice.get(door).status_code for door in doors] == [404] * 4


def test_asking_for_what_one_may_not_see_is_written_down(
    shared_data: Path, hospital: Organization, charlie: Client
) -> None:
    said = taken_in(shared_data / "derived" / "encapsulated_pdf.dcm", hospital)
    charlie.get(f"/api/instances/{said.SOPInstanceUID}/pdf/")
    event = AuditEvent.objects.get(outcome="denied")
    assert (event.actor, event.object_uid) == ("charlie", said.SOPInstanceUID)
