"""What tests of the archive and of its doors share: a store of its own for each test, and three people.

Alice may; Bob works at the same site and may not; Charlie is a stranger, though a reader elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Membership, Organization, Role, User
from viewer.archive.storage import BlobStore, blob_store


@pytest.fixture
def store(tmp_path: Path, settings: LazySettings) -> BlobStore:
    """An empty store, which the settings name as well."""
    settings.FARVIEW_BLOB_DIR = tmp_path / "blob"
    settings.FARVIEW_MIN_FREE_BYTES = 0
    settings.FARVIEW_MIN_FREE_FRACTION = 0.0
    settings.FARVIEW_BLOB_DIR.mkdir()
    return blob_store()


@pytest.fixture
def hospital(db: None) -> Organization:
    return Organization.objects.create(name="hospital")


@pytest.fixture
def elsewhere(db: None) -> Organization:
    return Organization.objects.create(name="elsewhere")


def person(name: str, organization: Organization, role: str) -> User:
    """Somebody with one role."""
    user = User.objects.create_user(username=name)
    Membership.objects.create(user=user, organization=organization, role=role)
    return user


def signed_in(user: User) -> Client:
    """A browser in which `user` is signed in."""
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


@pytest.fixture
def alice(hospital: Organization) -> Client:
    return signed_in(person("alice", hospital, Role.RADIOLOGIST))


@pytest.fixture
def bob(hospital: Organization) -> Client:
    return signed_in(person("bob", hospital, Role.REFERRER))


@pytest.fixture
def charlie(elsewhere: Organization) -> Client:
    return signed_in(person("charlie", elsewhere, Role.RADIOLOGIST))
