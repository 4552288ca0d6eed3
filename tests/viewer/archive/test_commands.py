"""`manage.py ingest` and `manage.py verify` as an administrator meets them, and what a kill at any moment leaves."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore
from viewer.models import Blob, Instance, Study

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> int:
    """The command's exit status."""
    try:
        call_command(*(str(one) for one in arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def folder(tmp_path: Path, store: BlobStore) -> Path:
    slices(tmp_path / "cd", 3)
    return tmp_path / "cd"


def test_a_folder_is_taken_in_for_the_default_organization(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "readme.txt").write_text("words, words")
    assert run("ingest", folder) == 0
    told = capsys.readouterr()
    assert told.out.strip() == "3 stored, 1 skipped."
    assert "skipped: " in told.err
    assert "readme.txt: not DICOM" in told.err
    assert Study.objects.get().organization.name == "default"
    assert AuditEvent.objects.filter(action="study.receive", origin="command ingest").count() == 1


def test_an_organization_named_for_the_first_time_is_made(folder: Path) -> None:
    assert run("ingest", folder, "--organization", "clinic") == 0
    assert Study.objects.get().organization == Organization.objects.get(name="clinic")


def test_a_name_that_cannot_name_an_organization_is_refused(folder: Path) -> None:
    with pytest.raises(CommandError, match="cannot name an organization"):
        run("ingest", folder, "--organization", "no spaces")


def test_a_refused_file_gets_a_line_and_the_exit_status_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cut.dcm").write_bytes((folder / "0001.dcm").read_bytes()[:-7])
    assert run("ingest", folder) == 1
    told = capsys.readouterr()
    [line] = [line for line in told.err.splitlines() if line.startswith("refused")]
    assert "cut.dcm: cut short" in line
    assert told.out.strip() == "3 stored, 1 refused."


def test_what_is_not_there_is_refused_and_the_rest_is_taken(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ingest", tmp_path / "nowhere", folder) == 1
    assert "no such file" in capsys.readouterr().err
    assert Instance.objects.count() == 3


def test_conflicts_are_named_and_no_failure(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("ingest", folder)
    other = save(ct_slice(PixelData=b"\1" * 32), tmp_path / "other.dcm")
    assert run("ingest", other) == 0
    told = capsys.readouterr()
    assert "conflict: " in told.err
    assert "1 kept aside as conflicts" in told.out


def test_a_full_disk_stops_with_what_to_do(folder: Path, settings: LazySettings) -> None:
    settings.FARVIEW_MIN_FREE_BYTES = 1 << 60
    with pytest.raises(CommandError, match=r"nearly full.*0 stored.*again"):
        run("ingest", folder)


def test_verify_is_content_with_what_was_stored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("ingest", folder)
    assert run("verify") == 0
    assert "as it was received" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_verify_names_what_is_damaged(
    folder: Path, store: BlobStore, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    run("ingest", folder)
    blob = Instance.objects.get(sop_instance_uid="1.2.3.4.2").blob
    path = store.path(blob.sha256)
    raw = bytearray(path.read_bytes())
    path.unlink()
    raw[len(raw) // 2] ^= 1
    if damage != "remove":
        path.write_bytes(raw if damage == "flip" else raw[:-1])
    assert run("verify") == 1
    told = capsys.readouterr()
    assert blob.sha256 in told.err
    assert "SOP Instance 1.2.3.4.2 of study 1.2.3 in default" in told.err
    assert "1 problem found" in told.out


def test_verify_names_bytes_without_a_row_and_leaves_them(
    folder: Path, store: BlobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    orphan, young = store.root / "aa" / ("a" * 64), store.root / "bb" / ("b" * 64)
    for path in (orphan, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"lost")
    os.utime(orphan, (0, 0))
    assert run("verify") == 0
    told = capsys.readouterr().err
    assert f"blob {'a' * 64} has no row" in told
    assert "b" * 64 not in told
    assert orphan.exists()


def test_verify_reads_conflicts_too(
    folder: Path, store: BlobStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("ingest", folder)
    aside = save(ct_slice(PixelData=b"\1" * 32), tmp_path / "aside.dcm")
    ingest_file(aside, Organization.objects.get(), "ingest", "")
    blob = Blob.objects.get(instances=None)
    store.path(blob.sha256).unlink()
    assert run("verify") == 1
    assert "is missing" in capsys.readouterr().err


def test_verify_reads_the_audit_chain(folder: Path, monkeypatch: pytest.MonkeyPatch, store: BlobStore) -> None:
    run("ingest", folder)
    monkeypatch.setattr("accounts.audit.verify_chain", lambda: ["audit: event 3 was changed"])
    assert run("verify") == 1


# --- in processes of their own


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A data folder for processes of their own, migrated."""
    found = {
        **os.environ,
        "FARVIEW_DATA_DIR": str(tmp_path / "var"),
        "FARVIEW_MIN_FREE_BYTES": "0",
        "FARVIEW_MIN_FREE_FRACTION": "0",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=found, check=True, timeout=120)
    return found


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait(20)
        for stream in (child.stdout, child.stderr):
            if stream:
                stream.close()


def start(
    children: list[subprocess.Popen[str]], environment: dict[str, str], *arguments: object
) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children.append(child)
    return child


def test_no_acknowledged_object_is_lost_when_the_command_is_killed(
    tmp_path: Path, environment: dict[str, str], children: list[subprocess.Popen[str]]
) -> None:
    chance, acknowledged = random.Random(7), set()
    for round_ in range(5):
        folder = tmp_path / str(round_)
        slices(folder, 160, series=f"1.2.3.{round_ + 1}")
        child = start(children, environment, "ingest", folder, "-v2")
        patience = chance.randrange(0, 120)
        for line in child.stderr or ():
            if line.startswith("stored: "):
                acknowledged.add(f"1.2.3.{round_ + 1}.{int(Path(line.split(': ')[1].strip()).stem)}")
                patience -= 1
            if patience <= 0:
                time.sleep(chance.uniform(0, 0.15))
                child.send_signal(signal.SIGKILL)
                acknowledged |= {
                    f"1.2.3.{round_ + 1}.{int(Path(rest.split(': ')[1].strip()).stem)}"
                    for rest in child.stderr or ()
                    if rest.startswith("stored: ") and rest.endswith("\n")
                }
                break
        child.wait(20)
    with sqlite3.connect(tmp_path / "var" / "farview.sqlite3") as database:
        held = {uid for (uid,) in database.execute("SELECT sop_instance_uid FROM viewer_instance")}
        counted = list(
            database.execute(
                "SELECT s.number_of_instances, count(*) FROM viewer_series s JOIN viewer_instance i ON i.series_id = s.id"
                " GROUP BY s.id"
            )
        )
    database.close()
    assert len(acknowledged) > 50
    assert acknowledged - held == set()
    assert all(said == found for said, found in counted)
    verified = start(children, environment, "verify")
    assert verified.wait(60) == 0
    again = start(children, environment, "ingest", *(tmp_path / str(n) for n in range(5)))
    assert again.wait(120) == 0


def test_several_commands_side_by_side_store_each_object_once(
    tmp_path: Path, environment: dict[str, str], children: list[subprocess.Popen[str]]
) -> None:
    slices(tmp_path / "cd", 100)
    commands = [start(children, environment, "ingest", tmp_path / "cd") for _ in range(3)]
    told = [command.communicate(timeout=120) for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], told
    assert not any("locked" in err for _, err in told)
    with sqlite3.connect(tmp_path / "var" / "farview.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM viewer_instance").fetchone() == (100,)
        assert database.execute("SELECT number_of_instances FROM viewer_study").fetchone() == (100,)
    database.close()
