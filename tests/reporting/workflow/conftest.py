"""A second radiologist, and browsers of everybody."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Organization, Role, User
from tests.reporting.conftest import person, signed_in


@pytest.fixture
def dora(site: Organization) -> User:
    return person("dora", site, Role.RADIOLOGIST, "Dora Dorn")


@pytest.fixture
def at_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def at_dora(dora: User) -> Client:
    return signed_in(dora)


@pytest.fixture
def at_rita(rita: User) -> Client:
    return signed_in(rita)


@pytest.fixture
def at_boss(boss: User) -> Client:
    return signed_in(boss)
