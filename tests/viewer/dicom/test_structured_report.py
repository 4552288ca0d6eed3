"""Reports of any template as trees: what they say is there, as plain text, and no file makes more of it than fits."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import config
from pydicom.dataset import Dataset

from tests.viewer.dicom.reports import Code, code, coded, dcm, item, number, report, save, text
from viewer.dicom import structured_report as reading
from viewer.dicom.errors import DicomError, Refused
from viewer.dicom.limits import Limits
from viewer.dicom.structured_report import Report, read_report, written_date_time, written_time

FINDING = dcm("121071", "Finding")
LENGTH: Code = ("410668003", "SCT", "Length")
MM: Code = ("mm", "UCUM", "millimeter")
LIMITS = Limits()


@pytest.fixture(autouse=True)
def anything_may_be_written() -> Iterator[None]:
    """Values that the standard forbids are what these tests are about."""
    held = config.settings
    before = held.reading_validation_mode, held.writing_validation_mode
    held.reading_validation_mode = held.writing_validation_mode = config.IGNORE
    yield
    held.reading_validation_mode, held.writing_validation_mode = before


def read(d: Dataset, folder: Path) -> Report:
    return read_report(save(d, folder / "report.dcm"), LIMITS)


def nodes(top: dict[str, Any]) -> list[dict[str, Any]]:
    found, waiting = [], [top]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += reversed(node.get("children", []))
    return found


def pointing(uid: str, *frames: int, kind: str = "1.2.840.10008.5.1.4.1.1.2") -> Dataset:
    d = Dataset()
    d.ReferencedSOPClassUID, d.ReferencedSOPInstanceUID = kind, uid
    if frames:
        d.ReferencedFrameNumber = list(frames)
    return d


def evidence(study: str, series: str, uid: str) -> Dataset:
    d, inner = Dataset(), Dataset()
    inner.SeriesInstanceUID, inner.ReferencedSOPSequence = series, [pointing(uid)]
    d.StudyInstanceUID, d.ReferencedSeriesSequence = study, [inner]
    return d


# --- what is there


def test_every_value_is_read_as_a_person_would_write_it(tmp_path: Path) -> None:
    said = [
        (text(FINDING, "a nodule\r\nof 4 mm"), {"type": "text", "value": "a nodule\nof 4 mm"}),
        (coded(FINDING, ("27925004", "SCT", "Nodule")), {"type": "code", "value": "Nodule"}),
        (number(LENGTH, "12.30", MM), {"type": "number", "value": "12.30", "unit": "mm"}),
        (number(LENGTH, "3", ("1", "UCUM", "no units")), {"value": "3", "unit": ""}),
        (number(LENGTH, "3", ("{events}", "UCUM", "events")), {"value": "3", "unit": "events"}),
        (number(LENGTH, "3", ("4", "99X", "furlong")), {"value": "3", "unit": "furlong"}),
        (item("PNAME", FINDING, PersonName="Li^Wei=李^伟"), {"type": "person", "value": "Li^Wei=李^伟"}),
        (item("DATE", FINDING, Date="20240131"), {"type": "date", "value": "2024-01-31"}),
        (item("TIME", FINDING, Time="101500.500"), {"type": "time", "value": "10:15:00.5"}),
        (item("DATETIME", FINDING, DateTime="20240131101500+0100"), {"value": "2024-01-31 10:15:00 +0100"}),
        (item("UIDREF", FINDING, UID="1.2.3.4"), {"type": "uid", "value": "1.2.3.4"}),
        (item("TCOORD", FINDING, TemporalRangeType="SEGMENT"), {"type": "temporal", "value": "segment"}),
        (item("TABLE", FINDING), {"type": "other", "value": "(table: not shown)"}),
    ]
    found = read(report(*(made for made, _ in said)), tmp_path).tree["children"]
    assert len(found) == len(said)
    for node, (_, wanted) in zip(found, said, strict=True):
        assert {name: node[name] for name in wanted} == wanted
        assert node["relationship"] == "contains"
    assert found[1]["code"] == {"value": "27925004", "scheme": "SCT"}
    assert found[0]["name"] == "Finding"
    assert found[0]["concept"] == {"value": "121071", "scheme": "DCM"}


def test_a_number_that_was_not_measured_says_why(tmp_path: Path) -> None:
    missing = item("NUM", LENGTH, MeasuredValueSequence=[])
    missing.NumericValueQualifierCodeSequence = [code("114006", "DCM", "Measurement failure")]
    (node,) = read(report(missing), tmp_path).tree["children"]
    assert (node["value"], node["unit"], node["qualifier"]) == ("", "", "Measurement failure")


def test_long_and_urn_codes_are_codes_too(tmp_path: Path) -> None:
    long, urn = Dataset(), Dataset()
    long.LongCodeValue, long.CodingSchemeDesignator, long.CodeMeaning = "1" * 40, "SCT", "Long"
    urn.URNCodeValue, urn.CodeMeaning = "urn:lex:us:federal", "Law"
    content = [item("CODE", FINDING, ConceptCodeSequence=[one]) for one in (long, urn)]
    first, second = read(report(*content), tmp_path).tree["children"]
    assert (first["value"], first["code"]["value"]) == ("Long", "1" * 40)
    assert (second["value"], second["code"]["value"]) == ("Law", "urn:lex:us:federal")


def test_a_reference_names_series_instance_and_frame(tmp_path: Path) -> None:
    state = pointing("1.2.3.4.7", 3, 5)
    state.ReferencedSOPSequence = [pointing("1.2.3.8.1", kind="1.2.840.10008.5.1.4.1.1.11.1")]
    content = [
        item("IMAGE", None, ReferencedSOPSequence=[state]),
        item("IMAGE", None, ReferencedSOPSequence=[pointing("9.9")]),
        item("COMPOSITE", None, ReferencedSOPSequence=[]),
    ]
    made = report(*content, CurrentRequestedProcedureEvidenceSequence=[evidence("1.2.3", "1.2.3.4", "1.2.3.4.7")])
    first, second, third = read(made, tmp_path).tree["children"]
    assert first["reference"] == {
        "study_instance_uid": "1.2.3",
        "series_instance_uid": "1.2.3.4",
        "sop_instance_uid": "1.2.3.4.7",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "frame_number": 3,
        "frame_numbers": [3, 5],
        "presentation_state": "1.2.3.8.1",
    }
    assert (second["reference"]["series_instance_uid"], second["reference"]["frame_number"]) == ("", None)
    assert "reference" not in third


def test_coordinates_are_noted_in_their_own_space(tmp_path: Path) -> None:
    flat = item("SCOORD", FINDING, GraphicType="POLYLINE", GraphicData=[1.0, 2.0, 3.5, 4.0])
    deep = item("SCOORD3D", FINDING, GraphicType="POINT", GraphicData=[1.0, 2.0, 3.0])
    deep.ReferencedFrameOfReferenceUID = "1.2.3.77"
    one, other = read(report(flat, deep), tmp_path).tree["children"]
    assert (one["graphic_type"], one["points"]) == ("POLYLINE", [[1.0, 2.0], [3.5, 4.0]])
    assert (other["points"], other["frame_of_reference_uid"]) == ([[1.0, 2.0, 3.0]], "1.2.3.77")


def test_a_relationship_by_reference_is_named_and_not_followed(tmp_path: Path) -> None:
    circle = Dataset()
    circle.RelationshipType, circle.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    (node,) = read(report(item("CONTAINER", FINDING, circle)), tmp_path).tree["children"]
    (inner,) = node["children"]
    assert (inner["type"], inner["value"], inner["relationship"]) == ("by_reference", "1.1", "inferred from")


def test_who_verified_it_and_when_stands_above_the_tree(tmp_path: Path) -> None:
    observer = Dataset()
    observer.VerifyingObserverName, observer.VerifyingOrganization = "Grün^Ada", "St. Elsewhere"
    observer.VerificationDateTime = "20240201080000"
    made = report(text(FINDING, "x"), VerificationFlag="VERIFIED", VerifyingObserverSequence=[observer])
    facts = dict(read(made, tmp_path).facts)
    assert facts["Verified by"] == "Grün^Ada, St. Elsewhere, 2024-02-01 08:00:00"
    assert (facts["Verification"], facts["Completion"], facts["Made"]) == (
        "verified",
        "complete",
        "2024-01-31 10:15:00",
    )


NAMES = {
    "chrArab": "قباني^لنزار",
    "chrGreek": "Διονυσιος",
    "chrH31": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw": "שרון^דבורה",
    "chrI2": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrKoreanMulti": "김희중",
    "chrX1": "Wang^XiaoDong=王^小東",
    "chrX2": "Wang^XiaoDong=王^小东",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_right_in_every_character_set(shared_data: Path, tmp_path: Path, name: str) -> None:
    """The Patient's Name of a real file as the value of a content item."""
    source = pydicom.dcmread(shared_data / "charset" / f"{name}.dcm")
    person = item("PNAME", FINDING)
    person.PersonName = source.PatientName
    made = report(person, SpecificCharacterSet=source.SpecificCharacterSet, PatientName=source.PatientName)
    (node,) = read(made, tmp_path).tree["children"]
    assert node["value"] == NAMES[name]


@pytest.mark.parametrize("name", ["sr_basic_text", "tid1500_sr"])
def test_real_reports_are_read_as_another_reader_reads_them(shared_data: Path, name: str) -> None:
    path = shared_data / "derived" / f"{name}.dcm"
    found = nodes(read_report(path, LIMITS).tree)
    theirs = []

    def walk(d: Dataset) -> None:
        theirs.append(d)
        for child in d.get("ContentSequence", []):
            walk(child)

    walk(pydicom.dcmread(path))
    assert len(found) == len(theirs)
    for node, d in zip(found, theirs, strict=True):
        assert node["name"] == (d.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in d else "")
        if d.ValueType == "NUM":
            measured = d.MeasuredValueSequence[0]
            assert node["value"] == str(measured.NumericValue)
        elif d.ValueType == "CODE":
            assert node["value"] == d.ConceptCodeSequence[0].CodeMeaning
        elif d.ValueType in ("IMAGE", "COMPOSITE"):
            pointed = d.ReferencedSOPSequence[0]
            assert node["reference"]["sop_instance_uid"] == pointed.ReferencedSOPInstanceUID
            assert node["reference"]["series_instance_uid"]


# --- what is too much, or meant ill


def test_markup_and_direction_marks_are_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>\u202eabc\u2066\x00\x07"
    concept = ("1", "99X", hostile[:60])
    found = read(report(text(concept, hostile), coded(concept, concept)), tmp_path)
    told = json.dumps(found.tree)
    for mark in ("\\u202e", "\\u2066", "\\u0000", "\\u0007"):
        assert mark not in told
    assert found.tree["children"][0]["value"].startswith("</script><script>alert(1)</script>")


def test_ten_megabytes_of_text_are_cut_and_it_is_said(tmp_path: Path) -> None:
    found = read(report(text(FINDING, "x" * 10_000_000), text(FINDING, "short")), tmp_path)
    long, short = found.tree["children"]
    assert len(long["value"]) == reading.MOST_TEXT
    assert short["value"] == "short"
    assert found.notes == ("Some texts were too long and were cut.",)


def test_many_long_texts_are_bounded_together(tmp_path: Path) -> None:
    found = read(report(*(text(FINDING, "y" * 60_000) for _ in range(60))), tmp_path)
    assert len(json.dumps(found.tree)) < 1.5 * reading.MOST_CHARACTERS
    assert found.notes


def test_many_items_are_bounded_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ITEMS", 50)
    wide = [item("CONTAINER", FINDING, *(text(FINDING, str(n)) for n in range(20))) for _ in range(20)]
    found = read(report(*wide), tmp_path)
    assert len(nodes(found.tree)) <= 50
    assert "more than 50 items" in found.notes[0]


def test_many_points_and_frames_are_bounded(tmp_path: Path) -> None:
    line = item("SCOORD", FINDING, GraphicType="POLYLINE", GraphicData=[float(n) for n in range(14_000)])
    frames = item("IMAGE", None, ReferencedSOPSequence=[pointing("1.2", *range(1, 5000))])
    found = read(report(line, frames), tmp_path)
    assert len(found.tree["children"][0]["points"]) == reading.MOST_POINTS
    assert "7000 points" in found.tree["children"][0]["value"]
    assert len(found.tree["children"][1]["reference"]["frame_numbers"]) == reading.MOST_FRAMES


@pytest.mark.parametrize("explicit_length", [True, False])
def test_a_thousand_levels_are_refused(tmp_path: Path, explicit_length: bool) -> None:
    path = tmp_path / "deep.dcm"
    save(report(text(FINDING, "MARK")), path)
    whole = path.read_bytes()
    at = whole.index(b"\x40\x00\x30\xa7SQ")
    nested = b""
    for _ in range(1000):
        if explicit_length:
            inner = b"\xfe\xff\x00\xe0" + len(nested).to_bytes(4, "little") + nested
            nested = b"\x40\x00\x30\xa7SQ\0\0" + len(inner).to_bytes(4, "little") + inner
        else:
            inner = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + nested + b"\xfe\xff\x0d\xe0\0\0\0\0"
            nested = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + inner + b"\xfe\xff\xdd\xe0\0\0\0\0"
    path.write_bytes(whole[:at] + nested)
    with pytest.raises(Refused, match="nest deeper"):
        read_report(path, LIMITS)


def test_levels_within_the_files_limit_are_read_to_the_end(tmp_path: Path) -> None:
    content = text(FINDING, "innermost")
    for _ in range(55):
        content = item("CONTAINER", FINDING, content)
    assert nodes(read(report(content), tmp_path).tree)[-1]["value"] == "innermost"


TEXTS = st.text(max_size=40)
CONCEPTS = st.one_of(st.none(), st.tuples(st.text(max_size=12), st.text(max_size=8), st.text(max_size=20)))
KINDS = st.sampled_from([*reading._TYPES, "TABLE", "", "X" * 40, "text"])


@st.composite
def items(draw: st.DrawFn, depth: int = 4) -> Dataset:
    """A content item with any attributes, fitting its kind or not."""
    d = Dataset()
    d.ValueType = draw(KINDS)
    concept = draw(CONCEPTS)
    if concept is not None:
        d.ConceptNameCodeSequence = [code(*concept)]
    for keyword, value in draw(
        st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), st.integers(0, 3), max_size=5)
    ).items():
        setattr(d, keyword, ATTRIBUTES[keyword][value])
    if depth:
        children = draw(st.lists(items(depth - 1), max_size=3))
        if children:
            d.ContentSequence = children
    return d


ATTRIBUTES: dict[str, list[Any]] = {
    "TextValue": ["", "plain", "<b>\u202e", "x" * 500],
    "PersonName": ["", "A^B", "=^=^", "^" * 30],
    "Date": ["", "20240131", "2024", "nonsense"],
    "Time": ["", "1015", "99", "10:15"],
    "DateTime": ["", "20240131", "x", "2024013110+9999"],
    "UID": ["", "1.2", "not a uid", "1" * 64],
    "GraphicType": ["", "POINT", "CIRCLE", "?"],
    "GraphicData": [[], [1.0], [1.0, 2.0, 3.0], [float("nan"), float("inf"), 1.0, 2.0]],
    "ReferencedContentItemIdentifier": [[], [1], [1] * 200, [2**31]],
    "ReferencedSOPSequence": [[], [Dataset()], [pointing("1.2.3", 1)], [pointing("1.2.4", 0)]],
    "MeasuredValueSequence": [
        [],
        [Dataset()],
        [number(LENGTH, "1", MM).MeasuredValueSequence[0]],
        [Dataset(), Dataset()],
    ],
    "ConceptCodeSequence": [[], [Dataset()], [code("1", "2", "3")], [code("", "", "")]],
    "RelationshipType": ["", "CONTAINS", "x" * 60, "HAS PROPERTIES"],
}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.lists(items(), max_size=4))
def test_any_combination_of_items_gives_a_tree_that_is_json(tmp_path: Path, content: list[Dataset]) -> None:
    found = read(report(*content), tmp_path)
    told = json.loads(json.dumps(found.tree, allow_nan=False))
    for node in nodes(told):
        assert isinstance(node["name"], str)
        assert isinstance(node.get("value", ""), str)
        assert set(node) <= NAMED


NAMED = {"type", "name", "concept", "relationship", "value", "unit", "qualifier", "code", "reference", "children"} | {
    *("graphic_type", "points", "frame_of_reference_uid"),
}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12), cut=st.floats(0, 1))
def test_damaged_bytes_give_a_tree_or_a_reason(
    shared_data: Path, tmp_path: Path, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray((shared_data / "derived" / "sr_basic_text.dcm").read_bytes()[: 5000 if cut > 0.5 else None])
    for place, value in changes:
        data[132 + int(place * (len(data) - 133))] = value
    path = tmp_path / "damaged.dcm"
    path.write_bytes(data)
    with contextlib.suppress(DicomError):  # and nothing else
        json.dumps(read_report(path, LIMITS).tree)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("10", "10"), ("1015", "10:15"), ("101500", "10:15:00"), ("101500.120000", "10:15:00.12"), ("10:15", "10:15")],
)
def test_times_show_what_is_stored(stored: str, shown: str) -> None:
    assert written_time(stored) == shown


def test_a_date_and_time_without_digits_is_shown_as_it_is() -> None:
    assert written_date_time("yesterday") == "yesterday"
