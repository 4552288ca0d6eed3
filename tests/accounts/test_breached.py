"""Passwords of other places' breaches are set by nobody, where a list of them is at hand (ASVS 5.0, 6.2.12)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

from accounts import breached
from tests.accounts.conftest import PASSWORD

KNOWN = [f"a lantern over harbour {number}" for number in range(200)]
GOOD = "nine otters paint a bridge"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def listed(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "breached.txt"
    path.write_text("".join(f"{one}:{at * 37}\r\n" for at, one in enumerate(sorted(map(digest, KNOWN)))))
    settings.FARVIEW_BREACHED_PASSWORDS = path
    return path


def test_each_of_the_list_is_found_and_nothing_else(listed: Path) -> None:
    assert [one for one in KNOWN if not breached.holds(listed, one)] == []
    assert [one for one in (GOOD, PASSWORD, "", *(f"{one}!" for one in KNOWN)) if breached.holds(listed, one)] == []


@pytest.mark.parametrize("write", [lambda one: one, str.lower, lambda one: f"{one}:1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_lists_of_one_line_are_read_with_and_without_counts(tmp_path: Path, write: Any, end: str) -> None:
    path = tmp_path / "one.txt"
    path.write_bytes((write(digest(GOOD)) + end).encode())
    assert breached.holds(path, GOOD)
    assert not breached.holds(path, PASSWORD)
    path.write_bytes(b"")
    assert not breached.holds(path, GOOD)


def test_of_a_long_list_a_few_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{number:040X}:1\n" for number in range(0, 2**159, 2**159 // 20_000)))
    read: list[bytes] = []
    once = breached._hash
    monkeypatch.setattr(breached, "_hash", lambda line: read.append(line) or once(line))
    breached.holds(path, GOOD)
    assert 10 < len(read) < 30


def test_nobody_sets_one_of_them(listed: Path, alice: Any, client: Client) -> None:
    client.force_login(alice)

    def asked(new: str) -> Any:
        return client.post(
            "/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        )

    assert "found in a breach" in asked(KNOWN[7]).content.decode()
    assert asked(GOOD).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(GOOD)


@pytest.mark.parametrize("content", [None, b"this is a letter\n" * 9, b"\0" * 5000])
def test_a_list_that_cannot_be_read_is_told_at_the_start_and_no_password_is_set(
    listed: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    if content is None:
        listed.unlink()
    else:
        listed.write_bytes(content)
    with pytest.raises(SystemCheckError, match="FARVIEW_BREACHED_PASSWORDS"):
        call_command("check", tags=["security"])
    with pytest.raises(ValidationError, match="cannot be checked"):
        validate_password(GOOD)
    assert "cannot be read" in caplog.text


def test_without_a_list_nothing_is_asked(settings: Any) -> None:
    settings.FARVIEW_BREACHED_PASSWORDS = None
    validate_password(KNOWN[7])
    call_command("check", tags=["security"])
