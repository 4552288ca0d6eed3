"""Real files cut and bent: refused or read with a reason, never a crash, and never a picture that is not there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.viewer.dicom.making import sources_of
from viewer.dicom.elements import Walker
from viewer.dicom.errors import DicomError
from viewer.dicom.limits import Limits
from viewer.dicom.pixels import read_encoded
from viewer.dicom.read import read_instance

CORPUS = (
    "syntax_ctimage/CTImage_JPEGLSLossless_4.80.dcm",
    "syntax_ctimage/CTImage_DeflatedExplicitVRLittleEndian_1.99.dcm",
    "enhanced/EnhMR_BRMULTI_12f_3stacks.dcm",
    "cine/US_palette_10f_rle.dcm",
    "syntax_other/US-RGB-8-epicard_bigendian.dcm",
)

LONG = bool(os.environ.get("FARVIEW_SOAK"))
EVERY, AT_RANDOM = (1, 1000) if LONG else (7, 100)
LONGEST_S, MOST_BYTES = 5.0, 256 << 20
"""For one file: of this thread's processor time, and of memory."""


def most_memory() -> int:
    """Of this process so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def boundaries(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every place in the file where an element, item or fragment begins or ends."""
    found: set[int] = set()
    real = Walker._element

    def noting(self: Walker, position: int, *rest: object) -> object:
        found.add(position)
        result = real(self, position, *rest)  # type: ignore[arg-type]
        found.update((result[1].offset, result[2]))
        return result

    with monkeypatch.context() as patched:
        patched.setattr(Walker, "_element", noting)
        read_instance(path)
    return sorted(place for place in found if 0 < place < path.stat().st_size)


@pytest.mark.soak
@pytest.mark.parametrize("name", CORPUS)
def test_a_file_cut_anywhere_is_refused(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every element boundary, at bytes of the first 4 KiB (all of them in the long form), and at random places. Only what
    comes behind the pixels can go missing unseen, and then every frame is still there."""
    whole = (shared_data / name).read_bytes()
    offset, length = sources_of(shared_data / name)[-1].places[-1]
    places = {*boundaries(shared_data / name, monkeypatch), *range(0, min(4096, len(whole)), EVERY)}
    places |= set(np.random.default_rng(3).integers(0, len(whole), AT_RANDOM).tolist())
    path = tmp_path / "cut.dcm"
    taken, longest, before = [], 0.0, most_memory()
    path.write_bytes(whole)
    for place in sorted(places, reverse=True):
        with path.open("r+b") as file:
            file.truncate(place)
        begun = time.thread_time()
        try:
            read_instance(path)
        except DicomError as error:
            assert str(error)  # noqa: PT017
        else:
            taken.append(place)
        longest = max(longest, time.thread_time() - begun)
    assert longest < LONGEST_S
    assert most_memory() - before < MOST_BYTES
    assert all(place >= offset + length for place in taken), taken
    assert len(taken) < 5


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bent_bytes_never_break_the_reading(data: st.DataObject, shared_data: Path, tmp_path: Path) -> None:
    name = data.draw(st.sampled_from(CORPUS))
    content = bytearray((shared_data / name).read_bytes()[:60_000])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(132, min(len(content), 6000) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x53, 0x51]))
    read_or_refuse(tmp_path / "bent.dcm", bytes(content))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=400),
    syntax=st.sampled_from([b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"]),
)
def test_any_bytes_behind_a_meta_header_never_break_the_reading(content: bytes, syntax: bytes, tmp_path: Path) -> None:
    meta = b"\x02\x00\x10\x00UI" + len(syntax).to_bytes(2, "little") + syntax
    read_or_refuse(tmp_path / "any.dcm", b"\0" * 128 + b"DICM" + meta + content)


def read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        parsed = read_instance(path, Limits(max_pixels=2**22))
        for source in sources_of(path, parsed)[:2]:
            source.description()
            read_encoded(source)
    except DicomError as error:
        assert str(error)  # noqa: PT017
