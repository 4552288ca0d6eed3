"""Every real file over HTTP, taken in, stored, indexed and drawn, is the picture that the rendering tests hold against the
standard's own pipeline."""

from __future__ import annotations

import io
import json
from itertools import count
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from django.test import Client

from accounts.models import Membership, Organization, Role, User
from viewer.archive.ingest import ingest_file
from viewer.dicom.decode import load_frame
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.models import Series
from viewer.rendering.render import render
from viewer.rendering.view import View

pytestmark = pytest.mark.usefixtures("store")

FOLDERS = {
    "charset": 8,
    "cine": 5,
    "colour": 3,
    "derived": 8,
    "dicomdir": 20,
    "enhanced": 3,
    "series/ct_chest_lidc0314_jpegls": 3,
    "series/ct_head_gantry_tilt_ge_jpll": 3,
    "series/mr_head_sag_HFDR": 3,
    "series/pet_body": 3,
    "syntax_ctimage": 16,
    "syntax_nema": 21,
    "syntax_other": 3,
    "windows": 4,
    "xray": 3,
}
"""Each with how many of its files at least must show; of the long series every hundredth or so is asked."""

numbers = count(1)


@pytest.fixture
def reader(db: None) -> Client:
    User.objects.create_user(username="reader")
    client = Client()
    client.force_login(User.objects.get())
    return client


def files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return found[:: max(1, len(found) // 3 - 1)] if folder.parent.name == "series" else found


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_served_is_what_is_rendered(folder: str, shared_data: Path, reader: Client) -> None:
    shown = 0
    for path in files(shared_data / folder):
        # The sets of one image in every syntax share UIDs: each file has an organization to itself.
        organization = Organization.objects.create(name=f"alone-{next(numbers)}")
        Membership.objects.create(user=User.objects.get(), organization=organization, role=Role.RADIOLOGIST)
        if ingest_file(path, organization, "ingest", "").outcome != "stored":
            continue
        series = Series.objects.get(organization=organization)
        if series.number_of_frames == 0:
            continue
        answer = reader.get(
            f"/api/series/{series.series_instance_uid}/frame",
            {"view": json.dumps({"zoom": "native"}), "organization": organization.name},
        )
        assert answer.status_code == 200, (path, answer.content)
        view = json.loads(answer["Farview-View"])
        sources = frame_sources(InstanceFile(path, str(path), read_instance(path).index))
        frame = load_frame(next(one for one in sources if one.frame_number == view["frame_number"]))
        expected = render(frame, View.from_json(view)).pixels
        assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(answer.content))), expected), path
        shown += 1
    assert shown >= FOLDERS[folder]
