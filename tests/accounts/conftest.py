"""Alice may, Bob is at the same site and may not, Charlie is a stranger."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts import audit, recovery_codes
from accounts.models import Membership, Organization, Role, User

PASSWORD = "a lantern over the harbour"


@pytest.fixture(autouse=True)
def quick_passwords(settings, monkeypatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(recovery_codes, "ROUNDS", 1)


@pytest.fixture(autouse=True)
def own_chain(settings, tmp_path: Path) -> Path:
    """Every test has its own key and head files: the chain starts anew with the database."""
    settings.FARVIEW_DATA_DIR = tmp_path
    settings.FARVIEW_KEYS_DIR = tmp_path / "keys"
    audit._kept_key.cache_clear()
    audit._journal.written = float("-inf")
    return tmp_path


def person(name: str, *roles: tuple[str, str]) -> User:
    """A user who holds `roles` as (organization, role)."""
    user = User.objects.create_user(name, password=PASSWORD)
    for organization, role in roles:
        home, _ = Organization.objects.get_or_create(name=organization)
        Membership.objects.create(user=user, organization=home, role=role)
    return user


@pytest.fixture
def alice(db) -> User:
    return person("alice", ("default", Role.RADIOLOGIST))


@pytest.fixture
def bob(db) -> User:
    Organization.objects.get_or_create(name="default")
    return person("bob", ("default", Role.REFERRER))


@pytest.fixture
def charlie(db) -> User:
    return person("charlie", ("elsewhere", Role.RADIOLOGIST))


@pytest.fixture
def boss(db) -> User:
    return person("boss", ("default", Role.ADMIN))
