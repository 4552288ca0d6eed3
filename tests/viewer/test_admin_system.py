"""Pages about the server as a whole: for whoever operates it, and for nobody else; what is wrong is said in sentences."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, Organization, Role, User
from tests.live import free_port
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from tests.viewer.serving.test_serve import make_certificate
from viewer import system_address, system_disk
from viewer.archive import backup, backup_schedule
from viewer.archive.aside import alone
from viewer.archive.ingest import ingest_file

pytestmark = pytest.mark.usefixtures("store")

NAMES = ("disk", "backups", "mail", "address")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def operator(hospital: Organization) -> Client:
    user = person("operator", hospital, Role.ADMIN)
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=True, email="operator@example.org")
    user.refresh_from_db()
    return signed_in(user)


def page(client: Client, name: str) -> str:
    answer = client.get(f"/admin/system/{name}/")
    assert answer.status_code == 200, name
    return answer.content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_only_an_operator_finds_the_pages(
    name: str, operator: Client, alice: Client, bob: Client, charlie: Client, hospital: Organization
) -> None:
    administrator = signed_in(person("administrator", hospital, Role.ADMIN))
    for client in (alice, bob, charlie, administrator):
        assert client.get(f"/admin/system/{name}/").status_code == 404
    assert Client().get(f"/admin/system/{name}/").status_code == 302
    assert page(operator, name)
    assert "System" not in administrator.get("/admin/").content.decode()


def test_the_first_page_leads_to_all_of_them(operator: Client) -> None:
    found = operator.get("/admin/").content.decode()
    for name in NAMES:
        assert f'href="/admin/system/{name}/"' in found


def test_the_disk_page_counts_what_each_organization_stores(
    operator: Client, hospital: Organization, elsewhere: Organization, tmp_path: Path
) -> None:
    one = save(ct_slice(), tmp_path / "a.dcm")
    other = save(ct_slice("1.9.1.1", "1.9", "1.9.1", Modality="MR"), tmp_path / "b.dcm")
    ingest_file(one, hospital, "ingest", "")
    ingest_file(other, elsewhere, "ingest", "")
    found = re.sub(r"\s+", " ", page(operator, "disk"))
    assert re.search(rf"hospital</th><td>CT</td><td>1</td><td>{one.stat().st_size:,} bytes|hospital</th><td>CT", found)
    assert "elsewhere</th><td>MR</td><td>1</td>" in found
    assert "Doe" not in found
    assert system_disk.stored() == one.stat().st_size + other.stat().st_size


def test_the_disk_is_full_when_what_may_be_filled_is_gone_at_the_rate_of_the_last_days() -> None:
    assert system_disk.days_left(left=300, grown=30, days=30) == 300
    assert system_disk.days_left(left=10, grown=100, days=30) == 3
    assert system_disk.days_left(left=10, grown=0) is None


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1536, "1.5 KiB"), (2**50, "1,024.0 TiB")],
)
def test_sizes_are_said_in_words(size: int, words: str) -> None:
    assert system_disk.in_words(size) == words


def test_a_backup_that_failed_is_on_the_first_page_and_a_sound_one_is_told(
    operator: Client, hospital: Organization, settings: LazySettings, tmp_path: Path
) -> None:
    settings.FARVIEW_DATA_DIR = tmp_path
    made = {"at": "2026-11-22T10:00:00+00:00", "bytes": 2048, "file": "/backups/a.backup", "keys": ["audit_key"]}
    state = {"newest": None, "sound": made | {"encrypted": True}, "problem": None}
    (tmp_path / "backups.json").write_text(json.dumps(state))
    assert "2.0 KiB, /backups/a.backup" in page(operator, "backups")
    assert "failed" not in operator.get("/admin/").content.decode()
    state["problem"] = {"at": "2026-11-22T11:00:00+00:00", "text": "no space left on device"}
    (tmp_path / "backups.json").write_text(json.dumps(state))
    for address in ("/admin/", "/admin/system/backups/"):
        assert "no space left on device" in operator.get(address).content.decode()
    administrator = signed_in(person("administrator", hospital, Role.ADMIN))
    assert "no space left" not in administrator.get("/admin/").content.decode()


def test_an_operator_asks_for_a_backup_and_sees_how_far_it_is(
    operator: Client, alice: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.FARVIEW_DATA_DIR = settings.FARVIEW_TMP_DIR = tmp_path
    assert "Back up now" not in page(operator, "backups")
    settings.FARVIEW_BACKUP_DIR = str(tmp_path)
    assert "Back up now" in page(operator, "backups")
    assert alice.post("/admin/system/backups/").status_code == 404
    assert not backup_schedule.is_asked()
    assert operator.post("/admin/system/backups/").status_code == 302
    assert backup_schedule.is_asked()
    assert AuditEvent.objects.get(action="backup.ask").actor == "operator"
    assert "it begins at once" in page(operator, "backups")
    (tmp_path / "backup.asked").unlink()
    with alone(*backup.LOCK):
        backup._telling(lambda done, total: None)(7, 1200)
        answer = operator.get("/admin/system/backups/")
        assert "7 of 1,200 stored objects" in answer.content.decode()
        assert "Back up now" not in answer.content.decode()
        assert answer["Refresh"] == "3"
    assert backup.running() is None


def test_a_backup_by_somebody_who_proved_long_ago_who_they_are_waits(
    operator: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.FARVIEW_DATA_DIR, settings.FARVIEW_BACKUP_DIR = tmp_path, str(tmp_path)
    user = User.objects.get(username="operator")
    user.set_password("a lantern over the harbour")
    user.save()
    operator.force_login(user)
    session = operator.session
    session["signed_in_at"] = time.time() - 301
    session.save()
    assert operator.post("/admin/system/backups/")["Location"].startswith("/accounts/confirm/")
    assert not backup_schedule.is_asked()


# --- mail


class Letters(Message):
    def __init__(self) -> None:
        super().__init__()
        self.came: list[str] = []

    def handle_message(self, message: object) -> None:
        self.came.append(str(message))


@pytest.fixture
def letters(settings: LazySettings) -> Iterator[Letters]:
    """A mail server that the settings name."""
    handler = Letters()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_PASSWORD = "the-password-of-mail"
    settings.EMAIL_HOST_USER = ""
    yield handler
    controller.stop()


def test_a_test_mail_arrives_and_is_on_the_record(operator: Client, letters: Letters) -> None:
    assert "the-password-of-mail" not in page(operator, "mail")
    answer = operator.post("/admin/system/mail/", {"to": "operator@example.org"})
    assert "The mail server took the test" in answer.content.decode()
    [letter] = letters.came
    assert "operator@example.org" in letter
    assert AuditEvent.objects.get(action="mail.test").outcome == "success"


def test_a_mail_server_that_does_not_answer_is_said_in_words(
    operator: Client, letters: Letters, settings: LazySettings
) -> None:
    settings.EMAIL_PORT = free_port()
    answer = operator.post("/admin/system/mail/", {"to": "operator@example.org"})
    assert "The mail was not sent" in answer.content.decode()
    assert AuditEvent.objects.get(action="mail.test").outcome == "failure"
    assert AuditEvent.objects.filter(action="mail.test.begun").exists()


def test_without_a_mail_server_the_page_says_what_to_set(operator: Client, settings: LazySettings) -> None:
    settings.EMAIL_HOST = ""
    assert "FARVIEW_SMTP_HOST" in page(operator, "mail")


# --- the address


@pytest.mark.parametrize(
    ("url", "ends_in", "level", "said"),
    [
        ("http://farview.hospital.example", None, "error", "travel readable"),
        ("http://localhost:8000", None, "warning", "no other can open it"),
        ("https://farview.hospital.example", 5, "error", "in 5 days"),
        ("https://farview.hospital.example", 20, "warning", "in 20 days"),
        ("https://farview.hospital.example", 90, "good", "in 90 days"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(url: str, ends_in: int | None, level: str, said: str) -> None:
    ends = NOW + timedelta(days=ends_in, hours=1) if ends_in else None
    told = system_address.notes(url, system_address.Opened(ends), NOW)
    assert next(one for one in told if said in one[1])[0] == level


def test_an_address_where_nobody_listens_is_said() -> None:
    found = system_address.opened(f"http://127.0.0.1:{free_port()}", "/static/favicon.svg")
    assert "refused" in found.problem


class Answers(BaseHTTPRequestHandler):
    """Anything that is asked for is there."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *said: object) -> None:
        """Not in the tests' output."""


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An address by TLS, and the certificate that it shows; it ends within a day."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}", certificate
        server.shutdown()


def test_the_certificate_of_an_address_is_looked_at_as_browsers_do(
    encrypted: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = encrypted
    found = system_address.opened(url, "/static/favicon.svg")
    assert "browsers will refuse its certificate" in found.problem
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    found = system_address.opened(url, "/static/favicon.svg")
    assert found.problem == ""
    now = datetime.now(UTC)
    assert found.ends is not None
    assert timedelta(hours=23) < found.ends - now < timedelta(hours=25)
    said = system_address.notes(url, found, now)
    assert ("error", f"The certificate ends on {found.ends:%Y-%m-%d}, in 0 days.") in said
    assert ("good", f"The server opens {url}.") in said


def test_each_key_says_who_may_read_it_and_whether_the_last_backup_holds_it(
    operator: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.FARVIEW_DATA_DIR, settings.FARVIEW_KEYS_DIR = tmp_path, tmp_path / "own keys"
    settings.FARVIEW_KEYS_DIR.mkdir()
    for name, mode in (("audit_key", 0o600), ("report_key", 0o644)):
        path = settings.FARVIEW_KEYS_DIR / name
        path.write_text("c0ffee00" * 8)
        path.chmod(mode)
    made = {"at": "2026-11-22T10:00:00+00:00", "bytes": 1, "file": "a", "keys": ["audit_key"], "encrypted": True}
    (tmp_path / "backups.json").write_text(json.dumps({"newest": None, "sound": made, "problem": None}))
    found = page(operator, "backups")
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", found, re.DOTALL)]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert ["audit_key", today, "its owner", "yes"] in cells
    assert ["report_key", today, "others, too: make it 0600", "no"] in cells
    assert "2026-11-22T10:00:00+00:00" in found
    assert "c0ffee00" not in found
