"""What a text links to is drawn, kept, and shown for ever: also when the images are gone."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np
import pydicom
import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import Membership, Role, User
from reporting.evidence import freezing
from reporting.models import Evidence, ReadingItem, Report, ReportVersion, TemplateVersion
from tests.reporting.conftest import signed_in
from viewer.archive.storage import blob_store
from viewer.models import Grant, Instance, KeyImage, Measurement, Study


@pytest.fixture
def key_image(study: Study, alice: User) -> dict[str, Any]:
    """Marked through the door that the viewer uses."""
    series = study.series.get().series_instance_uid
    body = {"series": series, "view": {"frame": 1, "window_center": 40, "window_width": 80, "size": [200, 200]}}
    answer = signed_in(alice).post(
        f"/api/studies/{study.study_instance_uid}/key-images/", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def measurement(study: Study, alice: User, key_image: dict[str, Any]) -> dict[str, Any]:
    """A length drawn on the same picture: 30 mm along the image's row."""
    instance = Instance.objects.get(sop_instance_uid=key_image["sop_instance_uid"])
    body = {
        **{"kind": "length", "label": "Haematoma", "series": key_image["series_instance_uid"], "stack": 0},
        **{"sop_instance_uid": instance.sop_instance_uid, "frame_number": 1, "space": "patient"},
        **{"points": points_on(key_image, alice), "view": key_image["view"]},
    }
    answer = signed_in(alice).post(
        f"/api/studies/{study.study_instance_uid}/measurements/", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def points_on(key_image: dict[str, Any], user: User) -> list[list[float]]:
    instance = Instance.objects.select_related("blob").get(sop_instance_uid=key_image["sop_instance_uid"])
    header = pydicom.dcmread(blob_store().path(instance.blob_id), stop_before_pixels=True)
    position, row = np.array(header.ImagePositionPatient, float), np.array(header.ImageOrientationPatient[:3], float)
    column = np.array(header.ImageOrientationPatient[3:], float)
    start = position + 60 * row + 60 * column
    return [start.tolist(), (start + 30 * row).tolist()]


@pytest.fixture
def report(item: ReadingItem, template: TemplateVersion, alice: User) -> Report:
    return Report.objects.create(
        organization=item.organization,
        study=item.study,
        item=item,
        order=item.order,
        template_version=template,
        author=alice,
    )


def signed(report: Report, content: dict[str, Any], frozen: list[freezing.Frozen]) -> ReportVersion:
    version = ReportVersion.objects.create(
        sequence=1,
        report=report,
        number=1,
        kind="final",
        state="final",
        content=content,
        template_version=report.template_version,
        author=report.author,
        author_username="alice",
        author_name="Alice Adler",
        at=timezone.now(),
        previous_mac="0" * 64,
        mac="0" * 64,
        evidence=[one.manifest() for one in frozen],
    )
    freezing.keep(version, frozen)
    Report.objects.filter(pk=report.pk).update(state="final", version=1, signed_version=1)
    return version


def frozen_of(report: Report, content: dict[str, Any], user: User) -> list[freezing.Frozen]:
    return async_to_sync(freezing.freeze)(report, content, user)


def text(key_image: dict[str, Any], measurement: dict[str, Any]) -> dict[str, Any]:
    image = f"[[key_image:{key_image['uid']}|image 2]]"
    length = f"[[measurement:{measurement['uid']}/length|30.0 mm]]"
    return {"findings": f"Haematoma of {length}, see {image}.", "impression": f"As in {image}."}


def test_each_linked_picture_is_drawn_once_exactly_as_it_was_marked(
    report: Report, key_image: dict[str, Any], measurement: dict[str, Any], alice: User
) -> None:
    frozen = frozen_of(report, text(key_image, measurement), alice)
    assert [(one.kind, one.uid) for one in frozen] == [
        ("measurement", measurement["uid"]),
        ("key_image", key_image["uid"]),
    ]
    marked = frozen[1]
    assert (marked.sha256, marked.as_marked) == (key_image["sha256"], True)
    png = blob_store().path(marked.picture.sha256).read_bytes()
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    assert pixels.shape == (200, 200)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == key_image["sha256"], "the kept PNG holds the very pixels"
    (source,) = marked.sop_instances
    assert source["sop_instance_uid"] == key_image["sop_instance_uid"]
    assert source["frames"] == []


def test_a_measurement_is_kept_with_its_numbers_and_its_line_on_the_picture(
    report: Report, key_image: dict[str, Any], measurement: dict[str, Any], alice: User
) -> None:
    (one, _) = frozen_of(report, text(key_image, measurement), alice)
    (kept,) = one.measurements
    assert kept["values"]["length"]["value"] == pytest.approx(30.0, abs=0.05)
    ((drawing),) = kept["drawings"]
    (x, y), (to_x, to_y) = drawing["points"]
    pixel = Instance.objects.get(sop_instance_uid=key_image["sop_instance_uid"])
    millimetres = measured_spacing(pixel) * pixel.columns / 200
    assert (to_x - x) * millimetres == pytest.approx(30.0, abs=0.05), "the line is as long in the picture"
    assert to_y == pytest.approx(y, abs=1e-6)
    assert kept["words"]["text"] == "Haematoma\n30.0 mm"


def measured_spacing(instance: Instance) -> float:
    return float(pydicom.dcmread(blob_store().path(instance.blob_id), stop_before_pixels=True).PixelSpacing[1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("[[key_image:2.25.1|image 9]]", "a key image that is not there"),
        ("[[measurement:2.25.1|9 mm]]", "a measurement that is not there"),
    ],
)
def test_a_link_that_leads_nowhere_stops_the_signature(report: Report, alice: User, words: str, said: str) -> None:
    with pytest.raises(freezing.CannotFreeze, match=said):
        frozen_of(report, {"findings": words}, alice)


def test_a_key_image_of_another_patient_cannot_be_linked(
    report: Report, key_image: dict[str, Any], alice: User
) -> None:
    other = report.study.patient
    other.pk = None
    other.patient_id = "SOMEBODY ELSE"
    other.save()
    stranger = Study.objects.create(organization=report.organization, patient=other, study_instance_uid="1.2.3")
    KeyImage.objects.filter(uid=key_image["uid"]).update(study=stranger)
    with pytest.raises(freezing.CannotFreeze, match="not there"):
        frozen_of(report, {"findings": f"[[key_image:{key_image['uid']}|image 2]]"}, alice)


def test_a_deleted_measurement_stops_the_signature(
    report: Report, measurement: dict[str, Any], alice: User, key_image: dict[str, Any]
) -> None:
    Measurement.objects.filter(uid=measurement["uid"]).update(deleted_at=timezone.now())
    with pytest.raises(freezing.CannotFreeze, match="deleted"):
        frozen_of(report, text(key_image, measurement), alice)


def test_what_is_frozen_cannot_be_changed(
    report: Report, key_image: dict[str, Any], measurement: dict[str, Any], alice: User
) -> None:
    content = text(key_image, measurement)
    signed(report, content, frozen_of(report, content, alice))
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        Evidence.objects.update(sha256="0" * 64)


def test_the_picture_stays_when_the_images_are_gone_and_says_so(
    report: Report, key_image: dict[str, Any], measurement: dict[str, Any], alice: User
) -> None:
    content = text(key_image, measurement)
    signed(report, content, frozen_of(report, content, alice))
    page = signed_in(alice)
    before = page.get(f"/api/reports/{report.pk}/evidence/?check=1").json()
    assert [one["draws_the_same"] for one in before["evidence"]] == [True, True]
    KeyImage.objects.all().delete()
    for instance in Instance.objects.all():
        blob_store().path(instance.blob_id).unlink()
    after = page.get(f"/api/reports/{report.pk}/evidence/").json()["evidence"]
    picture = page.get(after[1]["picture"])
    pixels = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == key_image["sha256"] == after[1]["sha256"]
    assert page.get(after[1]["picture"], headers={"If-None-Match": picture["ETag"]}).status_code == 304


def test_who_sees_frozen_pictures(
    report: Report,
    key_image: dict[str, Any],
    measurement: dict[str, Any],
    alice: User,
    bob: User,
    charlie: User,
    rita: User,
    boss: User,
) -> None:
    content = text(key_image, measurement)
    signed(report, content, frozen_of(report, content, alice))
    listed, picture = f"/api/reports/{report.pk}/evidence/", f"/api/reports/{report.pk}/evidence/1/picture"
    for user, status in ((alice, 200), (rita, 200), (bob, 404), (charlie, 404), (boss, 404)):
        assert {signed_in(user).get(door).status_code for door in (listed, picture)} == {status}, user.username
    assert {Client().get(door).status_code for door in (listed, picture)} == {401}
    Grant.objects.create(study=report.study, user=bob, reason="order")
    assert signed_in(bob).get(picture).status_code == 200, "the referrer of this patient"
    Report.objects.filter(pk=report.pk).update(state="preliminary")
    assert signed_in(bob).get(picture).status_code == 404, "not before it is final"


def test_what_can_be_linked_to_is_for_those_who_write(
    report: Report,
    key_image: dict[str, Any],
    measurement: dict[str, Any],
    alice: User,
    bob: User,
    charlie: User,
    tess: User,
    boss: User,
) -> None:
    door = f"/api/reports/{report.pk}/insertable/"
    told = signed_in(alice).get(door).json()
    assert [one["uid"] for one in told["key_images"]] == [key_image["uid"]]
    assert told["measurements"][0]["words"] == "30.0 mm"
    assert told["measurements"][0]["values"] == [{"name": "length", "label": "length", "words": "30.0 mm"}]
    Grant.objects.create(study=report.study, user=bob, reason="order")
    for user in (bob, charlie, tess, boss):
        assert signed_in(user).get(door).status_code == 404, user.username
    Membership.objects.create(user=tess, organization=report.organization, role=Role.RESIDENT)
    assert signed_in(tess).get(door).status_code == 200
