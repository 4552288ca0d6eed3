"""What is measured on: a small phantom of which every distance is known, and studies that nobody has measured in yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pydicom
import pytest

from tests.browser.conftest import Archive
from tests.browser.measuring.hand import SHAPE, door, held
from viewer.phantom import studies

_MADE: dict[str, str] = {}


@pytest.fixture
def phantom(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Study Instance UID of the phantom's CT, made once for a server; its prior is there too."""
    made = _MADE.get(archive.server.url)
    if made is None:
        folder = tmp_path_factory.mktemp("phantom")
        paths = []
        for prior in (True, False):
            (folder / str(prior)).mkdir()
            paths = studies.write_ct(folder / str(prior), prior=prior, shape=SHAPE)
        archive.server.manage("ingest", folder)
        made = _MADE[archive.server.url] = str(pydicom.dcmread(paths[0], stop_before_pixels=True).StudyInstanceUID)
    return made


@pytest.fixture
def clean(archive: Archive) -> Iterator[Callable[[str], str]]:
    """Takes all measurements off a study, before and after."""
    taken: list[str] = []

    def wipe(study: str) -> str:
        for mark in held(archive, study):
            archive.session.delete(archive.server.url + door(study, mark["uid"]), timeout=60).raise_for_status()
        taken.append(study)
        return study

    yield wipe
    for study in list(taken):
        wipe(study)
