"""Every kind of damage that somebody with the whole database can do is found by `manage.py verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts import audit, chain
from accounts.insert_only import protect, release
from accounts.models import User
from reporting.evidence.blobs import keep
from reporting.models import Evidence, Report, ReportVersion, TemplateVersion
from reporting.workflow import versions
from reporting.workflow.verifying import problems
from tests.reporting.conftest import PASSWORD
from tests.reporting.talking import done, opened, saved, signed
from tests.reporting.workflow.test_signing import key_image
from viewer.archive.storage import blob_store
from viewer.models import Study

VERSIONS, EVIDENCE = "reporting_reportversion", "reporting_evidence"


def by_hand(statement: str, *values: object, table: str = VERSIONS) -> None:
    """SQL by somebody who took the triggers away first and put them back."""
    release(connection, table)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    protect(connection, table)


def cut_after(sequence: int) -> None:
    """The tail taken off with all that hangs on it, and the report's own row set back."""
    by_hand("DELETE FROM reporting_delivery")
    by_hand(f"DELETE FROM {VERSIONS} WHERE sequence > %s", sequence)
    Report.objects.update(version=sequence, signed_version=sequence, state="final")


@pytest.fixture
def whole(transactional_db: None, at_alice: Client, study: Study) -> dict[str, Any]:
    """A report of seven versions, signed, with a picture and an addendum; nothing is wrong with it."""
    versions._journal.written = float("-inf")
    marked = key_image(at_alice, study)
    report = opened(at_alice, study)
    report = saved(
        at_alice, report, {"findings": f"No bleeding [[key_image:{marked['uid']}|image 1]].", "impression": "x"}
    )
    report = saved(at_alice, report, {"impression": "No bleeding."})
    report = signed(at_alice, report, "preliminary")
    report = signed(at_alice, report)
    report = done(at_alice, report, "addendum", text="Told.", password=PASSWORD)
    assert list(problems()) == []
    assert ReportVersion.objects.count() == 6
    return report


def verify(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    try:
        call_command("verify")
    except SystemExit as stop:
        return int(stop.code or 0), capsys.readouterr().err
    return 0, capsys.readouterr().err


def test_verify_is_content_with_a_sound_report(whole: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify")
    assert "chains of the record and of the reports are whole" in capsys.readouterr().out


def changed(column: str) -> object:
    """Another value of a column, of its own kind."""
    held = ReportVersion.objects.filter(sequence=3).values_list(column, flat=True).get()
    if isinstance(held, dict | list):
        return json.dumps({"findings": "Right."})
    if isinstance(held, int):
        return held + 100
    return "2020-01-01 00:00:00" if column == "at" else f"{held}x"


COLUMNS = [
    name for name in versions.COLUMNS if name not in ("sequence", "report_id", "author_id", "template_version_id")
]


def test_a_changed_column_is_found_and_the_report_named(
    whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for column in COLUMNS:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {VERSIONS} WHERE sequence = 3")
            [held] = cursor.fetchone()
        by_hand(f"UPDATE {VERSIONS} SET {column} = %s WHERE sequence = 3", changed(column))
        number = 103 if column == "number" else 3
        named = f"report: version 3 (report {whole['id']}, version {number}) was changed, or signed with another key"
        assert named in list(problems()), column
        by_hand(f"UPDATE {VERSIONS} SET {column} = %s WHERE sequence = 3", held)
    assert list(problems()) == []
    by_hand(f"UPDATE {VERSIONS} SET reason = 'x' WHERE sequence = 3")
    status, said = verify(capsys)
    assert status == 1
    assert f"version 3 (report {whole['id']}, version 3) was changed" in said


def test_a_version_given_to_another_report_person_or_template_is_found(whole: dict[str, Any], at_alice: Client) -> None:
    User.objects.create_user("mallory")
    opened(at_alice, Study.objects.get(), new=True)
    held = TemplateVersion.objects.first()
    TemplateVersion.objects.create(template=held.template, number=99, schema=held.schema, created_at=held.created_at)
    others = {
        "author_id": User.objects.latest("pk").pk,
        "template_version_id": TemplateVersion.objects.latest("pk").pk,
        "report_id": Report.objects.latest("pk").pk,
    }
    row = ReportVersion.objects.values().get(sequence=3)
    for column, other in others.items():
        by_hand(f"UPDATE {VERSIONS} SET {column} = %s, number = 50 WHERE sequence = 3", other)
        by_hand(f"UPDATE {VERSIONS} SET number = %s WHERE sequence = 3", 50 if column == "report_id" else row["number"])
        assert any(line.startswith("report: version 3") and "was changed" in line for line in problems()), column
        by_hand(f"UPDATE {VERSIONS} SET {column} = %s, number = %s WHERE sequence = 3", row[column], row["number"])


def test_a_version_taken_out_of_the_middle_is_found(whole: dict[str, Any]) -> None:
    by_hand(f"DELETE FROM {VERSIONS} WHERE sequence = 3")
    assert "report: versions 3 to 3 are missing" in list(problems())


def test_a_tail_cut_off_is_found_also_when_the_reports_row_was_set_back(whole: dict[str, Any]) -> None:
    cut_after(5)
    assert list(problems()) == ["report: versions 6 to 6 are missing from the end"]


def test_a_whole_report_taken_out_is_found(whole: dict[str, Any]) -> None:
    by_hand(f"DELETE FROM {EVIDENCE}", table=EVIDENCE)
    by_hand("DELETE FROM reporting_delivery")
    by_hand(f"DELETE FROM {VERSIONS}")
    by_hand("DELETE FROM reporting_report")
    assert list(problems()) == ["report: versions 1 to 6 are missing from the end"]


def test_a_tail_written_anew_with_the_right_key_is_found_by_the_heads(whole: dict[str, Any]) -> None:
    """Somebody who can write into the process's folder of keys, but not back in time."""
    row = ReportVersion.objects.values().get(sequence=6)
    row["content"] = {"addendum": "Nobody was told."}
    forged = versions.mac(versions.CHAIN.key(), row, row["previous_mac"])
    by_hand(f"UPDATE {VERSIONS} SET content = %s, mac = %s WHERE sequence = 6", json.dumps(row["content"]), forged)
    [said] = list(problems())
    assert said.endswith("is not the one that the file of heads remembers")


def test_a_tail_cut_off_and_grown_again_is_found_by_what_was_kept_before(
    whole: dict[str, Any], at_alice: Client, own_folders: Path
) -> None:
    journal = own_folders / "report_heads"
    assert journal.exists()
    journal.write_text(f"{6:020d} {ReportVersion.objects.get(sequence=6).mac} 2026-01-01T00:00:00Z\n")
    cut_after(5)
    done(at_alice, whole, "addendum", text="Something else.", password=PASSWORD)
    [said] = list(problems())
    assert said.startswith("report: version 6 ")
    assert said.endswith("is not the one that the file of heads remembers")


def test_a_chain_recomputed_without_the_key_is_found(whole: dict[str, Any], own_folders: Path) -> None:
    (own_folders / "keys" / "report_key").write_text("00" * 32)
    chain.kept_key.cache_clear()
    assert len([line for line in problems() if "another key" in line]) == 6


def test_the_two_chains_have_keys_of_their_own(whole: dict[str, Any], own_folders: Path) -> None:
    keys = {(own_folders / "keys" / name).read_text() for name in ("audit_key", "report_key")}
    assert len(keys) == 2
    assert audit.verify_chain() == []


def test_a_report_whose_own_row_lies_is_found(whole: dict[str, Any]) -> None:
    for change, back in (
        ("state = 'draft'", "state = 'appended'"),
        ("version = 4", "version = 6"),
        ("signed_version = 4", "signed_version = 6"),
    ):
        by_hand(f"UPDATE reporting_report SET {change}")
        [said] = list(problems())
        assert said.startswith(f"report: report {whole['id']} says ")
        by_hand(f"UPDATE reporting_report SET {back}")
    assert list(problems()) == []


# --- pictures


def test_a_picture_whose_bytes_were_changed_is_found(whole: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    kept = Evidence.objects.order_by("pk").last()
    path = blob_store().path(kept.picture_id)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.unlink()
    path.write_bytes(raw)
    status, said = verify(capsys)
    assert status == 1
    assert f"picture 1 of version {kept.report_version.sequence} (report {whole['id']}" in said
    assert "picture 1 cannot be read" in said or "picture 1 does not show what was signed" in said


def test_a_picture_that_is_gone_is_found(whole: dict[str, Any]) -> None:
    blob_store().path(Evidence.objects.first().picture_id).unlink()
    assert any("picture 1 cannot be read" in line for line in problems())


def test_another_picture_put_in_its_place_is_found(whole: dict[str, Any]) -> None:
    """Sound bytes under their own digest, only not those that were signed."""
    other = keep(imagecodecs.png_encode(np.zeros((64, 64), np.uint8))).row()
    by_hand(f"UPDATE {EVIDENCE} SET picture_id = %s", other.pk, table=EVIDENCE)
    told = list(problems())
    assert any("picture 1 is not as it was signed (picture)" in line for line in told)
    assert any("picture 1 does not show what was signed" in line for line in told)


SAID_OF_A_PICTURE = {
    "caption": "Another place",
    "sha256": "0" * 64,
    "view": '{"frame": 1}',
    "sop_instances": "[]",
    "renderer": "other",
    "rows": 65,
    "measurements": '[{"uid": "1.2"}]',
}


def test_what_is_said_of_a_picture_is_part_of_the_signature(whole: dict[str, Any]) -> None:
    key = Evidence.objects.order_by("-pk").values_list("pk", flat=True).first()
    for column, value in SAID_OF_A_PICTURE.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {EVIDENCE} WHERE id = %s", [key])
            [held] = cursor.fetchone()
        by_hand(f"UPDATE {EVIDENCE} SET {column} = %s WHERE id = %s", value, key, table=EVIDENCE)
        assert any(f"picture 1 is not as it was signed ({column})" in line for line in problems()), column
        by_hand(f"UPDATE {EVIDENCE} SET {column} = %s WHERE id = %s", held, key, table=EVIDENCE)
    assert list(problems()) == []


def test_a_picture_taken_out_or_put_in_is_found(whole: dict[str, Any]) -> None:
    last = Evidence.objects.order_by("-pk").first()
    by_hand(
        f"UPDATE {EVIDENCE} SET report_version_id = %s WHERE id = %s",
        ReportVersion.objects.get(sequence=2).pk,
        last.pk,
        table=EVIDENCE,
    )
    told = list(problems())
    assert any(line.endswith("picture 1 is missing") for line in told)
    assert any(line.endswith("picture 1 was not there when it was signed") for line in told)


def test_numbers_that_a_database_writes_in_its_own_way_keep_their_mac() -> None:
    """jsonb gives 1.0 back as 1.0, 1e16 as a whole number and keys in its own order."""
    one = versions.plain({"b": 1.0, "a": [1e16, -0.0, 0.5], "c": {"z": None}})
    other = versions.plain({"c": {"z": None}, "a": [10**16, 0, 0.5], "b": 1})
    assert chain.mac_of(b"k", [one], "0") == chain.mac_of(b"k", [other], "0")
