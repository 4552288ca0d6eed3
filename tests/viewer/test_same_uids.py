"""The same UIDs in two organizations, with other pixels and another patient: everybody gets their own, from every cache too."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import Client

from accounts.models import Membership, Organization, Role, User
from tests.accounts.matrix.world import one_connection
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import Instance, KeyImage, Measurement, Series

pytestmark = pytest.mark.usefixtures("store")

RAMP = np.arange(-8, 8, dtype="<i2").reshape(4, 4) * 30
VIEW = json.dumps({"zoom": "native", "window_center": 40, "window_width": 400, "voi_lut_function": "LINEAR"})
NAMES = {"hospital": "Ours^Anna", "elsewhere": "Theirs^Bea"}


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    one_connection(monkeypatch)


@pytest.fixture
def doors(hospital: Organization, elsewhere: Organization, tmp_path: Path) -> dict[str, str]:
    """Both organizations hold a slice under the same UIDs; the addresses at which it is asked for."""
    for organization, pixels in ((hospital, RAMP), (elsewhere, -RAMP)):
        slice_ = ct_slice(PixelData=pixels.tobytes(), PatientName=NAMES[organization.name], PatientID=organization.name)
        ingest_file(save(slice_, tmp_path / f"{organization.name}.dcm"), organization, "ingest", "")
    for series in Series.objects.select_related("study", "organization"):
        shared: dict[str, Any] = {
            "organization": series.organization,
            "study": series.study,
            "uid": "2.25.1",
            "series_instance_uid": series.series_instance_uid,
            "view": {},
            "author": person(f"author-{series.organization.name}", series.organization, Role.RADIOLOGIST),
        }
        name = NAMES[series.organization.name]
        Measurement.objects.create(kind="text", label=name, points=[], **shared)
        KeyImage.objects.create(
            renderer="1", series_version="1", rows=1, columns=1, sha256="0" * 64, note=name, **shared
        )
    one = Instance.objects.select_related("series__study")[0]
    study, series_uid = one.series.study.study_instance_uid, one.series.series_instance_uid
    web = f"/dicom-web/studies/{study}"
    instance = f"{web}/series/{series_uid}/instances/{one.sop_instance_uid}"
    return {
        "frame": f"/api/series/{series_uid}/frame?view={VIEW}",
        "thumbnail": f"/api/series/{series_uid}/thumbnail?x=1",
        "study": f"/api/studies/{study}/?x=1",
        "measurements": f"/api/studies/{study}/measurements/?x=1",
        "key images": f"/api/studies/{study}/key-images/?x=1",
        "page": f"/studies/{study}/?x=1",
        "pixels": f"{instance}/frames/1?x=1",
        "rendered": f"{instance}/rendered?x=1",
        "metadata": f"{instance}/metadata?x=1",
        "wado": f"/wado?requestType=WADO&studyUID={study}&seriesUID={series_uid}&objectUID={one.sop_instance_uid}",
    }


DOORS = (
    *("frame", "thumbnail", "study", "measurements", "key images", "page"),
    *("pixels", "rendered", "metadata", "wado"),
)
OF_PIXELS = ("frame", "thumbnail", "pixels", "rendered", "wado")


def body(answer: HttpResponse) -> bytes:
    if not answer.streaming:
        return bytes(answer.content)

    async def whole() -> bytes:
        return b"".join([part async for part in answer])

    return async_to_sync(whole)() if answer.is_async else b"".join(answer)


@pytest.mark.parametrize("name", DOORS)
def test_each_reader_gets_their_own(doors: dict[str, str], alice: Client, charlie: Client, name: str) -> None:
    first, second = (body(client.get(doors[name])) for client in (alice, charlie))
    assert first != second
    assert body(alice.get(doors[name])).count(b"Theirs^Bea") == 0
    assert b"Ours^Anna" not in second
    if name not in OF_PIXELS:
        assert b"Ours^Anna" in first
        assert b"Theirs^Bea" in second


def test_pictures_are_those_of_ones_own_pixels_also_from_the_caches(
    doors: dict[str, str], alice: Client, charlie: Client
) -> None:
    for client, values in ((alice, RAMP), (charlie, -RAMP), (alice, RAMP), (charlie, -RAMP)):
        grey = ((values.astype(float) - 39.5) / 399 + 0.5) * 255  # PS3.3 C.11.2.1.2.1
        wanted = np.floor(np.clip(grey, 0, 255) + 0.5)
        assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(body(client.get(doors["frame"]))))), wanted)


@pytest.mark.parametrize("name", DOORS)
def test_what_another_browser_holds_is_no_answer(
    doors: dict[str, str], alice: Client, charlie: Client, name: str
) -> None:
    tag = alice.get(doors[name]).get("ETag")
    if tag is None:
        return
    answer = charlie.get(doors[name], headers={"If-None-Match": tag})
    assert answer.status_code == 200, "the other's picture was taken for one's own"


@pytest.mark.parametrize("name", DOORS)
def test_a_person_of_both_must_say_which(
    doors: dict[str, str], alice: Client, charlie: Client, elsewhere: Organization, name: str
) -> None:
    own = {"hospital": body(alice.get(doors[name])), "elsewhere": body(charlie.get(doors[name]))}
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RESIDENT)
    both = signed_in(User.objects.get(username="alice"))
    assert both.get(doors[name]).status_code == 409
    for organization, name_there in NAMES.items():
        answer = both.get(f"{doors[name]}&organization={organization}")
        assert answer.status_code == 200
        other = next(one for one in NAMES.values() if one != name_there).encode()
        assert name == "page" or other not in body(answer) or name == "study"
        if name in OF_PIXELS and name != "pixels":
            assert body(both.get(f"{doors[name]}&organization={organization}")) == own[organization]
