"""Metadata and bulk data: told as pydicom and DCMTK tell the same files, kept, compressed, and by their addresses."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pydicom
import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.dicomweb.asking import address, ask, stored
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.dicom.changes import Changes, Original
from viewer.dicom.errors import DicomError
from viewer.dicom.limits import Limits
from viewer.dicomweb import metadata_kept, selecting
from viewer.dicomweb.json_model import instance_model
from viewer.models import Instance

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db(transaction=True)]

SERIES = "/dicom-web/studies/1.2.3/series/1.2.3.4"
UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
FOLDERS = ("charset", "derived", "enhanced", "colour", "cine", "malformed", "syntax_ctimage")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, settings: LazySettings) -> None:
    settings.FARVIEW_CACHE_DIR = tmp_path / "cache"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> None:
    slices(tmp_path / "in", 10)
    list(ingest(walk(tmp_path / "in"), Sender(hospital, "a test", "ingest")))


def files(shared_data: Path) -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((shared_data / folder).rglob("*")) if path.is_file()]


def model_of(path: Path) -> dict[str, Any]:
    return json.loads(json.dumps(instance_model(path, Limits(), lambda place: f"bulk/{place}"), allow_nan=False))


# --- true to the files


def alike(ours: dict[str, Any], theirs: dict[str, Any], where: str = "") -> list[str]:
    """Differences of two models that mean something: bulk for binary is none, nor how a number is written."""
    found = []
    for tag in sorted(set(ours) | set(theirs)):
        place = f"{where}/{tag}"
        if tag == "00080005" or tag.endswith("0000") or tag == "FFFCFFFC":
            continue
        if tag not in theirs and ours[tag]["vr"] == "UI" and not all(map(UID.fullmatch, ours[tag]["Value"])):
            continue  # pydicom leaves out what is no UID
        if tag not in ours or tag not in theirs:
            found.append(f"{place} is only in {'ours' if tag in ours else 'theirs'}")
            continue
        mine, yours = ours[tag], theirs[tag]
        if (
            mine["vr"] != yours["vr"]
            and "UN" not in (mine["vr"], yours["vr"])
            and not {mine["vr"], yours["vr"]} <= {"OB", "OW", "US", "SS"}
        ):
            found.append(f"{place} is {mine['vr']}, theirs {yours['vr']}")
        elif mine["vr"] == yours["vr"] == "SQ":
            items = (mine.get("Value", []), yours.get("Value", []))
            if len(items[0]) != len(items[1]):
                found.append(f"{place} has {len(items[0])} items, theirs {len(items[1])}")
            for number, (one, other) in enumerate(zip(*items, strict=False), 1):
                found += alike(one, other or {}, f"{place}/{number}")
        elif "Value" in mine and "Value" in yours and [*map(plain, mine["Value"])] != [*map(plain, yours["Value"])]:
            found.append(f"{place}: {str(mine['Value'])[:80]!r}, theirs {str(yours['Value'])[:80]!r}")
        elif (
            ("Value" in mine) != ("Value" in yours)
            and "BulkDataURI" not in mine
            and any(map(plain, mine.get("Value", yours.get("Value", []))))
        ):
            if "InlineBinary" not in mine and "InlineBinary" not in yours:
                found.append(f"{place}: {mine}, theirs {str(yours)[:200]}")
        elif (
            "InlineBinary" in mine
            and "InlineBinary" in yours
            and base64.b64decode(mine["InlineBinary"]) != base64.b64decode(yours["InlineBinary"])
        ):
            found.append(f"{place}: other bytes")
    return found


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: text.rstrip("^ ") for name, text in value.items() if text.strip("^ ")} or None
    try:
        number = float(value)
        return float(f"{number:.6g}") if math.isfinite(number) else None
    except (TypeError, ValueError):
        return " ".join(str(value).split()) if value is not None else None


def test_every_real_file_is_told_as_pydicom_tells_it(shared_data: Path) -> None:
    told, different = 0, []
    for path in files(shared_data):
        try:
            ours = model_of(path)
        except DicomError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = pydicom.dcmread(path, force=True).to_json_dict(1 << 40, None, suppress_invalid_tags=True)
        told += 1
        different += [f"{path.relative_to(shared_data)}: {one}" for one in alike(ours, theirs)]
    assert told > 50
    assert "\n".join(different) == ""


def test_names_in_all_character_sets_are_told_by_their_groups(shared_data: Path) -> None:
    told = {path.stem: model_of(path)["00100010"]["Value"][0] for path in (shared_data / "charset").glob("*.dcm")}
    assert told["chrH31"] == {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    assert told["chrH32"]["Alphabetic"] == "ﾔﾏﾀﾞ^ﾀﾛｳ"
    assert told["chrI2"]["Phonetic"] == "홍^길동"
    assert told["chrArab"]["Alphabetic"] == "قباني^لنزار"
    assert told["chrX2"] == {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}


def test_values_that_cannot_be_are_text_or_nothing(tmp_path: Path) -> None:
    image = ct_slice(SliceThickness="1.10", ImageComments="two\r\nlines ")
    image.add_new(0x00189324, "FD", [1.5, float("nan"), float("inf")])
    image.add_new(0x00020010 + 0x00060000, "LO", "")
    path = save(image, tmp_path / "odd.dcm")
    path.write_bytes(path.read_bytes().replace(b"1.10", b"1,10"))
    model = model_of(path)
    assert model["00180050"]["Value"] == ["1,10"]
    assert model["00189324"]["Value"] == [1.5]
    assert model["00204000"]["Value"] == ["two\r\nlines"]
    assert model["00200013"]["Value"] == [1]


# --- by the doors


def test_a_study_a_series_and_an_instance_tell_each_object_once(chest: None, alice: Client) -> None:
    whole = json.loads(ask(alice, "/dicom-web/studies/1.2.3/metadata").body)
    assert whole == json.loads(ask(alice, f"{SERIES}/metadata").body)
    assert [model["00200013"]["Value"] for model in whole] == [[number] for number in range(1, 11)]
    [one] = json.loads(ask(alice, f"{SERIES}/instances/1.2.3.4.7/metadata").body)
    assert one == whole[6]
    assert one["7FE00010"] == {
        "vr": "OW",
        "BulkDataURI": f"http://testserver{SERIES}/instances/1.2.3.4.7/bulkdata/7FE00010",
    }
    assert one["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]


def test_metadata_is_compressed_for_who_takes_that_and_kept(chest: None, alice: Client, settings: LazySettings) -> None:
    plain = ask(alice, f"{SERIES}/metadata").body
    packed = [ask(alice, f"{SERIES}/metadata", None, **{"Accept-Encoding": "gzip, br"}) for _ in range(2)]
    assert [one.response["Content-Encoding"] for one in packed] == ["gzip"] * 2
    assert gzip.decompress(packed[0].body) == gzip.decompress(packed[1].body) == plain
    assert int(packed[0].response["Content-Length"]) == len(packed[0].body)
    assert len(list((settings.FARVIEW_CACHE_DIR / "metadata").iterdir())) == 1
    study = ask(alice, "/dicom-web/studies/1.2.3/metadata", None, **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(study.body) == plain
    refused = ask(alice, f"{SERIES}/metadata", None, **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.response
    assert {"Accept", "Accept-Encoding"} <= set(refused.response["Vary"].replace(" ", "").split(","))


def test_what_is_kept_is_read_and_not_the_files(chest: None, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(alice, f"{SERIES}/metadata").body

    def never(*given: object) -> None:
        raise AssertionError("a file is read again")

    monkeypatch.setattr(metadata_kept, "instance_model", never)
    assert ask(alice, f"{SERIES}/metadata").body == first


def test_a_client_that_holds_it_is_told_so_until_something_changes(
    chest: None, alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    etag = ask(alice, f"{SERIES}/metadata").response["ETag"]
    again = ask(alice, f"{SERIES}/metadata", None, **{"If-None-Match": etag})
    assert (again.status, again.body, again.response["ETag"]) == (304, b"", etag)
    stored(save(ct_slice("1.2.3.4.99", InstanceNumber=99), tmp_path / "late.dcm"), hospital)
    grown = ask(alice, f"{SERIES}/metadata", None, **{"If-None-Match": etag})
    assert (grown.status, len(json.loads(grown.body))) == (200, 11)
    Instance.objects.filter(sop_instance_uid="1.2.3.4.99").update(rejection="113001")
    assert len(json.loads(ask(alice, f"{SERIES}/metadata").body)) == 10


def test_corrections_are_laid_on(chest: None, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask(alice, f"{SERIES}/metadata")
    changes = Changes(
        {"PatientName": "Right^Rita=山田", "PatientID": ""},
        (
            Original(
                "20260101120000.000000+0000", "FARVIEW", "CORRECT", "", {"PatientName": "Doe^Jane", "PatientID": "P1"}
            ),
        ),
    )
    monkeypatch.setattr(selecting, "changes_of", lambda rows: {row.pk: changes for row in rows})
    after = ask(alice, f"{SERIES}/metadata", None, **{"If-None-Match": before.response["ETag"]})
    model = json.loads(after.body)[0]
    assert model["00100010"]["Value"] == [{"Alphabetic": "Right^Rita", "Ideographic": "山田"}]
    assert model["00100020"] == {"vr": "LO"}
    [item] = model["04000561"]["Value"]
    assert item["04000550"]["Value"][0]["00100020"]["Value"] == ["P1"]
    assert item["04000563"]["Value"] == ["FARVIEW"]
    assert item["04000565"]["Value"] == ["CORRECT"]


def test_xml_comes_in_parts_and_says_the_same(chest: None, alice: Client) -> None:
    models = json.loads(ask(alice, f"{SERIES}/metadata").body)
    answer = ask(alice, f"{SERIES}/metadata", 'multipart/related; type="application/dicom+xml"')
    assert len(answer.parts) == len(models)
    for model, (_, _, document) in zip(models, answer.parts, strict=True):
        attributes = {one.attrib["tag"]: one for one in ElementTree.fromstring(document)}
        assert set(attributes) == set(model)
        assert attributes["7FE00010"][0].attrib["uri"] == model["7FE00010"]["BulkDataURI"]
        position = [one.text for one in attributes["00200032"]]
        assert [float(text or "x") for text in position] == model["00200032"]["Value"]


def test_a_file_that_is_gone_is_told_by_its_row(chest: None, alice: Client) -> None:
    instance = Instance.objects.get(sop_instance_uid="1.2.3.4.3")
    selecting.blob_store().path(instance.blob_id).unlink()
    models = json.loads(ask(alice, f"{SERIES}/metadata").body)
    assert len(models) == 10
    [damaged] = [model for model in models if model["00080018"]["Value"] == ["1.2.3.4.3"]]
    assert damaged["0020000D"]["Value"] == ["1.2.3"]


# --- bulk data


def test_long_values_are_named_and_come_whole_and_in_ranges(
    alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    inner = pydicom.Dataset()
    table = bytes(range(256)) * 16
    inner.add_new(0x00283006, "OW", table)
    image = ct_slice(ModalityLUTSequence=[inner], VOILUTSequence=[pydicom.Dataset(), inner])
    image.add_new(0x00091010, "OB", b"\1" * 2000)
    instance = stored(save(image, tmp_path / "bulk.dcm"), hospital)
    [model] = json.loads(ask(alice, address(instance, "/metadata")).body)
    uri = model["00283010"]["Value"][1]["00283006"]["BulkDataURI"]
    assert uri.endswith("/bulkdata/00283010/2/00283006")
    local = uri.removeprefix("http://testserver")
    assert (ask(alice, local).body, ask(alice, local).type) == (table, "application/octet-stream")
    parts = ask(alice, local, 'multipart/related; type="application/octet-stream"').parts
    assert [(kind, content) for kind, _, content in parts] == [("application/octet-stream", table)]
    part = ask(alice, local, None, Range="bytes=10-19")
    assert (part.status, part.body, part.response["Content-Range"]) == (206, table[10:20], "bytes 10-19/4096")
    assert ask(alice, local, None, Range="bytes=-5").body == table[-5:]
    assert ask(alice, local, None, Range="bytes=4096-").status == 416
    assert ask(alice, address(instance, "/bulkdata/00091010")).body == b"\1" * 2000
    assert ask(alice, local, "text/html").status == 406


@pytest.mark.parametrize(
    "path",
    ["00283010/1/00283006", "00283010", "nonsense", "00283010/9/00283006", "00100010/1/00100010", "../x", "7FE00010/"],
)
def test_what_is_no_value_is_not_found(chest: None, alice: Client, path: str) -> None:
    assert ask(alice, f"{SERIES}/instances/1.2.3.4.1/bulkdata/{path}").status == (200 if path == "7FE00010/" else 404)


def test_pixels_of_another_byte_order_come_in_little_endian(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    for name in ("CTImage_BigEndianExplicit_2.dcm", "CTImage_DeflatedExplicitVRLittleEndian_1.99.dcm"):
        path = shared_data / "syntax_ctimage" / name
        instance = stored(path, hospital)
        theirs = pydicom.dcmread(path).pixel_array.astype("<i2").tobytes()
        assert ask(alice, address(instance, "/bulkdata/7FE00010")).body == theirs
        assert ask(alice, address(instance, "/bulkdata/7FE00010"), None, Range="bytes=3-8").body == theirs[3:9]
        Instance.objects.all().delete()


def test_encapsulated_pixels_come_frame_by_frame_as_stored(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    path = shared_data / "cine" / "US_palette_10f_rle.dcm"
    instance = stored(path, hospital)
    answer = ask(alice, address(instance, "/bulkdata/7FE00010"), "multipart/related; type=*/*")
    theirs = list(pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=10))
    assert [content for _, _, content in answer.parts] == theirs
    assert answer.parts[0][0].startswith("image/dicom-rle")


def test_a_document_comes_by_its_own_name_to_who_asks_for_it(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    instance = stored(shared_data / "derived" / "encapsulated_pdf.dcm", hospital)
    answer = ask(alice, address(instance, "/bulkdata/00420011"), "application/pdf")
    assert (answer.type, answer.body[:5], answer.response["Content-Disposition"]) == (
        "application/pdf",
        b"%PDF-",
        "attachment",
    )
    assert ask(alice, address(instance, "/bulkdata/00420011")).type == "application/octet-stream"


# --- who may


def test_nobody_reads_what_they_may_not_see(chest: None, bob: Client, charlie: Client, client: Client) -> None:
    inside = f"{SERIES}/instances/1.2.3.4.1"
    for where in (
        "/dicom-web/studies/1.2.3/metadata",
        f"{SERIES}/metadata",
        f"{inside}/metadata",
        f"{inside}/bulkdata/7FE00010",
    ):
        assert [ask(person, where).status for person in (bob, charlie, client)] == [404, 404, 401]


@pytest.mark.skipif(not shutil.which("dcm2json", path="/usr/bin"), reason="DCMTK is not here")
def test_dcmtk_tells_the_same(shared_data: Path) -> None:
    different = []
    for path in files(shared_data)[:30]:
        done = subprocess.run(["/usr/bin/dcm2json", "+fc", str(path)], capture_output=True, check=False)
        try:
            theirs = json.loads(done.stdout.decode())
            ours = model_of(path)
        except (ValueError, DicomError):
            continue
        different += [f"{path.relative_to(shared_data)}: {one}" for one in alike(ours, theirs)]
    assert "\n".join(different) == ""
