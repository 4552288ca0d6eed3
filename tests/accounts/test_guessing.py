"""Passwords that others would soon guess are set by nobody."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.test import Client
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from accounts.guessing import GuessableValidator
from accounts.models import Organization, User
from tests.accounts.conftest import PASSWORD, person


def refused(password: str, user: User | None = None) -> bool:
    try:
        password_validation.validate_password(password, user)
    except ValidationError:
        return True
    return False


def test_more_than_three_thousand_common_passwords_of_the_length_that_is_asked_for_are_refused() -> None:
    """ASVS 5.0, 6.2.4: Django's list, zxcvbn's, and its words. Of some ten thousand, every tenth is tried."""
    packed = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    common = {*gzip.decompress(packed.read_bytes()).decode().split(), *FREQUENCY_LISTS["passwords"]}
    words = {*common, *FREQUENCY_LISTS["english_wikipedia"], *FREQUENCY_LISTS["surnames"]}
    long = sorted(word for word in words if len(word) >= 10)
    assert len(long) > 10_000
    assert [word for word in long[::10] if not refused(word)] == []


def test_a_common_password_is_not_mended_by_a_number_or_a_sign() -> None:
    short = [word for word in list(FREQUENCY_LISTS["passwords"])[:1000:10] if 6 <= len(word) < 10]
    assert len(short) > 50
    assert [word + tail for word in short for tail in ("1234", "!!!!") if not refused(word + tail)] == []


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "abcdefghijkl",
        "22-11-2026",
        "aaaaaaaaaaaa",
        "Passw0rd!2026",
    ],
)
def test_runs_dates_and_spellings_of_common_words_are_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.parametrize("password", ["Farview2026!", "harbour-light1", "Seaside2026!", "Adler2026!"])
def test_words_of_the_place_are_refused(db: None, password: str) -> None:
    alice = person("alice", ("harbour-light", "radiologist"))
    alice.first_name, alice.last_name = "Alice", "Adler"
    Organization.objects.filter(name="harbour-light").update(title="Seaside")
    assert refused(password, alice)


@pytest.mark.parametrize(
    "password", [PASSWORD, "two lanterns over it", "zb4-Kdwq-91xv", "a lantern " * 40, "ключ от маяка 47"]
)
def test_a_few_words_or_a_long_one_are_taken(password: str) -> None:
    GuessableValidator().validate(password)


def test_nobody_sets_one_and_is_told_why(client: Client, alice: User) -> None:
    client.force_login(alice)
    new = {"old_password": PASSWORD, "new_password1": "Default2026!", "new_password2": "Default2026!"}
    answer = client.post("/accounts/password/", new)
    assert "soon guess" in answer.content.decode()
    assert client.login(username="alice", password=PASSWORD)
