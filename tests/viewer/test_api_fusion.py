"""One series over another, over HTTP: only what the reader may see is laid over anything."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import slices
from viewer.archive.ingest import ingest_file

pytestmark = pytest.mark.usefixtures("store")

BELOW, ABOVE = "1.2.3.4", "1.2.3.5"
WINDOW = {"window_center": 0, "window_width": 100}


@pytest.fixture
def scans(hospital: Organization, elsewhere: Organization, tmp_path: Path) -> None:
    """Two series of one frame of reference; the hospital has both, elsewhere has the lower one alone."""
    for series, value in ((BELOW, 0), (ABOVE, 1000)):
        pixels = np.full((4, 4), value, "<i2").tobytes()
        for path in slices(tmp_path / series, 3, series=series, FrameOfReferenceUID="1.9", PixelData=pixels):
            ingest_file(path, hospital, "test", "")
            if series == BELOW:
                ingest_file(path, elsewhere, "test", "")


def asked(client: Client, **fusion: Any) -> HttpResponse:
    view = {"size": [16, 16], "fusion": {"series": ABOVE, **WINDOW, "opacity": 1, **fusion}, **WINDOW}
    return client.get(f"/api/series/{BELOW}/frame", {"view": json.dumps(view)})


def test_a_series_is_laid_over_another(scans: None, alice: Client) -> None:
    answer = asked(alice)
    assert answer.status_code == 200, answer.content
    pixels = np.asarray(PIL.Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (16, 16, 3)
    assert json.loads(answer["Farview-View"])["fusion"]["series"] == ABOVE


def test_bob_and_charlie_have_nothing_laid_over_that_is_not_theirs(scans: None, bob: Client, charlie: Client) -> None:
    assert asked(bob).status_code == 404
    answers = [asked(charlie), asked(charlie, organization="hospital"), asked(charlie, series="1.2.3.99")]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert len({answer.content for answer in answers}) == 1
    denied = AuditEvent.objects.filter(action="study.view", actor="charlie", outcome="denied")
    assert set(denied.values_list("object_uid", flat=True)) == {ABOVE, "1.2.3.99"}
