"""`/metrics` is for administrators: readers, strangers and nobody find no such door."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.authentication import issue
from accounts.models import Organization, Role
from tests.viewer.conftest import person, signed_in
from viewer.serving.runtime import runtime

pytestmark = pytest.mark.django_db


def test_readers_find_nothing_there(alice: Client, bob: Client, charlie: Client) -> None:
    assert [reader.get("/metrics").status_code for reader in (alice, bob, charlie)] == [404, 404, 404]
    assert Client().get("/metrics").status_code == 401


def test_an_administrator_gets_numbers_by_browser_and_by_token(hospital: Organization) -> None:
    runtime().home()
    admin = person("dora", hospital, Role.ADMIN)
    token = issue(admin)
    for answer in (
        signed_in(admin).get("/metrics"),
        Client().get("/metrics", headers={"Authorization": f"Bearer {token}"}),
    ):
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "farview_cache_bytes" in answer.content.decode()
