"""What is told of the server's capabilities is what it does."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from tests.viewer.dicomweb.asking import ask

pytestmark = pytest.mark.django_db(transaction=True)

WADL = "{http://wadl.dev.java.net/2009/02}"
PLACES = dict.fromkeys(("study_instance_uid", "series_instance_uid", "sop_instance_uid", "frames"), "1") | {
    "path": "7FE00010"
}


def told(alice: Client) -> dict[str, set[str]]:
    answer = ask(alice, "/dicom-web/capabilities")
    assert (answer.status, answer.type) == (200, "application/vnd.sun.wadl+xml")
    found = ElementTree.fromstring(answer.body)
    return {
        resource.attrib["path"]: {method.attrib["name"] for method in resource.iter(f"{WADL}method")}
        for resource in found.iter(f"{WADL}resource")
    }


def test_each_address_answers_the_methods_that_are_told_and_no_others(alice: Client) -> None:
    described = told(alice)
    assert {"studies", "studies/{study_instance_uid}", "capabilities", ""} <= set(described)

    async def answers(method: str, address: str) -> bool:
        client = AsyncClient()
        client.cookies = alice.cookies
        answer = await client.generic(method, address, b"", content_type="application/dicom+json")
        return answer.status_code != 405

    for path, methods in described.items():
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH"):
            may = async_to_sync(answers)(method, f"/dicom-web/{path.format(**PLACES)}")
            assert may == (method in methods), f"{method} {path}"


def test_options_at_the_root_tells_the_same_in_either_form(alice: Client) -> None:
    async def options(accept: str) -> tuple[str, bytes]:
        client = AsyncClient()
        client.cookies = alice.cookies
        answer = await client.options("/dicom-web/", headers={"Accept": accept})
        return answer["Content-Type"], answer.content

    kind, body = async_to_sync(options)("application/json")
    assert kind == "application/json"
    described = told(alice)
    assert {
        one["path"]: {method["name"] for method in one["methods"]} for one in json.loads(body)["resources"]
    } == described
    assert async_to_sync(options)("*/*")[0] == "application/vnd.sun.wadl+xml"


def test_what_can_be_matched_is_told(alice: Client) -> None:
    body = ask(alice, "/dicom-web/capabilities", "application/json").body
    [studies] = [one for one in json.loads(body)["resources"] if one["path"] == "studies"]
    query = next(method["query"] for method in studies["methods"] if method["name"] == "GET")
    assert {"PatientName", "ModalitiesInStudy", "StudyDate", "includefield", "fuzzymatching"} <= set(query)


def test_nobody_signed_in_is_told_nothing(client: Client) -> None:
    assert ask(client, "/dicom-web/capabilities").status == 401
