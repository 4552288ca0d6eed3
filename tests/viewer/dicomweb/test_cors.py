"""Pages of other origins at DICOMweb: those that the setting names, and nowhere else."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.viewer.dicomweb.asking import ask

pytestmark = pytest.mark.django_db(transaction=True)

VIEWER, STRANGER = "https://viewer.example", "https://viewer.example.evil"
AHEAD = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


def preflight(client: Client, address: str, origin: str = VIEWER) -> tuple[int, dict[str, str]]:
    answer = client.options(address, headers={"Origin": origin, **AHEAD})
    return answer.status_code, {name: text for name, text in answer.headers.items() if name.startswith("Access-")}


def test_a_named_origin_may_ask_ahead_without_a_token_and_read_answers(
    settings: LazySettings, client: Client, alice: Client
) -> None:
    settings.FARVIEW_CORS_ORIGINS = frozenset({VIEWER})
    status, headers = preflight(client, "/dicom-web/studies/1.2/series/1.3/metadata")
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == VIEWER
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    answer = ask(alice, "/dicom-web/studies", Origin=VIEWER)
    assert answer.response["Access-Control-Allow-Origin"] == VIEWER
    assert "Origin" in answer.response["Vary"]


def test_others_are_told_nothing(settings: LazySettings, client: Client) -> None:
    settings.FARVIEW_CORS_ORIGINS = frozenset({VIEWER})
    for origin in (STRANGER, "null", "http://viewer.example", "https://VIEWER.example"):
        assert preflight(client, "/dicom-web/studies", origin) == (401, {})


def test_only_doors_of_dicomweb_are_open(settings: LazySettings, client: Client) -> None:
    settings.FARVIEW_CORS_ORIGINS = frozenset({VIEWER, "*"})
    assert preflight(client, "/wado")[0] == 204
    for address in ("/api/studies/", "/", "/dicom-web", "/fhir/Patient", "/admin/"):
        assert preflight(client, address)[1] == {}


def test_a_star_never_goes_with_credentials(settings: LazySettings, client: Client) -> None:
    settings.FARVIEW_CORS_ORIGINS = frozenset({"*"})
    status, headers = preflight(client, "/dicom-web/studies", STRANGER)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Access-Control-Allow-Credentials" not in headers


def test_without_the_setting_there_is_no_cors(client: Client) -> None:
    assert preflight(client, "/dicom-web/studies") == (401, {})


def test_refusals_can_be_read_too(settings: LazySettings, client: Client) -> None:
    settings.FARVIEW_CORS_ORIGINS = frozenset({VIEWER})
    answer = ask(client, "/dicom-web/studies", Origin=VIEWER)
    assert (answer.status, answer.response["Access-Control-Allow-Origin"]) == (401, VIEWER)
