"""The record: only ever added to, and whoever changes it is found out."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections, transaction

from accounts import audit
from accounts.insert_only import protect, release
from accounts.models import AuditEvent, Role
from tests.accounts.conftest import person

TABLE = "accounts_auditevent"


def write(count: int) -> None:
    for number in range(count):
        audit.record("study.view", actor="alice", study_instance_uid=f"1.2.{number}")


def as_owner_of_the_database(statement: str) -> None:
    """SQL by somebody who took the triggers away first and put them back."""
    release(connection, TABLE)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    protect(connection, TABLE)


def test_an_event_says_who_as_what_from_where_did_what_to_whom(rf, alice):
    alice.memberships.create(organization=person("x", ("far", Role.ADMIN)).memberships.get().organization, role="admin")
    event = audit.record(
        "study.view",
        actor=alice,
        request=rf.get("/", REMOTE_ADDR="10.0.0.9"),
        organization="default",
        patient_id="P1",
        study_instance_uid="1.2",
        outcome="denied",
        detail={"why": "far away", "list": (1, 2), "half": 0.5},
    )
    event.refresh_from_db()
    assert (event.actor, event.role, event.origin, event.outcome) == ("alice", "radiologist", "10.0.0.9", "denied")
    assert (event.organization, event.patient_id, event.study_instance_uid) == ("default", "P1", "1.2")
    assert event.detail == {"why": "far away", "list": [1, 2], "half": "0.5"}
    assert audit.record("x", actor=alice).role == "admin,radiologist"
    assert audit.record("x", actor=None, request={"client": ["10.0.0.8", 1], "headers": []}).origin == "10.0.0.8"


def test_a_sound_chain_has_nothing_to_say(db):
    assert audit.verify_chain() == []
    write(5)
    assert audit.verify_chain() == []
    assert list(AuditEvent.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["Łódź 病院", "\0\ud800\x1f\"'\\", "x" * 1000])
def test_any_text_can_be_written_down_and_read_back_unchanged(db, text):
    audit.record("upload", actor=text, object_uid=text, detail={text: [text, {"number": 2**60, "empty": None}]})
    assert audit.verify_chain() == []


@pytest.mark.parametrize(
    "statement",
    [f"UPDATE {TABLE} SET actor = 'bob'", f"DELETE FROM {TABLE}", f"UPDATE {TABLE} SET detail = detail"],
)
def test_the_database_itself_refuses_to_change_or_to_forget(db, statement):
    write(1)
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.get().actor == "alice"


def test_the_program_cannot_change_an_event_either(db):
    write(1)
    event = AuditEvent.objects.get()
    for act in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
            act()


@pytest.mark.parametrize("column", [name for name in audit.COLUMNS if name not in {"sequence", "at", "detail"}])
def test_a_changed_column_is_found(db, column):
    write(3)
    as_owner_of_the_database(f"UPDATE {TABLE} SET {column} = 'other' WHERE sequence = 2")
    assert audit.verify_chain() == ["audit: event 2 was changed, or signed with another key"]


@pytest.mark.parametrize("change", ["at = '2020-01-01 00:00:00'", 'detail = \'{"by": "x"}\''])
def test_a_changed_time_or_detail_is_found(db, change):
    write(3)
    as_owner_of_the_database(f"UPDATE {TABLE} SET {change} WHERE sequence = 2")
    assert audit.verify_chain() == ["audit: event 2 was changed, or signed with another key"]


def test_an_event_taken_out_of_the_middle_is_found(db):
    write(4)
    as_owner_of_the_database(f"DELETE FROM {TABLE} WHERE sequence IN (2, 3)")
    problems = audit.verify_chain()
    assert problems[0] == "audit: events 2 to 3 are missing"


def test_events_that_changed_places_are_found(db):
    write(3)
    as_owner_of_the_database(f"UPDATE {TABLE} SET sequence = 99 WHERE sequence = 2")
    as_owner_of_the_database(f"UPDATE {TABLE} SET sequence = 2 WHERE sequence = 3")
    as_owner_of_the_database(f"UPDATE {TABLE} SET sequence = 3 WHERE sequence = 99")
    assert audit.verify_chain()


def test_a_tail_cut_off_is_found_by_the_files_beside_the_database(transactional_db):
    write(5)
    as_owner_of_the_database(f"DELETE FROM {TABLE} WHERE sequence > 3")
    assert audit.verify_chain() == ["audit: events 4 to 5 are missing from the end"]


def test_an_emptied_record_is_found(transactional_db):
    write(2)
    as_owner_of_the_database(f"DELETE FROM {TABLE}")
    assert audit.verify_chain() == ["audit: events 1 to 2 are missing from the end"]


def test_a_tail_cut_off_and_written_anew_is_found(transactional_db):
    write(3)
    as_owner_of_the_database(f"DELETE FROM {TABLE} WHERE sequence > 2")
    last = AuditEvent.objects.get(sequence=2)
    forged = AuditEvent(sequence=3, previous_mac=last.mac, action="study.view", outcome="success", at=last.at)
    forged.mac = audit._mac(audit._key(), {name: getattr(forged, name) for name in audit.COLUMNS}, last.mac)
    forged.save(force_insert=True)
    assert audit.verify_chain() == ["audit: event 3 is not the one that the file of heads remembers"]


def test_a_tail_cut_off_and_grown_again_is_found_by_what_was_kept_before(transactional_db, own_chain: Path):
    write(2)
    (own_chain / "audit_heads").write_text(f"{2:020d} {'a' * 64} 2026-01-01T00:00:00Z\n")
    write(3)
    assert audit.verify_chain() == ["audit: event 2 is not the one that the file of heads remembers"]


def test_a_chain_recomputed_without_the_key_is_found(db, own_chain: Path):
    write(3)
    (own_chain / "keys" / "audit_key").write_text("00" * 32)
    audit._kept_key.cache_clear()
    assert len(audit.verify_chain()) == 3


def test_a_long_list_of_damage_is_cut_and_counted(db, own_chain: Path):
    write(audit.PROBLEMS_SHOWN + 5)
    (own_chain / "keys" / "audit_key").write_text("00" * 32)
    audit._kept_key.cache_clear()
    assert audit.verify_chain()[-1] == "audit: and 5 more of the same kind"


def test_a_torn_line_of_the_files_is_passed_over(transactional_db, own_chain: Path):
    write(2)
    (own_chain / "audit_heads").write_text("0000000000000000")
    (own_chain / "audit_head").write_bytes(b"\0\xff")
    assert audit.verify_chain() == []
    write(1)
    assert [head.sequence for head in audit.kept_heads()] == [3]


def test_the_newest_head_never_goes_back(db):
    audit._keep_head(audit.Head(7, "a" * 64))
    audit._keep_head(audit.Head(6, "b" * 64))
    assert next(iter(audit.kept_heads())) == audit.Head(7, "a" * 64)


def test_an_act_that_did_not_happen_leaves_no_event_and_no_gap(transactional_db):
    write(1)
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)
    write(1)
    assert list(AuditEvent.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]
    assert audit.verify_chain() == []


def test_a_full_disk_beside_the_database_does_not_undo_the_act(transactional_db, monkeypatch, caplog):
    def full(head: audit.Head) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit, "_keep_head", full)
    write(1)
    assert AuditEvent.objects.count() == 1
    assert "No space left" in caplog.text


def test_key_and_heads_are_for_their_owner_alone(transactional_db, own_chain: Path):
    write(1)
    for name in ("keys/audit_key", "audit_head", "audit_heads"):
        assert stat.S_IMODE((own_chain / name).stat().st_mode) == 0o600


def test_many_makers_of_the_key_agree_on_one(own_chain: Path):
    keys = []
    makers = [
        threading.Thread(target=lambda: keys.append(audit._kept_key.__wrapped__(own_chain / "k"))) for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [path.name for path in own_chain.iterdir()] == ["k"]


def test_writers_in_several_threads_leave_one_sound_chain(transactional_db):
    """Four threads, each with its own connection to the file, each in its own transactions."""
    troubles: list[BaseException] = []

    def keep_writing() -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    write(2)
        except BaseException as trouble:
            troubles.append(trouble)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=keep_writing) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert AuditEvent.objects.count() == 80
    assert audit.verify_chain() == []
