"""`/api/me/settings/`: kept with the person, one's own alone, and nothing in it that the page does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

ADDRESS = "/api/me/settings/"
KEYS = {"map": "bir", "changed": {"bir": {"Ctrl+k": ["preset", 3], "x": None, "r": ["cine"]}}}


def put(client: Client, **values: Any) -> Any:
    return client.put(ADDRESS, json.dumps(values), content_type="application/json")


def test_settings_are_kept_and_each_changes_alone(alice: Client) -> None:
    assert alice.get(ADDRESS).json() == {}
    assert put(alice, keys=KEYS).json() == {"keys": KEYS}
    assert put(alice, texts="minimal").json() == {"keys": KEYS, "texts": "minimal"}
    assert put(alice, keys=None).json() == alice.get(ADDRESS).json() == {"texts": "minimal"}


def test_they_are_ones_own(alice: Client, bob: Client) -> None:
    put(alice, texts="none")
    assert bob.get(ADDRESS).json() == {}


def test_nobody_has_none(client: Client) -> None:
    assert client.get(ADDRESS).status_code == put(client, texts="none").status_code == 401


@pytest.mark.parametrize(
    "values",
    [
        {"colour": "red"},
        {"texts": "loud"},
        {"language": "tlh"},
        {"language": ["de"]},
        {"hanging": {"CT": "\ud800"}},
        {"keys": {"map": "mine"}},
        {"keys": {"changed": {"reader": {"x": "cine"}}}},
        {"keys": {"changed": {"reader": {"x" * 41: ["cine"]}}}},
        {"keys": {"changed": {"reader": {"x": ["cine", {"a": 1}]}}}},
        {"keys": {"changed": {"reader": {str(n): None for n in range(201)}}}},
        {"hanging": {"CT": "x" * 70_000}},
    ],
    ids=lambda values: json.dumps(values)[:40],
)
def test_what_is_not_a_setting_is_refused_and_nothing_changes(alice: Client, values: dict[str, Any]) -> None:
    put(alice, texts="none")
    answer = put(alice, **values)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert alice.get(ADDRESS).json() == {"texts": "none"}


def test_a_list_is_no_settings(alice: Client) -> None:
    assert alice.put(ADDRESS, "[" * 100_000, content_type="application/json").status_code == 400
    assert alice.put(ADDRESS, "[1]", content_type="application/json").status_code == 400


def test_the_language_is_that_of_the_pages_from_then_on(alice: Client) -> None:
    answer = put(alice, language="de")
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"
    assert alice.get("/")["Content-Language"] == "de"
    put(alice, language=None)
    assert alice.get("/")["Content-Language"] == "en"
