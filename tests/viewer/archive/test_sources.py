"""What a person points at: folders, links, zips good and bad, DICOMDIRs, and the whole set of real files."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.viewer.archive.objects import ct_slice, save, slices
from viewer.archive.ingest import Outcome, ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import Left, Source, ZipLimits, from_file, looks_like_dicom, walk
from viewer.models import Instance, Study

LIMITS = ZipLimits(entries=50, total_bytes=1 << 20, object_bytes=1 << 19)


def told(path: Path, limits: ZipLimits = LIMITS) -> dict[str, str]:
    """What is left out, by the last part of its name."""
    return {last_part(one.name): one.reason for one in walk(path, limits) if isinstance(one, Left)}


def last_part(name: str) -> str:
    return name.split("/")[-1].split(": ")[-1]


def taken(path: Path, limits: ZipLimits = LIMITS) -> list[str]:
    return [last_part(one.name) for one in walk(path, limits) if isinstance(one, Source)]


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return save(ct_slice(), tmp_path / "made" / "image.dcm").read_bytes()


def packed(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


# --- folders


def test_a_folder_gives_its_files_in_order_and_says_what_it_leaves(tmp_path: Path, image: bytes) -> None:
    folder = tmp_path / "cd"
    for name in ("b/2", "a/10", "a/9.dcm", "a/.hidden", "a/readme.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image if name[-1].isdigit() or name.endswith("dcm") else b"words, words")
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    assert taken(folder) == ["10", "9.dcm", "2"]
    assert told(folder) == {
        ".hidden": "hidden",
        "readme.txt": "not DICOM",
        "empty": "is empty",
        "pipe": "not a regular file",
    }


def test_links_in_a_folder_lead_nowhere(tmp_path: Path, image: bytes) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.dcm").write_bytes(image)
    folder = tmp_path / "cd"
    folder.mkdir()
    (folder / "file").symlink_to(outside / "secret.dcm")
    (folder / "folder").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    assert taken(folder) == []
    assert set(told(folder).values()) == {"symbolic links are not followed"}


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Makes a folder in a folder in a folder; taken away by a program that minds no depth."""

    def make(name: str, depth: int, content: bytes = b"") -> Path:
        here = os.getcwd()
        try:
            os.chdir(tmp_path)
            for _ in range(depth):
                os.mkdir(name)
                os.chdir(name)
            Path("a.dcm").write_bytes(content)
        finally:
            os.chdir(here)
        return tmp_path / name

    yield make
    subprocess.run(["rm", "-rf", tmp_path], check=True)


def test_folders_may_lie_deeper_than_python_calls(deep: Callable[..., Path], tmp_path: Path, image: bytes) -> None:
    assert taken(deep("d", 1500, image)) == ["a.dcm"]


def test_a_path_too_long_for_the_system_is_a_reason(deep: Callable[..., Path]) -> None:
    [reason] = told(deep("d" * 200, 25)).values()
    assert "too long" in reason


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(tmp_path: Path, image: bytes) -> None:
    (tmp_path / "cd").mkdir()
    with open(os.fsencode(tmp_path / "cd") + b"/\xff\n.dcm", "wb") as file:
        file.write(image)
    assert taken(tmp_path / "cd") == ["??.dcm"]


def test_a_link_put_in_place_of_a_file_after_the_walk_is_not_opened(tmp_path: Path, image: bytes) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(image)
    [source] = walk(path)
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(OSError, match=r"symbolic|links"):
        source.open()


def test_what_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    [left] = walk(tmp_path / "nowhere")
    assert (left.refused, left.reason) == (True, "there is no such file or folder")


def test_a_file_named_by_itself_must_be_dicom(tmp_path: Path, sender: Sender, store: object) -> None:
    path = tmp_path / "cd" / "notes.txt"
    path.parent.mkdir()
    path.write_text("words, words")
    [outcome] = ingest(walk(path), sender)
    assert outcome.outcome == "refused"
    [outcome] = ingest(walk(path.parent), sender)
    assert outcome.outcome == "skipped"


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b"\0" * 128 + b"DICM", True),
        (bytes.fromhex("080005000a000000"), True),
        (bytes.fromhex("0008000543530000"), True),
        (bytes.fromhex("0200100055490000"), True),
        (b"\x89PNG\r\n\x1a\n", False),
        (b"%PDF-1.7", False),
        (b"<!doctype html>", False),
        (b"\x08\x00", False),
        (b"", False),
    ],
)
def test_dicom_is_known_by_its_first_bytes(head: bytes, answer: bool) -> None:
    assert looks_like_dicom(head) is answer


# --- zips


def test_a_zip_gives_its_files(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", **{"b/2.dcm": image, "a/1.dcm": image, "a/readme.txt": b"words", ".x": image})
    assert taken(path) == ["1.dcm", "2.dcm"]
    assert told(path) == {"readme.txt": "not DICOM", ".x": "hidden"}
    for source in walk(path, LIMITS):
        if isinstance(source, Source):
            with source.open() as file:
                assert file.read() == image


def test_a_zip_without_files_says_so(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", **{"folder/": b""})
    assert [
        (one.name.endswith("a.zip"), one.reason, one.refused) for one in walk(path, LIMITS) if isinstance(one, Left)
    ] == [(True, "a zip without files", True)]


def test_names_that_point_out_of_a_zip_are_refused(tmp_path: Path, image: bytes) -> None:
    names = ["../up.dcm", "/root.dcm", "a/../../b.dcm", "C:/windows.dcm", "..\\back.dcm"]
    path = packed(tmp_path / "a.zip", **dict.fromkeys(names, image))
    assert taken(path) == []
    assert set(told(path).values()) == {"its name points out of the zip"}


def test_links_and_zips_inside_a_zip_are_refused(tmp_path: Path, image: bytes) -> None:
    inner = packed(tmp_path / "inner.zip", image=image)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.write(inner, "inner.zip")
    assert taken(path) == []
    assert told(path) == {"link.dcm": "a link inside a zip", "inner.zip": "a zip inside a zip is not opened"}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ZipLimits(2, 1 << 20, 1 << 20), "holds more than 2 files"),
        (ZipLimits(50, 1000, 1 << 20), "unpacks to more than 1,000 bytes"),
    ],
)
def test_a_zip_that_claims_too_much_is_refused_whole(
    tmp_path: Path, image: bytes, limits: ZipLimits, reason: str
) -> None:
    path = packed(tmp_path / "a.zip", **{f"{n}.dcm": image for n in range(3)})
    assert taken(path, limits) == []
    assert told(path, limits) == {"a.zip": reason}


def test_an_entry_over_the_objects_limit_is_refused_before_it_is_unpacked(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", **{"bomb.dcm": image + bytes(900_000), "fine.dcm": image})
    assert taken(path) == ["fine.dcm"]
    assert "more than the limit" in told(path)["bomb.dcm"]


def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_said(
    tmp_path: Path, image: bytes, sender: Sender, store: object
) -> None:
    path = packed(tmp_path / "a.zip", **{"liar.dcm": image + bytes(300_000)})
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = raw.find(mark) + offset
        raw[at : at + 4] = struct.pack("<I", len(image))
    path.write_bytes(raw)
    [outcome] = ingest(walk(path), sender)
    assert outcome.outcome == "refused"
    assert Instance.objects.count() == 0


def test_a_directory_larger_than_its_zip_is_refused_before_it_is_read(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", image=image)
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    raw[at + 12 : at + 16] = struct.pack("<I", 1 << 31)
    path.write_bytes(raw)
    assert "directory is too large" in told(path)["a.zip"]


def test_more_entries_than_told_are_counted_again(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", **{f"{n}.dcm": image for n in range(5)})
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    raw[at + 8 : at + 12] = struct.pack("<HH", 1, 1)
    path.write_bytes(raw)
    assert taken(path, ZipLimits(3, 1 << 20, 1 << 20)) == []


@pytest.mark.parametrize("cut", [4, 100, 0.5, -1, -30])
def test_a_zip_cut_short_is_refused(tmp_path: Path, image: bytes, cut: float) -> None:
    path = packed(tmp_path / "a.zip", image=image * 3)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * cut) if isinstance(cut, float) else cut])
    assert taken(path) == []
    assert "not a sound zip" in told(path)["a.zip"]


def test_a_damaged_entry_costs_itself_and_no_other(tmp_path: Path, sender: Sender, store: object) -> None:
    images = {f"{n}.dcm": save(ct_slice(f"1.2.3.4.{n}"), tmp_path / "x" / str(n)).read_bytes() for n in range(3)}
    path = packed(tmp_path / "a.zip", **images)
    raw = bytearray(path.read_bytes())
    second = raw.find(b"PK\x03\x04", raw.find(b"PK\x03\x04") + 4)
    for place in range(second + 60, second + 120):
        raw[place] ^= 0x55
    path.write_bytes(raw)
    outcomes = sorted(one.outcome for one in ingest(walk(path), sender))
    assert outcomes == ["refused", "stored", "stored"]


def test_an_encrypted_entry_says_so(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", image=image)
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.find(mark) + offset] |= 1
    path.write_bytes(raw)
    assert told(path) == {"image": "is encrypted"}


def test_a_zip_is_known_by_its_bytes_not_its_name(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "holiday.jpg", image=image)
    assert [one.name for one in from_file(path, "holiday.jpg", LIMITS)] == ["holiday.jpg: image"]


def test_a_name_with_control_characters_is_shown_without_them(tmp_path: Path, image: bytes) -> None:
    path = packed(tmp_path / "a.zip", **{"a\x1b[31m\n.dcm": image})
    [source] = walk(path, LIMITS)
    assert source.name.endswith("a?[31m?.dcm")


def test_a_whole_folder_in_a_zip_becomes_a_series(tmp_path: Path, sender: Sender, store: object) -> None:
    files = slices(tmp_path / "in", 60)
    path = packed(tmp_path / "a.zip", **{f"cd/{file.name}": file.read_bytes() for file in files})
    outcomes = [one.outcome for one in ingest(walk(path), sender)]
    assert outcomes == ["stored"] * 60
    assert Study.objects.get().number_of_instances == 60


# --- real files


def by_outcome(told: list[Outcome]) -> Counter[str]:
    return Counter(one.outcome for one in told)


def test_a_folder_with_a_dicomdir_is_taken_by_its_files(shared_data: Path, sender: Sender, store: object) -> None:
    told = list(ingest(walk(shared_data / "dicomdir" / "98892003"), sender))
    assert set(by_outcome(told)) == {"stored"}
    [outcome] = ingest(walk(shared_data / "dicomdir" / "DICOMDIR"), sender)
    assert outcome.outcome == "skipped"
    assert "files beside it" in outcome.reason


def test_a_dicomdir_that_points_out_of_its_folder_leads_nowhere(
    shared_data: Path, tmp_path: Path, image: bytes, sender: Sender, store: object
) -> None:
    (tmp_path / "secret.dcm").write_bytes(image)
    folder = tmp_path / "cd"
    folder.mkdir()
    raw = (shared_data / "dicomdir" / "DICOMDIR").read_bytes()
    (folder / "DICOMDIR").write_bytes(raw.replace(b"77654033\\CR1\\6154", b"..\\secret.dcm\\\\6", 1))
    assert set(by_outcome(list(ingest(walk(folder), sender)))) <= {"skipped", "refused"}
    assert Instance.objects.count() == 0


REFUSED_BESIDE_THE_MALFORMED = {
    "DICOMDIR-nooffset": "a directory cut short, under another name",
    "TINY_ALPHA": "headers whose pixel data was taken out",
    "HTJ2KLossless_08_RGB.dcm": "no Study Instance UID",
}


def test_all_real_files_are_taken_but_the_malformed(shared_data: Path, sender: Sender, store: object) -> None:
    told = list(ingest(walk(shared_data), sender))
    refused = [one for one in told if one.outcome == "refused"]
    unexpected = [
        (one.name, one.reason)
        for one in refused
        if "malformed" not in one.name and not any(known in one.name for known in REFUSED_BESIDE_THE_MALFORMED)
    ]
    assert unexpected == []
    assert all(one.reason and str(shared_data) not in one.reason for one in refused)
    assert by_outcome(told)["stored"] >= 500
    assert not any("(" in one.reason and "Error" in one.reason for one in refused), "a reader's own fault"
    conflicts = [one for one in told if one.outcome == "conflict"]
    assert all("syntax_" in one.name or "cine/" in one.name for one in conflicts), "the sets that share UIDs"


def test_bytes_of_no_format_never_end_an_ingest(tmp_path: Path, image: bytes, sender: Sender, store: object) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    for cut in range(0, len(image), 7):
        (folder / f"{cut:05d}").write_bytes(image[:cut])
    told = list(ingest(walk(folder), sender))
    assert set(by_outcome(told)) <= {"refused", "skipped"}
    assert not any("(" in one.reason and "Error" in one.reason for one in told)


def test_a_stream_that_breaks_is_a_refusal(sender: Sender, store: object) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("Input/output error")

    [outcome] = ingest([Source("a.dcm", 10, Broken, alone=True)], sender)
    assert (outcome.outcome, outcome.reason) == ("refused", "cannot be read: Input/output error")
