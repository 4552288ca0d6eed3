"""A View names a presentation state: it is applied where the reader may see the image, and of the same study alone."""

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

from accounts.models import Organization
from tests.viewer.dicom.making import image_dataset, item, write
from tests.viewer.dicom.states import save, state_dataset
from tests.viewer.serving.conftest import Dial, People, dial, in_thread, people
from tests.viewer.test_consumers import heard, opening, served, socket_of
from viewer.archive.ingest import ingest_file
from viewer.serving.runtime import Runtime

__all__ = ["dial", "people", "served"]

STORED = np.arange(64, dtype=np.uint8).reshape(8, 8)
SERIES = "1.2.3.64.11"
"""No other test's: the engine lives longer than one, and knows series by their UIDs."""


class Shelf:
    """An image, a state about it, and a state about it that was filed in another study."""

    def __init__(self, folder: Path) -> None:
        image = image_dataset(STORED, SeriesInstanceUID=SERIES)
        window = [item({"WindowCenter": "10", "WindowWidth": "2"})]
        state = state_dataset([image], SoftcopyVOILUTSequence=window, ContentLabel="BRIGHT")
        stray = state_dataset([image], StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.9", ContentLabel="STRAY")
        self.uid, self.stray_uid = state.SOPInstanceUID, stray.SOPInstanceUID
        self.image = write(folder / "image.dcm", image)
        self.states = [save(state, folder / "state.dcm"), save(stray, folder / "stray.dcm")]

    def file(self, *organizations: Organization, states: bool = True) -> None:
        for organization in organizations:
            for path in (self.image, *(self.states if states else ())):
                assert ingest_file(path, organization, "test", "").outcome == "stored"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def asked(client: Client, uid: str) -> HttpResponse:
    return client.get(f"/api/series/{SERIES}/frame", {"view": json.dumps({"presentation_state": uid})})


def bright() -> np.ndarray[Any, Any]:
    """Center 10 and width 2: black up to 9, white from 10 on."""
    return np.where(STORED > 9, 255, 0)


@pytest.mark.usefixtures("store")
def test_a_state_of_the_study_is_applied_over_http(shelf: Shelf, hospital: Organization, alice: Client) -> None:
    shelf.file(hospital)
    answer = asked(alice, shelf.uid)
    assert answer.status_code == 200, answer.content
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(answer.content))), bright())
    assert json.loads(answer["Farview-View"])["presentation_state"] == shelf.uid


@pytest.mark.usefixtures("store")
def test_bob_and_charlie_learn_of_no_state_that_is_not_theirs(
    shelf: Shelf, hospital: Organization, elsewhere: Organization, alice: Client, bob: Client, charlie: Client
) -> None:
    """Charlie's site has the image without the state."""
    shelf.file(hospital)
    shelf.file(elsewhere, states=False)
    assert asked(bob, shelf.uid).status_code == 404
    answers = [asked(charlie, uid) for uid in (shelf.uid, "1.2.3.99")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content
    # Another study is another study, also for those who may see both.
    assert asked(alice, shelf.stray_uid).content == asked(alice, "1.2.3.99").content


async def test_states_are_listed_when_a_series_opens_and_followed_when_chosen(
    dial: Dial, people: People, served: Runtime, shelf: Shelf
) -> None:
    await in_thread(shelf.file)(people.north)
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening(SERIES))
    opened = await heard(socket, "series.opened")
    described = {"sop_instance_uid": shelf.uid, "label": "BRIGHT", "description": "as it was read"}
    assert opened["presentation_states"] == [described]
    await heard(socket, "frame")
    change = {"type": "view.change", "viewport": "a", "change": 1, "view": {"presentation_state": shelf.uid}}
    await socket.send_to(json.dumps(change))
    while not (header := await heard(socket, "frame"))["exact"] or header["change"] != 1:
        pass
    assert (header["view"]["window_center"], header["view"]["window_width"]) == (10, 2)
    assert header["graphics"] == []
    await socket.send_to(json.dumps(change | {"change": 2, "view": {"window_center": 30, "window_width": 20}}))
    while (header := await heard(socket, "frame"))["change"] != 2:
        pass
    assert (header["view"]["presentation_state"], header["view"]["window_center"]) == (shelf.uid, 30)


async def test_what_is_no_state_of_the_study_leaves_the_picture_as_it_was(
    dial: Dial, people: People, served: Runtime, shelf: Shelf
) -> None:
    await in_thread(shelf.file)(people.north)
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening(SERIES))
    await heard(socket, "frame")
    answers = []
    for number, uid in enumerate((shelf.stray_uid, "1.2.3.99"), 1):
        change = {"type": "view.change", "viewport": "a", "change": number, "view": {"presentation_state": uid}}
        await socket.send_to(json.dumps(change))
        while not isinstance(message := await socket.receive_from(timeout=20), str):
            pass
        answers.append(json.loads(message))
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "bad_view"
    assert "presentation_state" in answers[0]["message"]
    while (header := await heard(socket, "frame"))["change"] != 2:
        pass
    assert header["view"]["presentation_state"] is None


async def test_a_stranger_hears_of_no_states(dial: Dial, people: People, served: Runtime, shelf: Shelf) -> None:
    await in_thread(shelf.file)(people.north)
    await in_thread(shelf.file)(people.south, states=False)
    socket = await socket_of(dial, people.charlie)
    await socket.send_to(opening(SERIES))
    assert (await heard(socket, "series.opened"))["presentation_states"] == []
