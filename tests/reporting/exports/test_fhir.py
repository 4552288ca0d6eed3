"""The FHIR form: a Bundle of R4, each reference of which leads somewhere. Judged by fhir.resources and by rules beyond it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reporting.exports import EXPORTS, fhir, page, pdf
from reporting.exports.document import SignedReport
from tests.reporting.exports import made

EVERY = made.every_report()
Json = dict[str, Any]


def bundle_of(report: SignedReport, transaction: bool = False) -> Json:
    found: Json = json.loads(fhir.make(report, transaction).decode("utf-8"))
    return found


def of_kind(bundle: Json, kind: str) -> list[Json]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def report_of(report: SignedReport) -> Json:
    (found,) = of_kind(bundle_of(report), "DiagnosticReport")
    return found


def walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, value
    inner = (
        value.items() if isinstance(value, dict) else ((name, one) for one in value) if isinstance(value, list) else ()
    )
    for key, one in inner:
        yield from walk(one, key)


PATTERNS = {
    "code": r"[^\s]+(\s[^\s]+)*",
    "system": r"\S+",
    "url": r"\S+",
    "date": r"\d{4}-\d\d-\d\d",
    "birthDate": r"\d{4}-\d\d-\d\d",
    "issued": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)",
    "effectiveDateTime": r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?",
    "uid": r"[0-9.]+",
}
"""Of data types of R4 (2.24.0.1)."""


def judged(bundle: Json) -> None:
    get_fhir_model_class("Bundle").model_validate(bundle)
    for name, value in walk(bundle):
        assert value not in (None, "", [], {}), name
        if isinstance(value, str):
            assert value.strip(), name
            assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", value), name
            if name in PATTERNS:
                assert re.fullmatch(PATTERNS[name], value), (name, value)
    known = {one["fullUrl"] for one in bundle["entry"]}
    assert len(known) == len(bundle["entry"])
    for entry in bundle["entry"]:
        contained = {f"#{one['id']}" for one in entry["resource"].get("contained", [])}
        named = {value for name, value in walk(entry["resource"]) if name == "reference" and isinstance(value, str)}
        assert named <= known | contained, named - known
        assert contained <= named
        assert ("request" in entry) == (bundle["type"] == "transaction")
        if "text" in entry["resource"] and "div" in entry["resource"]["text"]:
            div = ET.fromstring(entry["resource"]["text"]["div"])
            tags = {one.tag.removeprefix("{http://www.w3.org/1999/xhtml}") for one in div.iter()}
            assert tags <= {"div", "p", "b", "h1", "h2", "h3", "br"}


@pytest.mark.parametrize("name", EVERY)
def test_every_bundle_is_valid_and_whole(name: str) -> None:
    judged(json.loads(EXPORTS["fhir"].make(EVERY[name])))
    judged(bundle_of(EVERY[name], transaction=True))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("Ê𝔍")
def test_no_text_breaks_it(text: str) -> None:
    judged(bundle_of(made.saying(text)))


STATUSES: dict[str, tuple[Callable[[], SignedReport], str, str]] = {
    "preliminary": (made.preliminary, "preliminary", "preliminary"),
    "pending co-sign": (made.pending_cosign, "preliminary", "preliminary"),
    "returned": (lambda: made.report(state="returned"), "preliminary", "preliminary"),
    "final": (made.report, "final", "final"),
    "appended": (made.appended, "appended", "final"),
    "corrected": (made.corrected, "corrected", "corrected"),
    "amended": (lambda: replace(made.corrected(), reason_code="content"), "amended", "amended"),
    "cancelled": (made.cancelled, "cancelled", "cancelled"),
    "entered in error": (made.entered_in_error, "entered-in-error", "entered-in-error"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_its_state_reads_as_tabled(name: str) -> None:
    make, status, observed = STATUSES[name]
    bundle = bundle_of(make())
    assert of_kind(bundle, "DiagnosticReport")[0]["status"] == status
    assert {one["status"] for one in of_kind(bundle, "Observation")} == {observed}


def test_its_presented_forms_are_the_pdf_and_the_page_with_size_and_sha_1() -> None:
    report = made.many_pictures()
    forms = {one["contentType"]: one for one in report_of(report)["presentedForm"]}
    for media_type, data in {"application/pdf": pdf.make(report), "text/html": page.make(report)}.items():
        form = forms[media_type]
        assert base64.b64decode(form["data"], validate=True) == data
        assert form["size"] == len(data)
        assert base64.b64decode(form["hash"]) == hashlib.sha1(data).digest()


def test_a_picture_is_there_with_its_words_its_numbers_and_the_images_that_it_was_drawn_from() -> None:
    report = made.many_pictures()
    bundle = bundle_of(report)
    media = of_kind(bundle, "Media")
    assert [base64.b64decode(one["content"]["data"]) for one in media] == [one.png for one in report.pictures]
    links = [one["link"]["reference"] for one in of_kind(bundle, "DiagnosticReport")[0]["media"]]
    assert links == [one["fullUrl"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Media"]
    seen = of_kind(bundle, "Observation")
    assert [one["valueString"] for one in seen] == [one.caption for one in report.pictures]
    stack, one_image, prior = [one["contained"][0] for one in seen]
    assert len(stack["series"][0]["instance"]) == 40
    assert [one["uid"] for one in one_image["series"][0]["instance"]] == [made.IMAGE]
    assert prior["identifier"][0]["value"] == f"urn:oid:{made.PRIOR}"
    assert prior["series"][0]["instance"][0]["title"] == "frames 3, 5"
    length = seen[0]["component"][0]
    assert (length["valueQuantity"]["value"], length["valueQuantity"]["code"]) == (12.04, "mm")


def test_a_coded_number_is_an_observation_in_ucum_that_the_report_names() -> None:
    bundle = bundle_of(made.report())
    (number,) = [one for one in of_kind(bundle, "Observation") if "valueQuantity" in one]
    assert number["code"]["coding"][0]["code"] == "410668003"
    assert number["valueQuantity"] == {
        **{"value": 12.0, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"},
    }
    assert len(of_kind(bundle, "DiagnosticReport")[0]["result"]) == 2


def test_it_names_patient_order_study_and_people() -> None:
    bundle = bundle_of(made.cosigned())
    (patient,), (order,), (study,) = (of_kind(bundle, kind) for kind in ("Patient", "ServiceRequest", "ImagingStudy"))
    assert patient["identifier"][0]["value"] == "HH-12345"
    assert patient["identifier"][0]["assigner"]["display"] == "HARBOUR"
    assert patient["name"][0]["family"] == "Roe"
    assert (patient["gender"], patient["birthDate"]) == ("female", "1970-01-31")
    assert {one.get("value") for one in order["identifier"]} >= {"P-77", "F-88", "A-1001"}
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{made.STUDY}"}
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, 2)
    assert study["started"] == "2024-02-03T08:15:00+01:00"
    assert [one["name"][0]["text"] for one in of_kind(bundle, "Practitioner")] == ["Rita Rossi", "Alice Adler"]
    told = of_kind(bundle, "DiagnosticReport")[0]
    assert [one["display"] for one in told["resultsInterpreter"]] == ["Rita Rossi", "Alice Adler"]
    assert told["conclusion"] == "Left temporal haematoma."
    assert "Alice Adler, Radiologist (co-signer)" in told["text"]["div"]


def test_names_of_every_script_keep_their_groups() -> None:
    (patient,) = of_kind(bundle_of(made.in_script("Japanese")), "Patient")
    assert [(one["family"], one.get("extension", [{}])[0].get("valueCode")) for one in patient["name"]] == [
        *(("Yamada", None), ("山田", "IDE"), ("やまだ", "SYL")),
    ]


def test_where_the_images_can_be_had_is_said_when_the_site_says_it() -> None:
    assert of_kind(bundle_of(made.report()), "Endpoint") == []
    report = made.report(site=replace(made.SITE, dicom_web="https://pacs.example/dicom-web/"))
    bundle = bundle_of(report)
    judged(bundle)
    (endpoint,) = of_kind(bundle, "Endpoint")
    assert endpoint["address"] == f"https://pacs.example/dicom-web/studies/{made.STUDY}"
    assert endpoint["connectionType"]["code"] == "dicom-wado-rs"


def test_a_transaction_changes_nothing_of_the_receivers_patients_and_can_be_sent_twice() -> None:
    entries = bundle_of(made.report(), transaction=True)["entry"]
    asked = {one["resource"]["resourceType"]: one["request"] for one in entries}
    assert asked["DiagnosticReport"]["method"] == "PUT"
    assert asked["DiagnosticReport"]["url"].startswith(
        "DiagnosticReport?identifier=urn%3Aietf%3Arfc%3A3986%7Curn%3Auuid%3A"
    )
    assert asked["Patient"] == {"method": "POST", "url": "Patient"}
    assert asked["ImagingStudy"]["ifNoneExist"].startswith("identifier=urn%3Adicom%3Auid%7Curn%3Aoid%3A1.2.826")


def test_the_same_report_is_the_same_bytes_and_a_later_version_another_bundle_of_the_same_report() -> None:
    assert fhir.make(made.report()) == fhir.make(made.report())
    first, later = bundle_of(made.report()), bundle_of(made.corrected())
    assert first["identifier"] != later["identifier"]
    assert report_of(made.report())["identifier"][0] == report_of(made.corrected())["identifier"][0]


@pytest.mark.parametrize("make", [made.cancelled, made.entered_in_error])
def test_a_withdrawn_report_concludes_nothing(make: Callable[[], SignedReport]) -> None:
    assert "conclusion" not in report_of(make())
