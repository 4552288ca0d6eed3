"""A signed report shows its pictures for ever, and says where the same View would be drawn differently today."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from accounts.models import Organization, User
from reporting.models import Evidence
from tests.reporting.conftest import HEAD, signed_in
from tests.reporting.talking import opened, saved, signed
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.storage import blob_store
from viewer.models import Instance, KeyImage, Series, Study

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "Drawn today, this picture would look different."


@pytest.fixture
def at(alice: User) -> Client:
    return signed_in(alice)


def marked(client: Client, study: Study, **view: Any) -> str:
    """A key image of this View, as the viewer marks it; its uid."""
    body = {"series": study.series.get().series_instance_uid, "view": {"size": [100, 100], **view}}
    answer = client.post(f"/api/studies/{study.study_instance_uid}/key-images/", body, "application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["uid"])


def reported(client: Client, study: Study, uid: str) -> int:
    text = f"Nothing abnormal, see [[key_image:{uid}|image]]."
    report = opened(client, study)
    return int(signed(client, saved(client, report, {"findings": text, "impression": text}))["id"])


def shown(client: Client, report: int, check: str) -> tuple[bool | None, bool, str]:
    """(whether it draws the same, whether the page says otherwise, SHA-256 of the picture's pixels)."""
    (one,) = client.get(f"/api/reports/{report}/evidence/?check={check}").json()["evidence"]
    page = client.get(f"/api/reports/{report}/export/html?check={check}")
    assert page.status_code == 200
    png = client.get(one["picture"])
    pixels = np.asarray(Image.open(io.BytesIO(png.content)))
    return one.get("draws_the_same"), SAID in page.content.decode(), hashlib.sha256(pixels.tobytes()).hexdigest()


def test_a_picture_through_the_whole_stack_is_drawn_differently_once_more_of_it_came(
    at: Client, study: Study, site: Organization, shared_data: Path
) -> None:
    report = reported(at, study, marked(at, study, plane="axial", projection="mip", slab_thickness="all"))
    digest = Evidence.objects.get().sha256
    assert shown(at, report, "1") == (True, False, digest)
    more = [source for file in sorted((shared_data / HEAD).glob("*.dcm"))[2:8] for source in walk(file)]
    assert {one.outcome for one in ingest(more, Sender(site, "tess", "upload"))} == {"stored"}
    assert shown(at, report, "1") == (False, True, digest), "the signed picture stays as it was"
    assert shown(at, report, "")[1:] == (False, digest), "nobody asked"


def test_a_picture_of_one_image_is_drawn_the_same_whatever_came_beside_it(
    at: Client, study: Study, site: Organization, shared_data: Path
) -> None:
    report = reported(at, study, marked(at, study, frame=0))
    more = [source for file in sorted((shared_data / HEAD).glob("*.dcm"))[2:4] for source in walk(file)]
    assert {one.outcome for one in ingest(more, Sender(site, "tess", "upload"))} == {"stored"}
    assert shown(at, report, "1")[:2] == (True, False)


def test_the_signed_picture_stays_when_the_images_are_gone(at: Client, study: Study) -> None:
    report = reported(at, study, marked(at, study, frame=1))
    digest = Evidence.objects.get().sha256
    KeyImage.objects.all().delete()
    for instance in Instance.objects.filter(series__modality="CT"):
        blob_store().path(instance.blob_id).unlink()
        instance.delete()
    Series.objects.filter(modality="CT").delete()
    assert shown(at, report, "")[1:] == (False, digest)
    assert shown(at, report, "1") == (False, True, digest)
    pdf = at.get(f"/api/reports/{report}/export/pdf")
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
