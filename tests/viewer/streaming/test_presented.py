"""Presentation states, overlays and subtraction over a stream: what is measured, and which window stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import numpy as np
import pytest

from tests.viewer.dicom.making import image_dataset, item, write
from tests.viewer.dicom.states import save, state_dataset
from tests.viewer.engine.objects import object_file
from tests.viewer.engine.series import series_of
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine

from .fakes import Browser

STORED = np.random.default_rng(5).integers(0, 4096, (6, 20, 30)).astype(np.uint16)


class Room:
    """A clip with a state about it, and a browser that looks at them."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        image = image_dataset(STORED, Modality="XA", BitsStored=12, HighBit=11, SeriesInstanceUID="1.2.3.65")
        area = item({"DisplayedAreaTopLeftHandCorner": [3, 4], "DisplayedAreaBottomRightHandCorner": [22, 15]})
        area.PresentationSizeMode = "SCALE TO FIT"
        window = item({"WindowCenter": "700", "WindowWidth": "900"})
        state = state_dataset(
            [image], ImageRotation=90, ImageHorizontalFlip="Y", DisplayedAreaSelectionSequence=[area],
            SoftcopyVOILUTSequence=[window],
        )  # fmt: skip
        self.series = series_of([write(folder / "clip.dcm", image)])
        self.state = object_file(save(state, folder / "state.dcm"))
        self.uid = str(state.SOPInstanceUID)
        self.browser = Browser(engine, self.find, find_objects=self.find_objects)

    async def find(self, series: str, organization: str | None) -> SeriesContent:
        return self.series

    async def find_objects(self, series: str, organization: str, wanted: Collection[str] | None) -> list[InstanceFile]:
        return [self.state] if wanted is None or self.uid in wanted else []

    async def exact(self, change: int) -> dict[str, object]:
        def there(browser: Browser) -> bool:
            return bool(browser.frames) and browser.headers[-1]["exact"] and browser.headers[-1]["change"] == change

        await self.browser.until(there)
        return dict(self.browser.headers[-1])


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    engine = Engine(Budget.measure(frames=64 << 20), render_threads=1, decode_children=1)
    await engine.start()
    room = Room(tmp_path, engine)
    yield room
    await room.browser.session.close()
    await engine.stop()


async def test_a_point_of_a_turned_picture_is_measured_where_it_lies_in_the_file(room: Room) -> None:
    await room.browser.open(
        series=room.series.series, size=[240, 300], presentation_state=room.uid, zoom=1.5, rotation=90
    )
    header = await room.exact(0)
    placement = header["placement"]
    at = np.array([141, 117])
    assert isinstance(placement, dict)
    first, across, down = (np.array(placement[name]) for name in ("first", "across", "down"))
    column, row = np.floor(first + at[0] * across + at[1] * down + 0.5).astype(int)
    index = header["index"]
    await room.browser.send("measure", viewport="a", index=index, id="m", kind="probe", points=[at.tolist()])
    found = await room.browser.next_text("measure.result")
    assert found["values"]["value"]["value"] == STORED[0, row, column]


async def test_a_state_brings_its_window_and_takes_it_with_it(room: Room) -> None:
    """The window that was found for the first picture is kept while scrolling, but not from one kind of grey to another."""
    await room.browser.open(series=room.series.series, size=[60, 90])
    own = (await room.exact(0))["view"]
    assert isinstance(own, dict)
    seen = []
    state, none = {"presentation_state": room.uid}, {"presentation_state": None}
    parts: list[dict[str, object]] = [state, {"frame": 3}, none, {"mask": {}}, {"frame": 4}, {"mask": None}]
    for change, part in enumerate(parts, 1):
        await room.browser.change(change, **part)
        view = (await room.exact(change))["view"]
        assert isinstance(view, dict)
        seen.append((view["window_center"], view["window_width"]))
    assert seen[:2] == [(700, 900), (700, 900)]
    assert seen[2] != (700, 900)
    assert seen[3] == seen[4]
    assert seen[3][0] == 0
    assert seen[5][0] > 0
    assert own["window_width"] > 0


async def test_what_subtraction_cannot_do_is_refused_and_the_picture_stays(room: Room) -> None:
    await room.browser.open(series=room.series.series, size=[60, 90])
    await room.exact(0)
    await room.browser.change(1, mask={"frame": 6})
    error = await room.browser.next_text("error")
    assert (error["code"], "mask frame" in error["message"]) == ("bad_view", True)
