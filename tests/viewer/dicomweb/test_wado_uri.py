"""WADO-URI: what old clients ask, and that every wrong question is answered in words."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import PIL.Image
import pydicom
import pytest
from django.test import Client

from accounts.models import AuditEvent, Organization
from tests.viewer.dicomweb.asking import address, ask, stored
from viewer.models import Instance

pytestmark = pytest.mark.usefixtures("store")

ELE, JLS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80"


@pytest.fixture
def image(hospital: Organization, shared_data: Path) -> Instance:
    return stored(sorted((shared_data / "series" / "ct_chest_lidc0314_jpegls").iterdir())[0], hospital)


def wado(instance: Instance, **more: object) -> str:
    asked = {
        "requestType": "WADO",
        "studyUID": instance.series.study.study_instance_uid,
        "seriesUID": instance.series.series_instance_uid,
        "objectUID": instance.sop_instance_uid,
    }
    return f"/wado?{urlencode({name: value for name, value in (asked | more).items() if value is not None})}"


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(body)))


def test_the_file_comes_in_explicit_little_endian_or_as_named(alice: Client, image: Instance) -> None:
    for syntax, expected in ((None, ELE), (ELE, ELE), (JLS, JLS)):
        answer = ask(alice, wado(image, contentType="application/dicom", transferSyntax=syntax))
        assert answer.type == f"application/dicom;transfer-syntax={expected}"
        read = pydicom.dcmread(io.BytesIO(answer.body))
        assert read.file_meta.TransferSyntaxUID == expected
        assert read.SOPInstanceUID == image.sop_instance_uid
    other = ask(alice, wado(image, contentType="application/dicom", transferSyntax="1.2.840.10008.1.2.4.90"))
    assert other.status == 406
    assert AuditEvent.objects.filter(action="dicomweb.retrieve").count() == 3


def test_a_picture_is_the_rendered_one(alice: Client, image: Instance) -> None:
    assert ask(alice, wado(image)).type == "image/jpeg"
    for asked, query in (
        ({}, ""),
        ({"windowCenter": -600, "windowWidth": 1500}, "window=-600,1500,linear"),
        ({"rows": 100, "columns": 200}, "viewport=200,100"),
        ({"region": "0.25,0.25,0.75,0.75"}, "viewport=256,256,128,128,256,256"),
        ({"region": "0,0,0.5,0.5", "rows": 64, "columns": 64}, "viewport=64,64,0,0,256,256"),
        ({"frameNumber": 1}, ""),
        ({"annotation": "patient"}, ""),
    ):
        by_uri = ask(alice, wado(image, contentType="image/png", **asked))
        by_rs = ask(alice, f"{address(image, '/rendered')}?{query}", "image/png")
        assert by_uri.type == "image/png"
        assert np.array_equal(pixels(by_uri.body), pixels(by_rs.body)), asked
    narrow = ask(alice, wado(image, contentType="image/png", columns=64))
    assert pixels(narrow.body).shape == (64, 64)


@pytest.mark.parametrize(
    "asked",
    [
        {"requestType": "GET"}, {"requestType": None}, {"studyUID": None}, {"seriesUID": ""}, {"objectUID": None},
        {"rows": "x"}, {"rows": 0}, {"region": "0,0,2,2"}, {"region": "0,0"}, {"region": "0.5,0,0.2,1"},
        {"windowCenter": 5}, {"windowCenter": "a", "windowWidth": 3}, {"imageQuality": 0}, {"frameNumber": 0},
        {"frameNumber": "1,2"}, {"contentType": "application/dicom", "rows": 5},
        {"contentType": "image/png", "transferSyntax": ELE}, {"annotation": "loud"},
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_in_words(alice: Client, image: Instance, asked: dict[str, object]) -> None:
    refused = ask(alice, wado(image, **asked))
    assert refused.status == 400
    assert ":" in refused.response.json()["detail"]


def test_what_is_not_had_is_told(alice: Client, image: Instance, hospital: Organization, shared_data: Path) -> None:
    assert ask(alice, wado(image, contentType="image/gif")).status == 406
    assert ask(alice, wado(image, contentType="image/gif,image/png")).type == "image/png"
    assert ask(alice, wado(image, contentType="application/dicom", anonymize="yes")).status == 406
    assert ask(alice, wado(image, frameNumber=2)).status == 404
    report = stored(shared_data / "derived" / "sr_basic_text.dcm", hospital)
    assert ask(alice, wado(report)).type == f"application/dicom;transfer-syntax={ELE}"
    assert ask(alice, wado(report, contentType="image/jpeg")).status == 406


def test_bob_charlie_and_nobody_get_nothing(bob: Client, charlie: Client, image: Instance) -> None:
    assert ask(bob, wado(image)).status == ask(charlie, wado(image)).status == 404
    assert ask(Client(), wado(image)).status == 401
    assert {event.actor for event in AuditEvent.objects.filter(outcome="denied")} == {"bob", "charlie"}


def test_alice_does_not_get_what_was_rejected(alice: Client, image: Instance) -> None:
    Instance.objects.filter(pk=image.pk).update(rejection="113001")
    assert ask(alice, wado(image)).status == 404
