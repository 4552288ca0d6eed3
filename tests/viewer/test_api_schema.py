"""The OpenAPI schema is whole, and what the doors answer is what it says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file

OPENAPI = "application/vnd.oai.openapi+json"
REPORTING = ("/api/reports/", "/api/orders/", "/api/worklist/", "/api/templates/", "/api/macros/")
"""Doors that the tests of reporting name."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SchemaGenerator().get_schema(request=None, public=True)


def test_it_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    GENERATOR_STATS.reset()
    validate_schema(SchemaGenerator().get_schema(request=None, public=True))
    assert capsys.readouterr().err == ""


def test_it_is_served_to_whoever_is_signed_in(alice: Client, client: Client) -> None:
    answer = alice.get("/api/schema/", headers={"Accept": OPENAPI})
    assert answer.json()["openapi"].startswith("3.")
    assert client.get("/api/schema/").status_code == 401


def test_every_operation_documents_parameters_and_answers(schema: dict[str, Any]) -> None:
    paths = schema["paths"]
    assert {path for path in paths if not path.startswith(REPORTING)} == {
        "/api/instances/{sop_instance_uid}/document/",
        "/api/instances/{sop_instance_uid}/pdf/",
        "/api/instances/{sop_instance_uid}/segments/",
        "/api/instances/{sop_instance_uid}/video/",
        "/api/emergency/",
        "/api/hanging-protocols/",
        "/api/launches/",
        "/api/me/",
        "/api/peers/",
        "/api/peers/{peer}/search/",
        "/api/transfers/",
        "/api/transfers/{transfer}/cancel/",
        "/api/transfers/{transfer}/retry/",
        "/api/me/settings/",
        "/api/share-links/{link}/",
        "/api/studies/{study_instance_uid}/share-links/",
        "/api/studies/{study_instance_uid}/corrections/",
        "/api/studies/{study_instance_uid}/corrections/choices/",
        "/api/studies/{study_instance_uid}/corrections/{correction}/undo/",
        "/api/studies/{study_instance_uid}/export/",
        "/api/studies/{study_instance_uid}/export.zip",
        "/api/series/{series_instance_uid}/export.zip",
        "/api/series/{series_instance_uid}/video.mp4",
        "/api/series/{series_instance_uid}/frame",
        "/api/series/{series_instance_uid}/thumbnail",
        "/api/studies/",
        "/api/studies/{study_instance_uid}/",
        "/api/studies/{study_instance_uid}/emergency/",
        "/api/studies/{study_instance_uid}/hanging/",
        "/api/studies/{study_instance_uid}/key-images/",
        "/api/studies/{study_instance_uid}/key-images/object/",
        "/api/studies/{study_instance_uid}/key-images/{uid}/",
        "/api/studies/{study_instance_uid}/measurements/",
        "/api/studies/{study_instance_uid}/measurements/object/",
        "/api/studies/{study_instance_uid}/measurements/{uid}/",
        "/api/studies/{study_instance_uid}/objects/",
        "/api/studies/{study_instance_uid}/viewed/",
        "/api/uploads/",
    }
    for operations in paths.values():
        for operation in operations.values():
            assert operation["summary"]
            assert "401" in operation["responses"]
            assert operation["security"] == [{"token": []}, {"cookieAuth": []}]
            assert (
                all(parameter.get("description") or parameter["schema"] for parameter in operation["parameters"])
                if ("parameters" in operation)
                else True
            )
    frame = paths["/api/series/{series_instance_uid}/frame"]["get"]
    assert {"view", "media_type", "quality", "organization", "series_instance_uid"} == {
        parameter["name"] for parameter in frame["parameters"]
    }
    assert set(frame["responses"]) >= {"200", "304", "400", "401", "404", "409", "422"}
    assert set(frame["responses"]["200"]["content"]) >= {"image/png", "image/jpeg", "image/webp"}
    assert "Farview-View" in frame["responses"]["200"]["headers"]
    upload = paths["/api/uploads/"]["post"]
    assert set(upload["requestBody"]["content"]) == {"multipart/form-data", "application/dicom", "application/zip"}
    assert {"413", "507"} <= set(upload["responses"])


@pytest.mark.usefixtures("store")
def test_answers_are_what_it_says(
    schema: dict[str, Any], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    for number, path in enumerate((save(ct_slice(), tmp_path / "a"), save(ct_slice(InstanceNumber=7), tmp_path / "b"))):
        assert ingest_file(path, hospital, "ingest", "").outcome == ("stored", "conflict")[number]
    ingest_file(save(ct_slice("1.9.1.1", "1.9", "1.9.1"), tmp_path / "c"), hospital, "ingest", "")
    with (tmp_path / "a").open("rb") as file:
        upload = alice.post("/api/uploads/", {"file": file})
    answers = {
        "StudyList": alice.get("/api/studies/"),
        "StudyWhole": alice.get("/api/studies/1.2.3/"),
        "Person": alice.get("/api/me/"),
        "Outcomes": upload,
        "Problem": alice.get("/api/studies/?sort=x"),
    }
    for name, answer in answers.items():
        shape = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        jsonschema.validate(answer.json(), _closed(shape))


def _closed(shape: dict[str, Any]) -> dict[str, Any]:
    """The same shapes with nothing allowed beside what they name; OpenAPI 3.0's `nullable` as JSON Schema says it."""

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        found = {name: walk(inner) for name, inner in node.items()}
        if "properties" in found and found.get("type") == "object":
            found["additionalProperties"] = False
        if found.pop("nullable", False):
            if "type" in found:
                found["type"] = [found["type"], "null"]
            elif "allOf" in found:
                return {"anyOf": [found, {"type": "null"}]}
        return found

    return walk(shape)
