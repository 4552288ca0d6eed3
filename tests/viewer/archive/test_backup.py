"""`manage.py backup` of a server at work, and `manage.py restore` of what it made: nothing that was acknowledged is missing."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import ROOT, LiveServer
from tests.viewer.archive.objects import ct_slice, save, slices

PASSPHRASE = "a passphrase of a backup"
MAIL_SECRET = "the-password-of-the-mail-server"


class Hospital:
    """A server with studies and signed reports, and Alice who reads there."""

    def __init__(self, server: LiveServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.password, self.token = server.user("alice", "radiologist")
        self.session = session_of(self.token)
        self.secret = folder / "passphrase"
        self.secret.write_text(PASSPHRASE + "\n")
        slices(folder / "cd", 5)
        server.manage("ingest", folder / "cd")

    def ask(self, method: str, address: str, body: Any = None, status: int = 200) -> Any:
        answer = self.session.request(method, f"{self.server.url}{address}", json=body, timeout=60)
        assert answer.status_code == status, f"{method} {address}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def upload(self, number: int) -> str:
        """The UID of one more study, acknowledged."""
        uid = f"1.7.{number}"
        image = ct_slice(f"{uid}.1.1", uid, f"{uid}.1", PatientID=f"N{number}", PixelData=os.urandom(32))
        data = save(image, self.folder / "one.dcm").read_bytes()
        answer = self.session.post(f"{self.server.url}/api/uploads/", data=data, timeout=60)
        assert answer.json()["outcomes"][0]["outcome"] == "stored"
        return uid

    def report(self, study: str) -> tuple[int, str]:
        """Number of a report signed on `study`, and its impression."""
        draft = self.ask("POST", "/api/reports/", {"study": study, "template": "free-text"}, 201)
        address, words = f"/api/reports/{draft['id']}/", f"Normal on {study}."
        self.ask("PUT", address, {"based_on": draft["version"], "content": {"impression": words, "findings": "None."}})
        problems = self.ask("GET", f"{address}checks/")["problems"]
        given = sorted({one["rule"] for one in problems if one["level"] == "acknowledge"})
        sign = {"password": self.password, "meaning": "final", "acknowledged": given}
        assert self.ask("POST", f"{address}sign/", sign)["state"] == "final"
        return int(draft["id"]), words

    def picture(self, series: str, server: LiveServer | None = None) -> str:
        address = f"{(server or self.server).url}/api/series/{series}/frame?media_type=image/png"
        answer = self.session.get(address, timeout=120)
        assert answer.status_code == 200, answer.text[:300]
        return hashlib.sha256(answer.content).hexdigest()


def session_of(token: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return session


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    secrets = {"FARVIEW_SMTP_HOST": "127.0.0.1", "FARVIEW_SMTP_PASSWORD": MAIL_SECRET}
    with LiveServer(FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0", **secrets) as server:
        yield Hospital(server, tmp_path_factory.mktemp("hospital"))


@pytest.fixture(scope="module")
def backup(hospital: Hospital) -> Path:
    """A backup of the server at rest."""
    target = hospital.folder / "rest.backup"
    hospital.server.manage("backup", target, "--passphrase-file", hospital.secret)
    return target


def command(data: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py ...` on a data folder of its own."""
    kept = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env={**kept, "FARVIEW_DATA_DIR": str(data), "FARVIEW_DICOM_PORT": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def left_in(data: Path) -> list[str]:
    """What is there beside the folders, the lock and the secret key that every command makes."""
    plain = {"serve.lock", "keys/secret_key"}
    return sorted(n for p in data.rglob("*") if p.is_file() and (n := str(p.relative_to(data))) not in plain)


def test_what_was_acknowledged_before_a_backup_under_load_is_served_after_restoring_it(
    hospital: Hospital, tmp_path: Path
) -> None:
    before = hospital.upload(1)
    reported, words = hospital.report(before)
    picture = hospital.picture("1.2.3.4")
    stop, come = threading.Event(), []

    def load() -> None:
        number = 100
        while not stop.is_set():
            come.append(hospital.upload(number))
            if number % 5 == 0:
                hospital.report(come[-1])
            number += 1

    loading = threading.Thread(target=load)
    loading.start()
    while len(come) < 3:
        time.sleep(0.02)
    sure = len(come)
    made = hospital.server.manage("backup", tmp_path / "all", "--passphrase-file", hospital.secret)
    during = len(come)
    stop.set()
    loading.join(60)
    assert "keys hidden by the passphrase" in made.stdout
    assert during > sure  # images came in while it was made

    data = tmp_path / "restored"
    done = command(data, "restore", tmp_path / "all", "--passphrase-file", hospital.secret)
    assert done.returncode == 0, done.stderr
    assert "Everything stored is as it was received" in done.stdout
    with LiveServer(data) as restored:
        held = {
            one["0020000D"]["Value"][0]
            for one in hospital.session.get(f"{restored.url}/dicom-web/studies", timeout=60).json()
        }
        assert {before, *come[:sure]} <= held
        report = hospital.session.get(f"{restored.url}/api/reports/{reported}/", timeout=60).json()
        assert report["state"] == "final"
        assert words in str(report)
        assert hospital.picture("1.2.3.4", restored) == picture
        page = requests.Session()
        page.trust_env = False
        page.get(f"{restored.url}/accounts/sign-in/", timeout=60)
        token = next(value for name, value in page.cookies.items() if name.startswith("farview_csrf"))
        form = {"username": "alice", "password": hospital.password, "csrfmiddlewaretoken": token}
        answer = page.post(
            f"{restored.url}/accounts/sign-in/", data=form, headers={"Referer": restored.url}, timeout=60
        )
        assert "Sign out" in answer.text
        assert command(data, "verify").returncode == 0


def test_a_backup_is_readable_by_its_owner_alone_and_is_on_the_record(hospital: Hospital, backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(hospital.server.data / "farview.sqlite3") as rows:
        [(count,)] = rows.execute("SELECT count(*) FROM accounts_auditevent WHERE action = 'backup.make'")
    assert count >= 1
    assert (
        "is whole" in hospital.server.manage("backup", "--check", backup, "--passphrase-file", hospital.secret).stdout
    )


def test_no_secret_stands_in_a_command_line_a_log_an_answer_or_an_error_page(
    hospital: Hospital, tmp_path: Path
) -> None:
    server = hospital.server
    keys = {path.read_text().strip() for path in (server.data / "keys").iterdir() if path.is_file()}
    secrets = {one.encode() for one in (*keys, hospital.password, hospital.token, PASSPHRASE, MAIL_SECRET)}
    assert len(secrets) >= 6
    told = {}
    command = [sys.executable, "manage.py", "backup", str(tmp_path / "file"), "--passphrase-file", str(hospital.secret)]
    with subprocess.Popen(
        command, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as one:
        while one.poll() is None:
            told |= command_lines(server.data)
            time.sleep(0.1)
        told["said by backup"] = one.stdout.read() if one.stdout else b""
    assert sum(b"manage.py" in line for line in told.values()) >= 2  # serve and backup
    for method, address, body in ASKED:
        answer = hospital.session.request(method, f"{server.url}{address}", data=body, timeout=60)
        told[f"{method} {address} {answer.status_code}"] = repr(answer.headers).encode() + answer.content
    told["log"] = server.log().encode()
    told["state"] = (server.data / "backups.json").read_bytes()
    assert [where for where, text in told.items() for secret in secrets if secret in text] == []


ASKED = (
    *(
        ("GET", path, "")
        for path in ("/", "/api/me/", "/api/schema/", "/api/nothing/", "/studies/%00/", "/healthz", "/metrics")
    ),
    *(
        ("GET", path, "")
        for path in ("/admin/", "/api/tokens/", "/fhir/metadata", "/api/series/1.2.3.4/frame?view={", "/launch?x=")
    ),
    ("POST", "/api/reports/", "{"),
    ("POST", "/api/uploads/", "no image"),
    ("PUT", "/api/reports/1/", "[]"),
    ("POST", "/accounts/sign-in/", "username=alice&password=wrong"),
)


def command_lines(data: Path) -> dict[str, bytes]:
    """Of every process that works on this data folder, as everybody on the machine can read them."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"FARVIEW_DATA_DIR={data}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found[process.name] = (process / "cmdline").read_bytes()
        except OSError:  # it ended, or is somebody else's
            continue
    return found


def test_without_a_passphrase_the_backup_says_that_its_keys_can_be_read(hospital: Hospital, tmp_path: Path) -> None:
    told = hospital.server.manage("backup", tmp_path / "clear")
    assert "keep it where nobody else gets at it" in told.stderr
    assert "keep it" not in hospital.server.manage("backup", tmp_path / "clear", "--keys-in-clear").stderr
    assert command(tmp_path / "data", "restore", tmp_path / "clear").returncode == 0


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda whole: whole[: len(whole) // 2], "cut off"),
        (lambda whole: whole[:-1024], "cut off"),
        (lambda whole: whole[:-2000] + bytes([whole[-2000] ^ 1]) + whole[-1999:], "cannot be restored"),
        (lambda whole: b"no backup at all" * 99, "no backup of Farview"),
        (lambda whole: b"", "cut off"),
    ],
    ids=["half", "no end", "altered", "another file", "empty"],
)
def test_a_file_that_is_not_whole_is_refused_and_leaves_nothing(
    hospital: Hospital, backup: Path, tmp_path: Path, harm: Any, said: str
) -> None:
    harmed = tmp_path / "harmed"
    harmed.write_bytes(harm(backup.read_bytes()))
    done = command(tmp_path / "data", "restore", harmed, "--passphrase-file", hospital.secret)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert left_in(tmp_path / "data") == []


def test_a_wrong_or_missing_passphrase_is_refused_and_leaves_nothing(backup: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    for arguments, said in ((("--passphrase-file", wrong), "passphrase is another one"), ((), "--passphrase-file")):
        done = command(tmp_path / "data", "restore", backup, *arguments)
        assert done.returncode != 0
        assert said in done.stderr
        assert left_in(tmp_path / "data") == []


def test_a_folder_that_holds_an_archive_is_refused_and_stays_as_it_is(hospital: Hospital, backup: Path) -> None:
    done = command(hospital.server.data, "restore", backup, "--passphrase-file", hospital.secret)
    assert done.returncode != 0
    assert "already uses the data folder" in done.stderr
    hospital.server.manage("verify")


def test_a_folder_with_stored_objects_or_keys_but_no_database_is_refused(
    hospital: Hospital, backup: Path, tmp_path: Path
) -> None:
    for held in (f"blob/aa/{'a' * 64}", "keys/audit_key"):
        data = tmp_path / held.partition("/")[0]
        (data / held).parent.mkdir(parents=True)
        (data / held).write_text("something")
        done = command(data, "restore", backup, "--passphrase-file", hospital.secret)
        assert done.returncode != 0
        assert "there are" in done.stderr
        assert left_in(data) == [held]


def test_heads_that_are_later_than_the_backup_tell_what_was_lost(
    hospital: Hospital, backup: Path, tmp_path: Path
) -> None:
    hospital.upload(50)
    data = tmp_path / "data"
    data.mkdir()
    (data / "audit_head").write_bytes((hospital.server.data / "audit_head").read_bytes())
    done = command(data, "restore", backup, "--passphrase-file", hospital.secret)
    assert done.returncode == 1
    assert "missing from the end" in done.stderr or "not the one that the file of heads remembers" in done.stderr


def test_a_backup_that_is_killed_leaves_the_one_before_it(hospital: Hospital, tmp_path: Path) -> None:
    target = tmp_path / "daily"
    hospital.server.manage("backup", target)
    whole = target.read_bytes()
    running = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(target)],
        cwd=ROOT,
        env=hospital.server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list(tmp_path.glob(".daily.*")) and running.poll() is None:
        time.sleep(0.0005)
    running.send_signal(signal.SIGKILL)
    running.wait(20)
    if running.returncode == -signal.SIGKILL:
        assert target.read_bytes() == whole
    hospital.server.manage("backup", target)
    assert os.listdir(tmp_path) == ["daily"]


def test_a_file_that_is_no_backup_is_not_written_over(hospital: Hospital, tmp_path: Path) -> None:
    target = tmp_path / "letters.txt"
    target.write_text("Dear Sir")
    done = command(hospital.server.data, "backup", target)
    assert done.returncode != 0
    assert "left as it is" in done.stderr
    assert target.read_text() == "Dear Sir"


def test_a_damaged_object_is_named_and_keeps_nothing_else_away(hospital: Hospital, tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    hospital.server.manage("backup", clean)
    data = tmp_path / "data"
    assert command(data, "restore", clean).returncode == 0
    objects = sorted(data.glob("blob/??/*"))
    size = objects[0].stat().st_size
    objects[0].chmod(0o600)
    objects[0].write_bytes(bytes(size))
    objects[1].unlink()
    done = command(data, "backup", tmp_path / "damaged")
    assert done.returncode != 0
    for held in objects[:2]:
        assert f"blob {held.name}" in done.stderr
    again = command(tmp_path / "again", "restore", tmp_path / "damaged")
    assert again.returncode == 1  # verify names them
    assert len(list((tmp_path / "again").glob("blob/??/*"))) == len(objects) - 2
    assert again.stderr.count("was not in the backup") == 2
