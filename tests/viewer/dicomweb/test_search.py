"""QIDO-RS: what a search tells, to whom, in which form, page by page. What matches: tests/viewer/archive/test_matching.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicomweb.asking import ask
from viewer.archive.correcting import Who, study_to_order
from viewer.archive.correcting_undo import undo
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.models import Correction, Grant, Instance, Study

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db(transaction=True)]

ROOT = "http://testserver/dicom-web"


@pytest.fixture
def archive(hospital: Organization, tmp_path: Path) -> None:
    """Two studies: one of a CT series of three and an MR series of one, one of a single CT."""
    made = [
        ct_slice(
            "1.1.1.1", "1.1", "1.1.1", InstanceNumber=2, PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 100"
        ),
        ct_slice(
            "1.1.1.2", "1.1", "1.1.1", InstanceNumber=1, PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 100"
        ),
        ct_slice("1.1.1.3", "1.1", "1.1.1", InstanceNumber=None, BodyPartExamined="CHEST"),
        ct_slice("1.1.2.1", "1.1", "1.1.2", Modality="MR", SeriesNumber=2, ImageComments="a comment"),
        ct_slice(
            "1.2.1.1", "1.2", "1.2.1", PatientID="P2", StudyDate="20200101", ProtocolName="Head", AccessionNumber="A2"
        ),
    ]
    for number, image in enumerate(made):
        save(image, tmp_path / "in" / f"{number}.dcm")
    list(ingest(walk(tmp_path / "in"), Sender(hospital, "a test", "ingest")))


def told(client: Client, address: str) -> list[dict[str, Any]]:
    answer = ask(client, f"/dicom-web/{address}")
    assert answer.status in (200, 204), answer.body
    return json.loads(answer.body) if answer.status == 200 else []


def value(model: dict[str, Any], tag: str) -> Any:
    values = model[tag].get("Value", [])
    return values if len(values) > 1 else values[0] if values else None


def uids(models: list[dict[str, Any]], tag: str = "0020000D") -> list[str]:
    return [value(model, tag) for model in models]


def test_a_study_is_told_with_all_that_the_standard_requires(archive: None, alice: Client) -> None:
    newest, oldest = told(alice, "studies")
    assert uids([newest, oldest]) == ["1.1", "1.2"]
    wanted = {
        "00080020": "20240131", "00080030": "101500", "00080050": "A1", "00080056": "ONLINE", "00080061": ["CT", "MR"],
        "00081190": f"{ROOT}/studies/1.1", "00100010": {"Alphabetic": "Müller^Jörg"}, "00100020": "P1",
        "00100030": "19700101", "00100040": "F", "00201206": 2, "00201208": 4,
    }  # fmt: skip
    assert {tag: value(newest, tag) for tag in wanted} == wanted
    assert {"00080090", "00200010", "00080201"} <= set(newest), "those without a value are there, too"


def test_series_and_instances_are_told_below_and_beside_studies(archive: None, alice: Client) -> None:
    first, second = told(alice, "studies/1.1/series")
    wanted = {"00080060": "CT", "0020000E": "1.1.1", "00200011": 1, "00201209": 3, "0020000D": "1.1"}
    assert {tag: value(first, tag) for tag in wanted} == wanted
    assert value(second, "00081190") == f"{ROOT}/studies/1.1/series/1.1.2"
    assert "00100010" not in first, "the address says which study it is"
    everywhere = told(alice, "series?Modality=CT")
    assert [(value(one, "0020000E"), value(one, "00100020")) for one in everywhere] == [
        ("1.2.1", "P2"),
        ("1.1.1", "P1"),
    ]
    instances = told(alice, "studies/1.1/series/1.1.1/instances")
    assert uids(instances, "00080018") == ["1.1.1.2", "1.1.1.1", "1.1.1.3"], "by number, those without at the end"
    wanted = {"00280010": 4, "00280011": 4, "00080016": "1.2.840.10008.5.1.4.1.1.2", "00083002": "1.2.840.10008.1.2.1"}
    assert {tag: value(instances[0], tag) for tag in wanted} == wanted
    assert len(told(alice, "studies/1.1/instances")) == 4
    assert len(told(alice, "instances?StudyInstanceUID=1.2,1.1")) == 5


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("PatientName=muller*", ["1.1"]),
        ("00100010=MULLER^JORG", ["1.1"]),
        ("PatientName=jo%20mu&fuzzymatching=true", ["1.1"]),
        ("PatientName=jo%20mu", []),
        ("StudyDate=20200101-20201231", ["1.2"]),
        ("StudyDate=-20200101", ["1.2"]),
        ("ModalitiesInStudy=MR", ["1.1"]),
        ("ModalitiesInStudy=MR%5CPT", ["1.1"]),
        ("ModalitiesInStudy=CT", ["1.1", "1.2"]),
        ("StudyInstanceUID=1.1%5C1.2%5C1.3", ["1.1", "1.2"]),
        ("PatientID=P?&AccessionNumber=A2", ["1.2"]),
        ("PatientID=p1", []),
        ("AccessionNumber=", ["1.1", "1.2"]),
        ("ProtocolName=Head", ["1.2"]),
        ("SOPInstanceUID=1.1.2.1", ["1.1"]),
    ],
)  # fmt: skip
def test_a_search_finds_by_keyword_and_by_tag(archive: None, alice: Client, asked: str, found: list[str]) -> None:
    assert uids(told(alice, f"studies?{asked}")) == found


def test_what_is_not_supported_is_passed_over_and_named(archive: None, alice: Client) -> None:
    answer = ask(alice, "/dicom-web/studies?PatientNam=x&00091001=y&PixelSpacing=1&includefield=Nonsense&PatientID=P1")
    assert uids(json.loads(answer.body)) == ["1.1"]
    warning = answer.response["Warning"]
    assert warning.startswith('299 farview "')
    assert all(name in warning for name in ("PatientNam", "00091001", "PixelSpacing", "Nonsense"))
    assert "Warning" not in ask(alice, "/dicom-web/studies?PatientID=P1").response


@pytest.mark.parametrize(
    "asked",
    [
        *("limit=many", "limit=-1", "offset=x", "fuzzymatching=perhaps", "StudyDate=2024-13-01", "StudyTime=9999"),
        *("StudyInstanceUID=1.2.*", "after=nothing", "NumberOfStudyRelatedSeries=two"),
    ],
)
def test_what_is_malformed_is_refused_and_says_what(archive: None, alice: Client, asked: str) -> None:
    answer = ask(alice, f"/dicom-web/studies?{asked}")
    assert answer.status == 400
    name = asked.split("=")[0]
    tags = {"StudyDate": "00080020", "StudyTime": "00080030", "StudyInstanceUID": "0020000D"}
    assert json.loads(answer.body)["detail"].startswith((tags.get(name, name), "00201206"))


def test_pages_follow_each_other_by_offset_and_by_link(archive: None, alice: Client) -> None:
    whole = uids(told(alice, "instances"), "00080018")
    assert len(whole) == 5
    by_offset = [uids(told(alice, f"instances?limit=2&offset={offset}"), "00080018") for offset in (0, 2, 4, 6)]
    assert [uid for page in by_offset for uid in page] == whole
    assert by_offset[-1] == []
    followed, address = [], "/dicom-web/instances?limit=2"
    while address:
        answer = ask(alice, address)
        followed += uids(json.loads(answer.body), "00080018")
        assert ("Warning" in answer.response) == ("Link" in answer.response)
        link = answer.response.headers.get("Link", "")
        address = link.partition(">")[0].removeprefix("<http://testserver")
    assert followed == whole
    assert ask(alice, "/dicom-web/instances?limit=0").status == 204


def test_a_study_that_arrives_meanwhile_neither_repeats_nor_hides_another(
    archive: None, alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    first = ask(alice, "/dicom-web/studies?limit=1")
    save(ct_slice("1.9.1.1", "1.9", "1.9.1", StudyDate="20260101"), tmp_path / "late" / "1.dcm")
    list(ingest(walk(tmp_path / "late"), Sender(hospital, "a test", "ingest")))
    link = first.response["Link"].partition(">")[0].removeprefix("<http://testserver")
    assert uids(json.loads(ask(alice, link).body)) == ["1.2"]


def test_further_fields_come_from_columns_and_from_files(archive: None, alice: Client) -> None:
    plain, asked, everything = (
        told(alice, f"studies/1.1/series/1.1.2/instances?{query}")[0]
        for query in ("", "includefield=ImageComments,00180015&includefield=PatientName", "includefield=all")
    )
    assert "00204000" not in plain
    assert value(asked, "00204000") == "a comment"
    assert value(asked, "00100010") == {"Alphabetic": "Müller^Jörg"}
    assert value(everything, "00204000") == "a comment"
    assert value(everything, "00280030") == [1, 1]
    assert (
        everything["7FE00010"]["BulkDataURI"] == f"{ROOT}/studies/1.1/series/1.1.2/instances/1.1.2.1/bulkdata/7FE00010"
    )
    series = told(alice, "studies/1.1/series?includefield=ImageComments&Modality=MR")[0]
    assert value(series, "00204000") == "a comment", "of one of its instances"


def test_the_same_is_told_in_xml(archive: None, alice: Client) -> None:
    models = told(alice, "studies")
    answer = ask(alice, "/dicom-web/studies", 'multipart/related; type="application/dicom+xml"')
    assert [kind for kind, _, _ in answer.parts] == ["application/dicom+xml"] * 2
    for model, (_, _, document) in zip(models, answer.parts, strict=True):
        found = {
            one.attrib["tag"]: ([inner.text for inner in one if inner.tag.endswith("}Value")] or [None])[0]
            for one in ElementTree.fromstring(document)
        }
        plain = {
            tag: str(value(model, tag))
            for tag, said in model.items()
            if len(said.get("Value", ())) == 1 and said["vr"] != "PN"
        }
        assert {tag: found[tag] for tag in plain} == plain
        assert "Müller".encode() in document or value(model, "00100020") == "P2"


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        ("application/json", 200, "application/json"),
        ("application/dicom+json; q=0.5, text/html", 200, "application/dicom+json"),
        ("*/*", 200, "application/dicom+json"),
        ("image/png", 406, "application/json"),
    ],
)
def test_the_form_is_negotiated(archive: None, alice: Client, accept: str, status: int, kind: str) -> None:
    answer = ask(alice, "/dicom-web/studies", accept)
    assert (answer.status, answer.type) == (status, kind)


def test_nothing_found_is_no_content_and_no_study_is_404(archive: None, alice: Client) -> None:
    answer = ask(alice, "/dicom-web/studies?PatientID=nobody")
    assert (answer.status, answer.body) == (204, b"")
    for address in ("studies/9.9/series", "studies/9.9/instances", "studies/1.1/series/9.9/instances"):
        assert ask(alice, f"/dicom-web/{address}").status == 404


# --- who may


def test_nobody_finds_what_they_may_not_see(archive: None, bob: Client, charlie: Client, client: Client) -> None:
    for address in (
        "studies",
        "series",
        "instances",
        "studies?StudyInstanceUID=1.1",
        "instances?SOPInstanceUID=1.1.1.1",
    ):
        assert ask(bob, f"/dicom-web/{address}").status in (204, 404)
        assert ask(charlie, f"/dicom-web/{address}").status == 204
        assert ask(client, f"/dicom-web/{address}").status == 401
    assert ask(charlie, "/dicom-web/studies/1.1/series").status == 404
    denied = AuditEvent.objects.filter(actor="charlie", outcome="denied").last()
    assert denied is not None
    assert (denied.object_uid, denied.detail["door"]) == ("1.1", "dicomweb")


def test_a_referrer_finds_what_was_granted(archive: None, bob: Client) -> None:
    user, study = User.objects.get(username="bob"), Study.objects.get(study_instance_uid="1.2")
    Grant.objects.create(user=user, study=study, reason="order")
    assert uids(told(bob, "studies")) == ["1.2"]
    assert uids(told(bob, "instances"), "00080018") == ["1.2.1.1"]
    Grant.objects.update(until=timezone.now())
    assert told(bob, "studies") == []


def test_an_organization_can_be_named(archive: None, elsewhere: Organization, alice: Client) -> None:
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RADIOLOGIST)
    assert len(told(alice, "studies?organization=hospital")) == 2
    assert told(alice, "studies?organization=elsewhere") == []


def test_rejected_objects_are_neither_told_nor_counted(archive: None, alice: Client) -> None:
    Instance.objects.filter(sop_instance_uid__in=("1.1.1.1", "1.1.2.1")).update(rejection="113001")
    [study, _] = told(alice, "studies")
    assert (value(study, "00201206"), value(study, "00201208"), value(study, "00080061")) == (1, 2, "CT")
    assert uids(told(alice, "studies/1.1/series"), "0020000E") == ["1.1.1"]
    assert uids(told(alice, "studies?ModalitiesInStudy=MR")) == []


def test_fields_from_files_are_told_as_corrected(archive: None, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.dicom.changes import Changes, Original
    from viewer.dicomweb import qido_answers

    changes = Changes(
        {"ImageComments": "put right"},
        (Original("20260101", "FARVIEW", "CORRECT", "", {"ImageComments": "a comment"}),),
    )
    monkeypatch.setattr(qido_answers, "changes_of", lambda rows: {row.pk: changes for row in rows})
    assert Correction.objects.count() == 0
    [instance] = told(alice, "studies/1.1/series/1.1.2/instances?includefield=all")
    assert value(instance, "00204000") == "put right"
    [item] = instance["04000561"]["Value"]
    assert value(item["04000550"]["Value"][0], "00204000") == "a comment"


def test_a_page_takes_few_questions_however_many_rows_it_has(
    archive: None, alice: Client, hospital: Organization
) -> None:
    from viewer.archive.matching import Level
    from viewer.dicomweb.qido_answers import answers
    from viewer.dicomweb.qido_page import page_of
    from viewer.dicomweb.qido_query import parsed

    user = User.objects.get(username="alice")
    counts = []
    for limit in ("1", "5"):
        query = parsed(Level.INSTANCE, [("limit", limit)])
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(answers(query, page_of(user, query, {}, None).rows, {}, ROOT).models) == int(limit)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 7


def request(step: str, procedure: str, number: str = "A1") -> Dataset:
    item = Dataset()
    item.AccessionNumber, item.RequestedProcedureID, item.ScheduledProcedureStepID = number, procedure, step
    return item


@pytest.fixture
def requested(hospital: Organization, tmp_path: Path) -> None:
    """A study of two series that were asked for and one that was not."""
    began = {"PerformedProcedureStepStartDate": "20240131", "PerformedProcedureStepStartTime": "101500.5"}
    asked_for = [request("S1", "R1"), request("S2", "R2", "A7")]
    made = [
        ct_slice("1.5.1.1", "1.5", "1.5.1", RequestAttributesSequence=asked_for, **began),
        ct_slice("1.5.2.1", "1.5", "1.5.2", SeriesNumber=2, RequestAttributesSequence=[request("S2", "R1")]),
        ct_slice("1.5.3.1", "1.5", "1.5.3", SeriesNumber=3, PerformedProcedureStepStartDate="20240201"),
    ]
    for number, image in enumerate(made):
        save(image, tmp_path / "in" / f"{number}.dcm")
    list(ingest(walk(tmp_path / "in"), Sender(hospital, "a test", "ingest")))


def test_a_series_tells_when_it_was_begun_and_what_asked_for_it(requested: None, alice: Client) -> None:
    first, second, third = told(alice, "studies/1.5/series")
    assert (value(first, "00400244"), value(first, "00400245")) == ("20240131", "101500.5")
    items = first["00400275"]["Value"]
    assert [(value(one, "00400009"), value(one, "00401001"), value(one, "00080050")) for one in items] == [
        ("S1", "R1", "A1"),
        ("S2", "R2", "A7"),
    ]
    assert value(second["00400275"]["Value"][0], "00400009") == "S2"
    assert "00400275" not in third
    assert third["00400245"] == {"vr": "TM"}
    [instance] = told(alice, "studies/1.5/instances?SeriesInstanceUID=1.5.2")
    assert value(instance["00400275"]["Value"][0], "00401001") == "R1"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("RequestAttributesSequence.ScheduledProcedureStepID=S2", ["1.5.1", "1.5.2"]),
        ("00400275.00400009=S2&00400275.00401001=R1", ["1.5.2"]),
        ("RequestAttributesSequence.RequestedProcedureID=R?", ["1.5.1", "1.5.2"]),
        ("RequestAttributesSequence.AccessionNumber=A7", ["1.5.1"]),
        ("RequestAttributesSequence.AccessionNumber=*", ["1.5.1", "1.5.2", "1.5.3"]),
        ("PerformedProcedureStepStartDate=20240131-20240201", ["1.5.1", "1.5.3"]),
        ("PerformedProcedureStepStartDate=20240131&PerformedProcedureStepStartTime=10", ["1.5.1"]),
        ("PerformedProcedureStepStartDate=20240131-&PerformedProcedureStepStartTime=101501-", ["1.5.3"]),
    ],
)
def test_series_are_found_by_what_asked_for_them_and_when_they_were_begun(
    requested: None, alice: Client, asked: str, found: list[str]
) -> None:
    assert uids(told(alice, f"studies/1.5/series?{asked}"), "0020000E") == found
    assert len(told(alice, f"studies?{asked}")) == 1, "a study by its series"


def test_what_cannot_be_matched_in_a_sequence_is_named(requested: None, alice: Client) -> None:
    answer = ask(alice, "/dicom-web/studies?RequestAttributesSequence.Modality=CT&ProcedureCodeSequence.CodeValue=1")
    assert "RequestAttributesSequence.Modality, ProcedureCodeSequence.CodeValue" in answer.response["Warning"]


def test_what_asked_for_a_series_follows_its_study_to_another_order(requested: None, alice: Client) -> None:
    who = Who("tess", "The technologist chose the wrong line of the worklist.")
    act = study_to_order(Study.objects.get(), {"AccessionNumber": "A5"}, who)
    asked = "studies/1.5/series?RequestAttributesSequence.AccessionNumber="
    assert uids(told(alice, f"{asked}A5"), "0020000E") == ["1.5.1", "1.5.2"]
    assert uids(told(alice, f"{asked}A7"), "0020000E") == ["1.5.1"]
    assert told(alice, f"{asked}A1") == []
    metadata = told(alice, "studies/1.5/series/1.5.2/metadata")
    assert value(metadata[0]["00400275"]["Value"][0], "00080050") == "A5"
    undo(act, who)
    assert uids(told(alice, f"{asked}A1"), "0020000E") == ["1.5.1", "1.5.2"]
