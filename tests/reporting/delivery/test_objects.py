"""The evidence of a signed report as DICOM objects in the archive, and what takes a report back, as others read them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from PIL import Image

from accounts.models import User
from reporting.delivery.sending import Sender
from reporting.evidence.blobs import bytes_of
from reporting.models import Delivery, Evidence, Report, ReportVersion
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.delivery.conftest import FINDINGS
from tests.reporting.evidence.test_freezing import key_image as key_image
from tests.reporting.evidence.test_freezing import measurement as measurement
from tests.viewer.objects.validator import errors_in, needs_validator
from viewer.archive.storage import blob_store
from viewer.models import Instance, Measurement, Study

pytestmark = pytest.mark.django_db(transaction=True)


def settle() -> None:
    asyncio.run(Sender().settle())


def filed(*modalities: str) -> list[pydicom.Dataset]:
    """Objects of the archive by modality, oldest first."""
    rows = Instance.objects.filter(series__modality__in=modalities).order_by("id")
    return [pydicom.dcmread(blob_store().path(row.blob_id)) for row in rows]


def settled(report: Report, kind: str = "archive") -> Delivery:
    settle()
    delivery = Delivery.objects.filter(report=report, destination__kind=kind).order_by("id").last()
    assert delivery is not None
    assert delivery.state == "acknowledged", delivery.problem
    return delivery


def withdraw(report: Report, *people: User) -> None:
    """Two people say that it was entered in error."""
    for user in people:
        body = {"password": PASSWORD, "reason": "Another patient's images."}
        answer = signed_in(user).post(f"/api/reports/{report.pk}/entered-in-error/", body, "application/json")
        assert answer.status_code == 200, answer.content
    settled(report)


def test_a_key_image_becomes_a_presentation_state_and_a_selection_names_it(sign, key_image: dict[str, Any]) -> None:
    report = sign(findings=f"{FINDINGS} See [[key_image:{key_image['uid']}|image 1]].")
    settled(report)
    (state,) = filed("PR")
    (image,) = state.ReferencedSeriesSequence[0].ReferencedImageSequence
    assert image.ReferencedSOPInstanceUID == key_image["sop_instance_uid"]
    window = state.SoftcopyVOILUTSequence[0]
    assert (float(window.WindowCenter), float(window.WindowWidth)) == (40.0, 80.0)
    (selection,) = filed("KO")
    (item,) = [one for one in selection.ContentSequence if one.ValueType == "IMAGE"]
    (named,) = item.ReferencedSOPSequence
    assert named.ReferencedSOPInstanceUID == key_image["sop_instance_uid"]
    assert named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == state.SOPInstanceUID
    hd.ko.KeyObjectSelectionDocument.from_dataset(selection)


def test_a_measurement_is_drawn_as_it_stood_when_it_was_signed(sign, measurement: dict[str, Any]) -> None:
    report = sign(findings=f"{FINDINGS} [[measurement:{measurement['uid']}/length|30 mm]]")
    Measurement.objects.update(points=[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], label="Moved since")
    settled(report)
    frozen = Evidence.objects.get()
    assert frozen.measurements[0]["label"] == "Haematoma"
    (state,) = filed("PR")
    drawn = state.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData
    (x1, y1), (x2, y2) = drawn[:2], drawn[2:4]
    image = Instance.objects.get(sop_instance_uid=measurement["sop_instance_uid"])
    spacing = pydicom.dcmread(blob_store().path(image.blob_id)).PixelSpacing
    assert np.hypot((x2 - x1) * float(spacing[1]), (y2 - y1) * float(spacing[0])) == pytest.approx(30.0, abs=0.1)
    assert "Moved since" not in str(state)


def test_a_picture_that_is_no_stored_frame_is_captured_pixel_by_pixel(
    sign, study: Study, alice: User, monkeypatch
) -> None:
    series = study.series.get().series_instance_uid
    view = {"frame": 0, "color_map": "hot_iron", "size": [120, 100]}
    made = signed_in(alice).post(
        f"/api/studies/{study.study_instance_uid}/key-images/",
        json.dumps({"series": series, "view": view}),
        content_type="application/json",
    )
    assert made.status_code == 201, made.content
    report = sign(findings=f"{FINDINGS} [[key_image:{made.json()['uid']}|in colours]]")
    settled(report)
    (captured,) = filed("OT")
    frozen = Evidence.objects.get()
    with Image.open(blob_store().path(frozen.picture_id)) as picture:
        assert np.array_equal(captured.pixel_array, np.asarray(picture))
    assert captured.SourceImageSequence[0].ReferencedSOPInstanceUID in str(frozen.sop_instances)
    assert frozen.sha256 in captured.DerivationDescription


@needs_validator
def test_an_independent_validator_finds_no_error(sign, key_image, measurement, alice, boss, tmp_path) -> None:
    links = f"[[key_image:{key_image['uid']}|image 1]] [[measurement:{measurement['uid']}/length|30 mm]]"
    report = sign(findings=f"{FINDINGS} {links}")
    settled(report)
    withdraw(report, alice, boss)
    objects = filed("PR", "KO")
    assert len(objects) == 4  # two states, their selection, and the note that takes them back
    for number, one in enumerate(objects):
        path = tmp_path / f"{number}.dcm"
        one.save_as(path)
        assert errors_in(path) == [], one.SOPClassUID.name


def test_made_again_the_objects_are_the_same_bytes(sign, key_image: dict[str, Any]) -> None:
    from reporting.delivery import objects, to_archive
    from reporting.workflow.reading import signed_report

    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|image 1]]")
    version = ReportVersion.objects.get(report=report, number=report.signed_version)
    one, other = (dict(objects.of_report(report, version, signed_report(report))) for _ in range(2))
    assert set(one) == {"structured report", "encapsulated pdf", "evidence 1", "evidence selection"}
    assert one["structured report"] == other["structured report"]
    assert one["evidence 1"] == other["evidence 1"]
    delivery = settled(report)
    held = dict(to_archive.unpacked(bytes_of(delivery.payload)))
    assert {name: held[name] for name in ("structured report", "evidence 1")} == {
        name: one[name] for name in ("structured report", "evidence 1")
    }


def test_an_addendum_is_a_new_document_that_names_the_one_before_it(sign, add) -> None:
    report = sign()
    settled(report)
    add(report, "An old infarct.")
    settled(report)
    first, second = filed("SR")
    assert (first.SOPInstanceUID, second.SeriesInstanceUID) != (second.SOPInstanceUID, "")
    before = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert before.ReferencedSOPInstanceUID == first.SOPInstanceUID


def test_a_report_that_was_entered_in_error_is_taken_back_by_a_note_and_nothing_is_deleted(
    sign, key_image: dict[str, Any], alice: User, boss: User
) -> None:
    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|image 1]]")
    settled(report)
    before = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    withdraw(report, alice, boss)
    assert before < set(Instance.objects.values_list("sop_instance_uid", flat=True))
    note = next(one for one in filed("KO") if one.ConceptNameCodeSequence[0].CodeValue == "113037")
    named = {
        one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for one in note.ContentSequence
        if one.ValueType in ("COMPOSITE", "IMAGE")
    }
    withdrawn = {str(one.SOPInstanceUID) for one in filed("SR", "DOC", "PR")}
    assert named == withdrawn
    assert {str(one) for one in named} <= before
