"""Every mail that leaves: plain text, a subject of its own words, a link, and nothing of a patient; whatever names hold.

The forty texts stand in the names of people and organizations, and in everything that a study says of its patient.
"""

from __future__ import annotations

import email
from collections.abc import Callable
from email import policy
from email.message import EmailMessage as Read
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts import recovery
from accounts.models import Membership, Organization, Role, User
from reporting.delivery import to_mail
from reporting.delivery.outcomes import Outgoing
from tests.browser.hostile import STRINGS
from viewer.archive import emergency
from viewer.models import EmergencyAccess, Patient, Study

ADDRESS = "https://farview.example"
HEADERS = {"Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


@pytest.fixture(autouse=True)
def at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is named, and what would leave beside leaves now."""
    settings.EMAIL_HOST, settings.FARVIEW_PUBLIC_URL = "mail.example", ADDRESS

    class Now:
        def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), **_: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(recovery, "Thread", Now)
    monkeypatch.setattr(emergency.threading, "Thread", Now)
    monkeypatch.setattr(emergency, "get_connection", lambda **_: mail.get_connection())


@pytest.fixture(params=range(len(STRINGS)), ids=lambda number: f"text {number + 1}")
def text(request: pytest.FixtureRequest) -> str:
    return STRINGS[request.param].replace("\0", "\ufffd")[:150]


@pytest.fixture
def access(db: None, text: str) -> EmergencyAccess:
    """Somebody of that name opened a study in which everything is that text."""
    home = Organization.objects.create(name="home", title=text)
    patient = Patient.objects.create(organization=home, patient_id=f"PID {text}"[:64], name=f"Geheim {text}")
    study = Study.objects.create(
        organization=home,
        patient=patient,
        study_instance_uid="1.2.3.77",
        accession_number=f"ACC {text}"[:64],
        description=f"Befund {text}",
    )
    boss = User.objects.create_user("boss", email="boss@example.org")
    Membership.objects.create(user=boss, organization=home, role=Role.ADMIN)
    user = User.objects.create_user(text, email="person@example.org", first_name=text[:100])
    return EmergencyAccess.objects.create(
        organization=home, study=study, user=user, reason=f"Grund {text}", until=timezone.now()
    )


def sent(messages: list[EmailMessage]) -> Read:
    """As its reader's program takes it apart."""
    (one,) = messages
    read = email.message_from_bytes(one.message().as_bytes(), policy=policy.default)
    assert isinstance(read, Read)
    return read


def is_sound(read: Read, to: str) -> None:
    assert read.get_content_type() == "text/plain", "no part of it is taken for markup"
    assert not read.is_multipart()
    assert set(read.keys()) <= {*HEADERS, "Auto-Submitted"}
    assert len(read.get_all("To", [])) == len(read.get_all("Subject", [])) == 1
    assert read["To"] == to
    assert ADDRESS + "/" in read.get_content()
    whole = read.as_string()
    for word in ("PID ", "Geheim", "ACC ", "Befund", "Grund", "1.2.3.77"):
        assert word not in whole


def test_an_emergency_tells_administrators_where_to_look_and_no_more(access: EmergencyAccess) -> None:
    emergency._tell_by_mail(access)
    read = sent(mail.outbox)
    is_sound(read, "boss@example.org")
    assert read["Subject"] == "A study was opened in an emergency"


def test_mails_about_an_account_are_a_link(access: EmergencyAccess) -> None:
    for words in (recovery.FORGOTTEN, recovery.FACTORS_GONE):
        mail.outbox.clear()
        recovery.tell(access.user, "A new password", words, f"{ADDRESS}/accounts/x/")
        read = sent(mail.outbox)
        is_sound(read, "person@example.org")
        assert read["Subject"] == "Farview: A new password"


def test_a_mail_that_a_report_is_ready_is_a_link(text: str) -> None:
    options = {"signed_as": text}
    outgoing = Outgoing("FV1", b"PID|Geheim", "x@example.org", options, text, 17, ("bob@example.org",))
    read = sent([to_mail.message_of(outgoing)])
    is_sound(read, "bob@example.org")
    assert read["Subject"] == to_mail.SUBJECT


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_an_address_with_a_line_end_gets_nothing_and_hinders_nobody(db: None, line_end: str) -> None:
    """Pages and commands refuse such an address; here it stands in a row all the same."""
    home = Organization.objects.create(name="home")
    for name, address in (("a", f"a@example.org{line_end}Bcc: evil@example.org"), ("b", "b@example.org")):
        user = User.objects.create_user(name)
        User.objects.filter(pk=user.pk).update(email=address)
        Membership.objects.create(user=user, organization=home, role=Role.ADMIN)
    patient = Patient.objects.create(organization=home, patient_id="1")
    study = Study.objects.create(organization=home, patient=patient, study_instance_uid="1.2.3")
    access = EmergencyAccess.objects.create(
        organization=home, study=study, user=User.objects.get(username="a"), reason="x", until=timezone.now()
    )
    emergency._tell_by_mail(access)
    recovery.tell(User.objects.get(username="a"), "A new password", recovery.FORGOTTEN, "x")
    assert [one.to for one in mail.outbox] == [["b@example.org"]]
