"""DCMTK's storescu fills the archive: every syntax it can propose that a real file has, folders, several associations."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pydicom
import pytest

from tests.peers.conftest import Dcmtk, Site

pytestmark = pytest.mark.usefixtures("scanner")

FLAGS = {
    "1.2.840.10008.1.2": "-xi",
    "1.2.840.10008.1.2.1": "-xe",
    "1.2.840.10008.1.2.2": "-xb",
    "1.2.840.10008.1.2.1.99": "-xd",
    "1.2.840.10008.1.2.5": "-xr",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
}
"""storescu's option that proposes a syntax."""
FOLDERS = ("syntax_ctimage", "syntax_nema", "syntax_other", "cine")


@pytest.fixture(scope="module")
def scanner(site: Site) -> None:
    site.peer("STORESCU")
    site.peer("ECHOSCU", may="")


def storescu(dcmtk: Dcmtk, site: Site, *arguments: object) -> subprocess.CompletedProcess[str]:
    return dcmtk("storescu", "-v", "-aec", "FARVIEW", "127.0.0.1", site.dicom_port, *arguments, timeout=300)


def held(site: Site) -> dict[str, Path]:
    """SOP Instance UID -> where its bytes are."""
    with closing(sqlite3.connect(site.live.data / "farview.sqlite3")) as database:
        rows = database.execute("SELECT sop_instance_uid, blob_id FROM viewer_instance").fetchall()
    return {uid: site.live.data / "blob" / digest[:2] / digest for uid, digest in rows}


def pixels(path: Path) -> bytes:
    return bytes(pydicom.dcmread(path).PixelData)


def of_syntax(folder: Path) -> dict[str, list[Path]]:
    """Real files that name a study, by their syntax."""
    found: dict[str, list[Path]] = {}
    for name in FOLDERS:
        for path in sorted((folder / name).glob("*.dcm")):
            header = pydicom.dcmread(path, stop_before_pixels=True)
            if "StudyInstanceUID" in header:
                found.setdefault(str(header.file_meta.TransferSyntaxUID), []).append(path)
    return found


def test_echo_is_answered_to_those_who_may_call(dcmtk: Dcmtk, site: Site) -> None:
    assert dcmtk("echoscu", "-aec", "FARVIEW", "127.0.0.1", site.dicom_port).returncode == 0
    refused = dcmtk("echoscu", "-aet", "NOBODY", "-aec", "FARVIEW", "127.0.0.1", site.dicom_port)
    assert refused.returncode != 0
    assert "Calling AE Title Not Recognized" in refused.stderr


@pytest.mark.parametrize("syntax", FLAGS)
def test_objects_come_in_by_each_option_of_storescu(dcmtk: Dcmtk, site: Site, shared_data: Path, syntax: str) -> None:
    files = of_syntax(shared_data)[syntax]
    done = storescu(dcmtk, site, FLAGS[syntax], *files)
    assert done.returncode == 0, done.stderr[-2000:]
    known, first = held(site), dict[str, Path]()
    for path in files:
        first.setdefault(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID, path)
    for uid, path in first.items():
        kept = pydicom.dcmread(known[uid])
        if kept.file_meta.TransferSyntaxUID == syntax:  # else another file of the same UID came first
            assert pixels(known[uid]) == pixels(path), path.name


def test_every_syntax_of_the_files_that_storescu_knows_was_sent(shared_data: Path) -> None:
    """The table above against the files; what is in neither storescu 3.6.7 cannot propose, or there is no file of it."""
    assert set(FLAGS) <= set(of_syntax(shared_data))


def test_a_folder_in_several_associations_comes_in_whole(
    dcmtk: Dcmtk, site: Site, shared_data: Path, tmp_path: Path
) -> None:
    files = sorted((shared_data / "series" / "pet_body").glob("*.dcm"))[:24]
    for path in files:
        shutil.copy(path, tmp_path)
    for _ in range(2):  # and again: nothing new
        done = storescu(dcmtk, site, "+C", "+sd", tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
    known = held(site)
    for path in files:
        uid = pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID
        assert pixels(known[uid]) == pixels(path)
    assert conflicts(site, [pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in files]) == 0


def conflicts(site: Site, uids: list[str]) -> int:
    marks = ",".join("?" * len(uids))
    with closing(sqlite3.connect(site.live.data / "farview.sqlite3")) as database:
        asked = f"SELECT count(*) FROM viewer_conflict WHERE sop_instance_uid IN ({marks})"
        return int(database.execute(asked, uids).fetchone()[0])


def test_senders_beside_each_other_all_get_through(dcmtk: Dcmtk, site: Site, shared_data: Path, tmp_path: Path) -> None:
    """Four storescu at a time, with files of a series each."""
    running: list[subprocess.Popen[Any]] = []
    files = sorted((shared_data / "series" / "mr_head_sag_HFDR").glob("*.dcm"))[:20]
    for part in range(4):
        command = ["/usr/bin/storescu", "-aec", "FARVIEW", "-xv", "127.0.0.1", str(site.dicom_port)]
        running.append(subprocess.Popen([*command, *map(str, files[part::4])], stdout=subprocess.DEVNULL))
    assert [one.wait(120) for one in running] == [0] * 4
    known = held(site)
    assert all(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID in known for path in files)


def test_a_damaged_object_is_refused_and_the_others_are_not(
    dcmtk: Dcmtk, site: Site, shared_data: Path, tmp_path: Path
) -> None:
    files = sorted((shared_data / "series" / "ct_chest_lidc0314_jpegls").glob("*.dcm"))[:2]
    lying = pydicom.dcmread(files[0])
    del lying.StudyInstanceUID
    lying.save_as(tmp_path / "a.dcm")
    shutil.copy(files[1], tmp_path / "b.dcm")
    done = storescu(dcmtk, site, "-xt", "-nh", tmp_path / "a.dcm", tmp_path / "b.dcm")
    assert [line for line in done.stderr.splitlines() if "Store Response" in line] == [
        "I: Received Store Response (Error: CannotUnderstand)",
        "I: Received Store Response (Success)",
    ]
    assert pydicom.dcmread(files[1], stop_before_pixels=True).SOPInstanceUID in held(site)
    assert pydicom.dcmread(files[0], stop_before_pixels=True).SOPInstanceUID not in held(site)


def test_all_that_came_is_sound(site: Site) -> None:
    assert "as it was received" in site.live.manage("verify").stdout
