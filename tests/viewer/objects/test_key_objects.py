"""The objects that key images become: valid by somebody else's judgement, and saying what the standard means by it."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.objects import captured_picture, key_object, presentation_state
from viewer.objects.captured_picture import Captured
from viewer.objects.header import Reference, SeriesOfObject, encoded, new_object, subject_of
from viewer.objects.key_object import Selected, Selection
from viewer.objects.presentation_state import Drawing, State, Words
from viewer.rendering.volume import LookupTable, Window

DCIODVFY = shutil.which("dciodvfy")
NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
CT = Reference("1.2.3", "1.2.3.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.1")
US = Reference("1.2.3", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.5.1")


def errors_of(path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    if DCIODVFY is None and "CI" not in os.environ:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True, timeout=60, check=False)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]


def state(**changed: Any) -> State:
    said: dict[str, Any] = {
        "of": CT,
        "frame_number": None,
        "made_by": "Grün^Ada",
        "description": "Knoten rechts",
        "area": ((10, 20), (99, 119)),
        "pixel_spacing": (0.7, 0.7),
        "rescale": (1.0, -1024.0, "HU"),
        "voi": Window(40.0, 400.0, "LINEAR"),
    }
    return State(**{**said, **changed})


TABLE = LookupTable(-1024, np.arange(4096, dtype=np.uint16), 12, "curve")
LONG = LookupTable(0, np.arange(65536, dtype=np.uint32).astype(np.uint16), 16, "")
DRAWN: dict[str, Any] = {
    "drawings": (
        Drawing("POLYLINE", ((0.0, 0.0), (10.0, 5.5))),
        Drawing("POLYLINE", ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 0.0))),
        Drawing("ELLIPSE", ((0.0, 5.0), (10.0, 5.0), (5.0, 3.0), (5.0, 7.0))),
        Drawing("POINT", ((3.0, 3.0),)),
    ),
    "words": (Words("Länge 12.3 mm\n<b>fett</b>", (1.0, 2.0), pointing=True), Words("x", (0.0, 0.0))),
}
STATES = {
    "plain": state(),
    "turned": state(rotation=90, flip=True, inverse=True),
    "exact": state(voi=Window(0.0, 0.5, "LINEAR_EXACT")),
    "sigmoid": state(voi=Window(40.0, 400.0, "SIGMOID")),
    "voi-table": state(voi=TABLE),
    "long-table": state(rescale=None, voi=LONG),
    "modality-table": state(rescale=None, modality_lut=LookupTable(0, np.arange(256, dtype=np.uint16), 8)),
    "no-window": state(voi=None, rescale=None),
    "no-millimetres": state(pixel_spacing=None, pixel_aspect_ratio=(4.0, 3.0)),
    "drawn": state(**DRAWN),
    "only-words": state(words=DRAWN["words"]),
    "frame": state(of=US, frame_number=7),
    "colour": state(
        of=US, frame_number=7, colour=True, rotation=180, area=((99, 119), (10, 20)), rescale=None, voi=None, **DRAWN
    ),
}


@pytest.fixture(scope="module")
def subject(shared_data: Path) -> Dataset:
    return subject_of(shared_data / "derived" / "ct3slice_01.dcm")


def new(subject: Dataset, sop_class: str, modality: str) -> Dataset:
    return new_object(subject, SeriesOfObject(sop_class, modality, "1.2.3.99", 9002, "Key images"), NOW)


def saved(d: Dataset, folder: Path) -> Path:
    path = folder / "object.dcm"
    path.write_bytes(encoded(d))
    return path


@pytest.mark.parametrize("name", STATES)
def test_a_presentation_state_is_valid(subject: Dataset, tmp_path: Path, name: str) -> None:
    d = new(subject, presentation_state.sop_class(STATES[name]), "PR")
    presentation_state.write(d, STATES[name])
    assert errors_of(saved(d, tmp_path)) == []


@pytest.mark.parametrize("title", key_object.TITLES)
def test_a_selection_is_valid(subject: Dataset, tmp_path: Path, title: str) -> None:
    other = Reference("1.2.3", "1.2.3.99", presentation_state.GREY, "1.2.3.99.1")
    picture = Reference("1.2.3", "1.2.3.98", captured_picture.SOP_CLASS, "1.2.3.98.1")
    d = new(subject, key_object.SOP_CLASS, "KO")
    selected = [Selected(CT, None, other), Selected(US, 7), Selected(picture)]
    key_object.write(d, Selection(title, ["Grün^Ada", "Li^王"], selected, "1: Knoten\n2: <script>"))
    path = saved(d, tmp_path)
    assert errors_of(path) == []
    read = pydicom.dcmread(path)
    images = [item for item in read.ContentSequence if item.ValueType == "IMAGE"]
    assert [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in images] == [
        CT.sop_instance_uid,
        US.sop_instance_uid,
        picture.sop_instance_uid,
    ]
    assert images[0].ReferencedSOPSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.99.1"
    assert images[1].ReferencedSOPSequence[0].ReferencedFrameNumber == 7
    (study,) = read.CurrentRequestedProcedureEvidenceSequence
    named = {i.ReferencedSOPInstanceUID for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence}
    assert named == {"1.2.3.4.1", "1.2.3.5.1", "1.2.3.98.1", "1.2.3.99.1"}


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (3, 3)])
@pytest.mark.parametrize("lossy", [None, ("", ""), ("12.5", "ISO_10918_1"), ("12.5\\3", "ISO_10918_1\\ISO_15444_1")])
def test_a_captured_picture_is_valid_and_keeps_every_pixel(
    subject: Dataset, tmp_path: Path, shape: tuple[int, ...], lossy: tuple[str, str] | None
) -> None:
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    d = new(subject, captured_picture.SOP_CLASS, "OT")
    captured_picture.write(d, Captured(pixels, "Coronal", [CT, US, CT], (0.5, 0.5), lossy))
    path = saved(d, tmp_path)
    assert errors_of(path) == []
    read = pydicom.dcmread(path)
    assert np.array_equal(read.pixel_array, pixels)
    assert [one.ReferencedSOPInstanceUID for one in read.SourceImageSequence] == ["1.2.3.4.1", "1.2.3.5.1"]
    assert (read.ImageType, read.BurnedInAnnotation) == (["DERIVED", "SECONDARY"], "NO")


def test_drawings_count_from_the_corner_of_the_first_pixel(subject: Dataset, tmp_path: Path) -> None:
    """PS3.3 C.10.5: in units of PIXEL the corner of the first pixel is 0.0\\0.0, its centre 0.5\\0.5."""
    d = new(subject, presentation_state.GREY, "PR")
    presentation_state.write(d, STATES["drawn"])
    (item,) = pydicom.dcmread(saved(d, tmp_path)).GraphicAnnotationSequence
    assert item.GraphicObjectSequence[0].GraphicData == [0.5, 0.5, 10.5, 6.0]
    assert item.TextObjectSequence[0].AnchorPoint == [1.5, 2.5]
    assert [one.get("GraphicFilled") for one in item.GraphicObjectSequence] == [None, "N", "N", None]


def table_of(item: Dataset) -> tuple[int, int, int, np.ndarray]:
    count, first, bits = item.LUTDescriptor
    data = item.LUTData if isinstance(item.LUTData, bytes) else np.asarray(item.LUTData, "<u2").tobytes()
    return count % 2**16 or 2**16, first, bits, np.frombuffer(data, "<u2")


def test_tables_say_what_they_said(subject: Dataset, tmp_path: Path) -> None:
    for name, table in (("voi-table", TABLE), ("long-table", LONG)):
        d = new(subject, presentation_state.GREY, "PR")
        presentation_state.write(d, STATES[name])
        read = pydicom.dcmread(saved(d, tmp_path)).SoftcopyVOILUTSequence[0].VOILUTSequence[0]
        count, first, bits, data = table_of(read)
        assert (count, first, bits) == (len(table.data), table.first_value_mapped, 16)
        assert np.allclose(data / 65535, table.data / (2**table.bits - 1), atol=0.51 / 65535)


def test_what_a_modality_table_gives_stays_a_value_with_its_unit(subject: Dataset, tmp_path: Path) -> None:
    d = new(subject, presentation_state.GREY, "PR")
    presentation_state.write(d, STATES["modality-table"])
    item = pydicom.dcmread(saved(d, tmp_path)).ModalityLUTSequence[0]
    assert list(item.LUTDescriptor) == [256, 0, 8]
    assert item.LUTData == bytes(range(256))


def test_the_colour_profile_is_the_same_every_day() -> None:
    profile = presentation_state.srgb_profile()
    presentation_state.srgb_profile.cache_clear()
    assert presentation_state.srgb_profile() == profile
    assert profile[36:40] == b"acsp"
