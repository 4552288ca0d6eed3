"""Objects by WADO-RS: whose, in which encoding, in which form, and what is written down."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicomweb.asking import address, ask, each_alone, stored
from viewer.archive.storage import blob_store
from viewer.models import Correction, CorrectionKind, Instance, Study

pytestmark = pytest.mark.usefixtures("store")

ELE, ILE, BE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
JLS = "1.2.840.10008.1.2.4.80"
UNKNOWN_TO_PYDICOM = [f"1.2.840.10008.1.2.4.{number}" for number in (51, 53, 55)]
"""Of 12 bits, or progressive: frames of them are held against other decoders in test_frames."""
SYNTAXES = ("syntax_ctimage", "syntax_nema", "syntax_other")


@pytest.fixture
def slices(hospital: Organization, tmp_path: Path) -> list[Instance]:
    """Two series of one study, three images in all."""
    made = [("1.2.3.1.1", "1.2.3.1"), ("1.2.3.1.2", "1.2.3.1"), ("1.2.3.2.1", "1.2.3.2")]
    return [stored(save(ct_slice(sop, series=series), tmp_path / f"{sop}.dcm"), hospital) for sop, series in made]


def study(instance: Instance) -> str:
    return f"/dicom-web/studies/{instance.series.study.study_instance_uid}"


def series(instance: Instance) -> str:
    return f"{study(instance)}/series/{instance.series.series_instance_uid}"


def read(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content))


def test_a_study_a_series_and_an_instance_come_as_parts_that_name_what_they_are(
    alice: Client, slices: list[Instance]
) -> None:
    for where, expected in ((study(slices[0]), 3), (series(slices[0]), 2), (address(slices[0]), 1)):
        answer = ask(alice, where, 'multipart/related; type="application/dicom"')
        assert answer.status == 200
        assert answer.type.startswith('multipart/related; type="application/dicom"; boundary=')
        assert len(answer.parts) == expected
        for media_type, location, content in answer.parts:
            uid = read(content).SOPInstanceUID
            assert media_type == f"application/dicom;transfer-syntax={ELE}"
            assert location.endswith(f"/instances/{uid}")
            assert ask(alice, location, "application/dicom").body == content


def test_nothing_said_and_anything_said_mean_parts_of_dicom(alice: Client, slices: list[Instance]) -> None:
    for accept in (None, "*/*", "multipart/related", "multipart/related; type=application/dicom; transfer-syntax=*"):
        assert len(ask(alice, study(slices[0]), accept).parts) == 3
    assert (
        len(ask(alice, study(slices[0]) + "?accept=multipart/related;type=application/dicom", "image/png").parts) == 3
    )


def test_bob_charlie_and_nobody_find_nothing_and_it_is_written_down(
    bob: Client, charlie: Client, slices: list[Instance]
) -> None:
    for where in (study(slices[0]), series(slices[0]), address(slices[0]), address(slices[0], "/frames/1")):
        assert ask(bob, where).status == ask(charlie, where).status == 404
        assert ask(Client(), where).status == 401
    denied = AuditEvent.objects.filter(outcome="denied")
    assert {event.actor for event in denied} == {"bob", "charlie"}
    assert not AuditEvent.objects.filter(action="dicomweb.retrieve").exists()


def test_a_referrer_gets_what_was_granted(bob: Client, slices: list[Instance]) -> None:
    from viewer.models import Grant

    Grant.objects.create(study=slices[0].series.study, user=User.objects.get(username="bob"), reason="order")
    assert len(ask(bob, study(slices[0])).parts) == 3


def test_what_is_not_in_the_study_of_the_address_is_not_there(
    alice: Client, slices: list[Instance], hospital: Organization, tmp_path: Path
) -> None:
    other = stored(save(ct_slice("9.1.1", series="9.1", study="9"), tmp_path / "other.dcm"), hospital)
    mixed = f"{study(slices[0])}/series/{other.series.series_instance_uid}"
    assert ask(alice, mixed).status == 404
    assert ask(alice, f"{series(slices[0])}/instances/{slices[2].sop_instance_uid}").status == 404


def test_rejected_objects_are_not_there(alice: Client, slices: list[Instance]) -> None:
    Instance.objects.filter(pk=slices[0].pk).update(rejection="113001")
    assert ask(alice, address(slices[0])).status == 404
    assert ask(alice, address(slices[0], "/frames/1")).status == 404
    assert len(ask(alice, study(slices[0])).parts) == 2


def test_a_study_of_two_organizations_is_asked_for_by_name(
    alice: Client, slices: list[Instance], elsewhere: Organization, tmp_path: Path
) -> None:
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RADIOLOGIST)
    stored(save(ct_slice("1.2.3.1.1", series="1.2.3.1"), tmp_path / "again.dcm"), elsewhere)
    refused = ask(alice, study(slices[0]))
    assert refused.status == 409
    assert refused.response.json()["organizations"] == ["elsewhere", "hospital"]
    assert len(ask(alice, study(slices[0]) + "?organization=elsewhere").parts) == 1


def test_each_retrieval_is_written_down_once_with_what_went_out(alice: Client, slices: list[Instance]) -> None:
    ask(alice, series(slices[0]))
    ask(alice, address(slices[2]))
    first, second = AuditEvent.objects.filter(action="dicomweb.retrieve").order_by("sequence")
    assert (first.actor, first.object_uid, first.detail["instances"]) == ("alice", "1.2.3.1", 2)
    assert (second.object_uid, second.detail["instances"]) == ("1.2.3.2.1", 1)
    assert first.study_instance_uid == Study.objects.get().study_instance_uid
    assert AuditEvent.objects.filter(action="study.view").count() == 1


def test_every_real_syntax_leaves_as_it_is_but_never_implicit_or_big_endian(alice: Client, shared_data: Path) -> None:
    seen = set()
    paths = [path for folder in SYNTAXES for path in sorted((shared_data / folder).iterdir())]
    for path, instance, query in each_alone(paths, "alice"):
        answer = ask(alice, f"{address(instance)}?organization={query['organization']}")
        (media_type, _, content), stored_syntax = answer.parts[0], instance.transfer_syntax_uid
        expected = ELE if stored_syntax in (ILE, BE) else stored_syntax
        assert media_type == f"application/dicom;transfer-syntax={expected}", path
        left = read(content)
        assert left.file_meta.TransferSyntaxUID == expected
        assert left.SOPInstanceUID == instance.sop_instance_uid
        if stored_syntax not in (ILE, BE):
            assert content[132:] == path.read_bytes()[132:], path
        seen.add(stored_syntax)
    assert len(seen) >= 12


def test_every_real_syntax_can_be_had_in_explicit_little_endian_with_the_same_pixels(
    alice: Client, shared_data: Path
) -> None:
    seen = set()
    paths = [path for folder in SYNTAXES for path in sorted((shared_data / folder).iterdir())]
    for path, instance, query in each_alone(paths, "alice"):
        where = f"{address(instance)}?organization={query['organization']}"
        answer = ask(alice, where, f'multipart/related; type="application/dicom"; transfer-syntax={ELE}')
        assert answer.status == 200, path
        left, before = read(answer.parts[0][2]), pydicom.dcmread(path)
        assert left.file_meta.TransferSyntaxUID == ELE
        seen.add(instance.transfer_syntax_uid)
        try:
            theirs = pydicom.pixels.pixel_array(before, raw=True)
        except (NotImplementedError, RuntimeError):
            assert instance.transfer_syntax_uid in UNKNOWN_TO_PYDICOM
            continue
        ours = pydicom.pixels.pixel_array(left, raw=True)
        difference = np.abs(theirs.astype(np.int64) - ours.astype(np.int64)).max()
        assert difference <= (1 if "4.5" in instance.transfer_syntax_uid[17:] else 0), path
    assert len(seen) >= 12


def test_wishes_are_weighed_and_what_cannot_be_given_is_told(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    path = sorted((shared_data / "series" / "ct_chest_lidc0314_jpegls").iterdir())[0]
    where = address(stored(path, hospital))
    weighed = {
        f'application/dicom; transfer-syntax={ELE}; q=0.5, application/dicom; transfer-syntax="{JLS}"': JLS,
        f"application/dicom; transfer-syntax={ELE}; q=0.9, application/dicom; transfer-syntax={JLS}; q=0.2": ELE,
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, application/dicom; transfer-syntax=*; q=0.1": JLS,
        "application/dicom": JLS,
        "image/png, application/*": JLS,
    }
    for accept, syntax in weighed.items():
        answer = ask(alice, where, accept)
        assert answer.type == f"application/dicom;transfer-syntax={syntax}", accept
        assert read(answer.body).file_meta.TransferSyntaxUID == syntax
    for accept in (
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90",
        "application/zip",
        "application/dicom;q=0",
    ):
        refused = ask(alice, where, accept)
        assert refused.status == 406
        available = refused.response.json()["available"]
        assert available[:2] == [f"application/dicom;transfer-syntax={syntax}" for syntax in (JLS, ELE)]


def test_a_part_of_what_is_asked_for_is_called_a_part(
    alice: Client, slices: list[Instance], hospital: Organization, shared_data: Path
) -> None:
    path = sorted((shared_data / "series" / "ct_chest_lidc0314_jpegls").iterdir())[0]
    compressed = stored(path, hospital)
    Instance.objects.filter(pk=compressed.pk).update(series=slices[0].series)
    answer = ask(alice, study(slices[0]), f"multipart/related; type=application/dicom; transfer-syntax={JLS}")
    assert (answer.status, len(answer.parts)) == (206, 1)


def test_one_file_is_told_by_its_etag_and_comes_in_ranges(alice: Client, slices: list[Instance]) -> None:
    where = address(slices[0])
    whole = ask(alice, where, "application/dicom")
    tag, length = whole.response["ETag"], len(whole.body)
    assert whole.response["Content-Length"] == str(length)
    assert whole.response["Accept-Ranges"] == "bytes"
    assert ask(alice, where, "application/dicom", If_None_Match=tag).status == 304
    assert ask(alice, where, "multipart/related", If_None_Match=tag).status == 200
    for header, start, end in (("bytes=0-9", 0, 10), ("bytes=100-", 100, length), ("bytes=-7", length - 7, length)):
        part = ask(alice, where, "application/dicom", Range=header)
        assert part.status == 206
        assert part.body == whole.body[start:end]
        assert part.response["Content-Range"] == f"bytes {start}-{end - 1}/{length}"
    assert ask(alice, where, "application/dicom", Range=f"bytes={length}-").status == 416
    stale = ask(alice, where, "application/dicom", Range="bytes=0-9", If_Range='"another"')
    assert (stale.status, stale.body) == (200, whole.body)


def test_the_preamble_is_zeroed(alice: Client, hospital: Organization, tmp_path: Path) -> None:
    path = save(ct_slice("1.2.3.7.1", series="1.2.3.7"), tmp_path / "polyglot.dcm")
    path.write_bytes(b"MZ" + bytes(range(126)) + path.read_bytes()[128:])
    answer = ask(alice, address(stored(path, hospital)), "application/dicom")
    assert answer.body == bytes(128) + path.read_bytes()[128:]
    assert answer.response["Content-Disposition"].startswith("attachment")
    assert answer.response["X-Content-Type-Options"] == "nosniff"


def test_the_pixels_of_an_instance_come_as_bulk_data(alice: Client, hospital: Organization, shared_data: Path) -> None:
    path = shared_data / "cine" / "US_palette_10f_rle.dcm"
    instance = stored(path, hospital)
    answer = ask(alice, address(instance), 'multipart/related; type="application/octet-stream"')
    assert len(answer.parts) == 10
    values = pydicom.dcmread(path).pixel_array
    for number, (media_type, location, content) in enumerate(answer.parts):
        assert media_type == "application/octet-stream"
        assert location.endswith(f"/frames/{number + 1}")
        assert content == values[number].tobytes()
    stored_bytes = ask(alice, address(instance), "multipart/related; type=image/dicom-rle")
    assert stored_bytes.parts[3][2] == ask(alice, address(instance, "/frames/4")).parts[0][2]


def test_corrections_are_in_every_file_that_leaves_and_never_in_the_stored_one(
    alice: Client, slices: list[Instance], hospital: Organization
) -> None:
    before = ask(alice, address(slices[0]), "application/dicom")
    Correction.objects.create(
        organization=hospital,
        kind=CorrectionKind.STUDY_OF_ANOTHER_PATIENT,
        study=slices[0].series.study,
        before={"PatientID": "P1", "PatientName": "Doe^Jane"},
        after={"PatientID": "P2", "PatientName": "Roe^Richard"},
        at=timezone.now(),
    )
    for _, _, content in ask(alice, study(slices[0])).parts:
        left = read(content)
        assert (left.PatientID, str(left.PatientName)) == ("P2", "Roe^Richard")
        assert left.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientID == "P1"
    tag = before.response["ETag"]
    after = ask(alice, address(slices[0]), "application/dicom", If_None_Match=tag)
    assert after.status == 200
    assert read(after.body).PatientID == "P2"
    assert "Accept-Ranges" not in after.response
    assert b"P2" not in blob_store().path(slices[0].blob_id).read_bytes()
    uids = f"studyUID=1.2.3&seriesUID=1.2.3.1&objectUID={slices[0].sop_instance_uid}"
    uri = f"/wado?requestType=WADO&contentType=application/dicom&{uids}"
    assert read(ask(alice, uri).body).PatientID == "P2"
