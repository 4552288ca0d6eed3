"""What the engine tells about itself: in the format of Prometheus, true, and without a name of anybody."""

from __future__ import annotations

import re

import pytest

from viewer.dicom.series import SeriesContent
from viewer.engine.engine import Engine
from viewer.engine.metrics import exposition
from viewer.rendering.render import RENDERER
from viewer.rendering.view import View

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINE = re.compile(r'farview_[a-z_]+(\{[a-z]+="[^"{}\\]*"(,[a-z]+="[^"{}\\]*")*\})? -?[0-9.e+-]+')


def told(engine: Engine) -> dict[str, float]:
    lines = [line for line in exposition(engine).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_every_line_can_be_read_and_every_number_is_explained(engine: Engine, chest: SeriesContent) -> None:
    await engine.draw(await engine.open(chest), View())
    text = exposition(engine)
    for line in text.splitlines():
        assert line.startswith(("# HELP farview_", "# TYPE farview_")) or LINE.fullmatch(line), line
    named = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    assert named <= {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert chest.series not in text


async def test_it_says_what_drew_and_what_it_was_drawn_from(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    before = told(engine)
    await engine.draw(series, View(frame=3))
    await engine.draw(series, View(plane="coronal", size=(40, 40)))
    after = told(engine)
    for source in ("frame", "volume"):
        name = f'farview_pictures_total{{renderer="{RENDERER}",source="{source}"}}'
        assert after[name] - before.get(name, 0) == 1
    render = f'farview_picture_seconds_total{{renderer="{RENDERER}",stage="render"}}'
    assert after[render] > before.get(render, 0)
    assert after["farview_gpu"] == 0


async def test_it_says_what_is_kept(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    await engine.load(series, View(plane="coronal"))
    found = told(engine)
    assert found['farview_cache_bytes{cache="volumes"}'] == engine.volumes.cache.used > 24 * 512 * 512 * 2
    assert found['farview_cache_limit_bytes{cache="volumes"}'] == engine.budget.volumes
    assert found['farview_cache_entries{cache="volumes"}'] == 1
    assert found['farview_volume_loads_total{end="done"}'] >= 1
    assert found["farview_volumes_loading_bytes"] == 0
