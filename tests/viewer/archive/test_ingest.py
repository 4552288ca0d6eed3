"""Taking objects in: what becomes a row, what is kept aside, and that nothing is acknowledged before it is safe."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless, JPEGLSNearLossless

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from viewer.archive import patience, rows, storage
from viewer.archive.ingest import Outcome, ingest, ingest_file, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender
from viewer.archive.sources import walk
from viewer.archive.storage import BlobStore, StorageFull
from viewer.models import Blob, Conflict, Instance, Outbox, Patient, Series, Study

pytestmark = pytest.mark.usefixtures("store")


def take(sender: Sender, *paths: Path, batch: int = 48) -> list[Outcome]:
    return [outcome for path in paths for outcome in ingest(walk(path), sender, batch=batch)]


def outcomes(told: list[Outcome]) -> list[str]:
    return [outcome.outcome for outcome in told]


def counts() -> tuple[int, ...]:
    tables = (Patient, Study, Series, Instance, Blob, Conflict, AuditEvent, Outbox)
    return tuple(table.objects.count() for table in tables)


def test_a_series_becomes_rows_and_bytes(sender: Sender, store: BlobStore, tmp_path: Path) -> None:
    slices(tmp_path / "in", 5)
    assert outcomes(take(sender, tmp_path / "in")) == ["stored"] * 5
    patient, study, series = Patient.objects.get(), Study.objects.get(), Series.objects.get()
    assert (patient.patient_id, patient.name, patient.name_folded, patient.only_study_uid) == (
        "P1",
        "Doe^Jane",
        "doe jane",
        "",
    )
    assert (study.study_instance_uid, study.modalities, study.number_of_series, study.number_of_instances) == (
        "1.2.3",
        "CT",
        1,
        5,
    )
    assert (series.number_of_instances, series.number_of_frames, series.version) == (5, 5, 1)
    assert {instance.organization for instance in Instance.objects.all()} == {sender.organization}
    assert all(store.damage(blob.sha256, blob.size) is None for blob in Blob.objects.all())


def test_a_file_named_alone_is_taken_in_and_left_where_it_is(sender: Sender, tmp_path: Path) -> None:
    path = save(ct_slice(), tmp_path / "a.dcm")
    told = ingest_file(path, sender.organization, "ingest", "a test")
    assert (told.outcome, told.study_instance_uid, told.sop_instance_uid) == ("stored", "1.2.3", "1.2.3.4.1")
    assert path.exists()


def test_sending_again_changes_nothing(sender: Sender, tmp_path: Path) -> None:
    slices(tmp_path / "in", 30)
    take(sender, tmp_path / "in")
    before = counts()
    for batch in (1, 7, 48):
        assert outcomes(take(sender, tmp_path / "in", batch=batch)) == ["duplicate"] * 30
    assert counts() == before


def test_one_batch_may_hold_the_same_object_twice(sender: Sender, tmp_path: Path) -> None:
    save(ct_slice(), tmp_path / "in" / "a.dcm")
    save(ct_slice(), tmp_path / "in" / "b.dcm")
    save(ct_slice(InstanceNumber=2), tmp_path / "in" / "c.dcm")
    assert outcomes(take(sender, tmp_path / "in")) == ["stored", "duplicate", "conflict"]
    assert Instance.objects.count() == 1


# --- nothing acknowledged is lost


def test_the_reply_comes_after_the_commit_and_the_commit_after_the_disk(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real = {"fsync": os.fsync, "replace": os.replace}

    def sync(handle: int) -> None:
        steps.append("fsync folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "fsync file")
        real["fsync"](handle)

    def replace(source: Any, target: Any) -> None:
        steps.append("rename")
        real["replace"](source, target)

    def committed(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "RELEASE")):
            steps.append("database")
        return execute(sql, *rest)

    monkeypatch.setattr(storage.os, "fsync", sync)
    monkeypatch.setattr(storage.os, "replace", replace)
    slices(tmp_path / "in", 3)
    with connection.execute_wrapper(committed):
        for outcome in ingest(walk(tmp_path / "in"), sender):
            steps.append(f"told {outcome.outcome}")
    durable = [step for step in steps if step != "database"]
    assert durable[-3:] == ["told stored"] * 3
    assert steps[-4] == "database", "the last thing before the reply is the transaction"
    first_row = steps.index("database")
    assert durable.count("rename") == durable.count("fsync file") == 3
    assert max(i for i, step in enumerate(steps) if step.startswith(("fsync", "rename"))) < first_row
    last_rename = max(i for i, step in enumerate(steps) if step == "rename")
    assert steps.index("fsync file") < steps.index("rename")
    assert "fsync folder" in steps[last_rename:first_row]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "fchmod"])
@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_fault_at_any_call_is_never_answered_with_success(
    sender: Sender, store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    slices(tmp_path / "in", 2)
    real, seen, lock = getattr(os, call), [0], threading.Lock()

    def faulty(*args: Any, **kwargs: Any) -> Any:
        with lock:
            seen[0] += 1
            now = seen[0]
        if now == number:
            raise OSError(errno.EIO, "Input/output error")
        return real(*args, **kwargs)

    told: list[Outcome] = []
    with monkeypatch.context() as patched:
        patched.setattr(storage.os, call, faulty)
        try:
            for outcome in ingest(walk(tmp_path / "in"), sender):
                told.append(outcome)
        except OSError:
            pass
    acknowledged = {outcome.sop_instance_uid for outcome in told if outcome.outcome in {"stored", "duplicate"}}
    held = {row.sop_instance_uid: row.blob for row in Instance.objects.select_related("blob")}
    assert acknowledged <= set(held)
    assert all(store.damage(blob.sha256, blob.size) is None for blob in held.values())
    assert list(store.incoming.glob("*")) == []
    assert set(outcomes(take(sender, tmp_path / "in"))) <= {"stored", "duplicate"}
    assert Instance.objects.count() == 2


def test_a_transaction_that_fails_acknowledges_nothing(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices(tmp_path / "in", 3)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no audit, no rows")

    with monkeypatch.context() as patched:
        patched.setattr("accounts.audit.record", refuse)
        told = []
        with pytest.raises(RuntimeError, match="no audit"):
            told += ingest(walk(tmp_path / "in"), sender)
    assert told == []
    assert counts() == (0,) * 8


def test_an_object_that_the_database_will_not_have_costs_itself_alone(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices(tmp_path / "in", 5)
    real = rows._instance

    def picky(arrival: Any, *rest: Any) -> Instance:
        if arrival.parsed.sop_instance_uid == "1.2.3.4.3":
            raise DataError("value too long")
        return real(arrival, *rest)

    monkeypatch.setattr(rows, "_instance", picky)
    told = take(sender, tmp_path / "in")
    assert outcomes(told) == ["stored", "stored", "refused", "stored", "stored"]
    assert "could not be recorded" in told[2].reason
    assert Series.objects.get().number_of_instances == Instance.objects.count() == 4


def test_a_full_disk_stops_the_ingest_and_what_was_told_before_is_held(
    sender: Sender, store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices(tmp_path / "in", 6)
    real, told = os.write, []

    def full_after_four(handle: int, data: Any) -> int:
        if len(told) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    with monkeypatch.context() as patched:
        patched.setattr(storage.os, "write", full_after_four)
        with pytest.raises(StorageFull):
            told.extend(ingest(walk(tmp_path / "in"), sender, batch=2))
    assert outcomes(told) == ["stored"] * 4
    assert Instance.objects.count() == 4
    assert list(store.incoming.glob("*")) == []
    assert outcomes(take(sender, tmp_path / "in")) == ["duplicate"] * 4 + ["stored"] * 2


def test_sending_again_mends_bytes_that_were_damaged_on_disk(sender: Sender, store: BlobStore, tmp_path: Path) -> None:
    path = save(ct_slice(), tmp_path / "a.dcm")
    take(sender, path)
    blob = Blob.objects.get()
    stored = store.path(blob.sha256)
    stored.chmod(0o600)
    stored.write_bytes(b"\0" * blob.size)
    assert outcomes(take(sender, path)) == ["duplicate"]
    assert store.damage(blob.sha256, blob.size) is None


def with_another_header(path: Path, copy: Path) -> Path:
    """The same data set, as another writer's file."""
    image = pydicom.dcmread(path)
    image.file_meta.ImplementationVersionName = "ANOTHER"
    image.file_meta.SourceApplicationEntityTitle = "SCANNER"
    pydicom.dcmwrite(copy, image, enforce_file_format=True)
    assert copy.read_bytes() != path.read_bytes()
    return copy


def test_the_same_data_set_under_another_header_is_a_duplicate(
    sender: Sender, store: BlobStore, tmp_path: Path
) -> None:
    first = save(ct_slice(), tmp_path / "a.dcm")
    take(sender, first)
    rewritten = with_another_header(first, tmp_path / "b.dcm")
    assert outcomes(take(sender, rewritten)) == ["duplicate"]
    assert not Conflict.objects.exists()
    assert store.path(Blob.objects.get().sha256).read_bytes() == first.read_bytes()
    assert list(store.incoming.iterdir()) == []


def test_another_header_does_not_make_a_damaged_copy_a_sound_one(
    sender: Sender, store: BlobStore, tmp_path: Path
) -> None:
    first = save(ct_slice(), tmp_path / "a.dcm")
    take(sender, first)
    stored = store.path(Blob.objects.get().sha256)
    stored.chmod(0o600)
    stored.write_bytes(b"\1" + first.read_bytes()[1:])  # in the preamble: the data set is as it was
    rewritten = with_another_header(first, tmp_path / "b.dcm")
    assert outcomes(take(sender, rewritten)) == ["conflict"]
    assert store.path(Conflict.objects.get().blob_id).read_bytes() == rewritten.read_bytes()


def test_the_same_bytes_said_to_be_in_another_syntax_are_a_conflict(sender: Sender, tmp_path: Path) -> None:
    image = ct_slice()
    image.PixelData = encapsulate([b"\xff\xd8\xff\xf7" + bytes(60)])
    first = save(image, tmp_path / "a.dcm", JPEGLSLossless)
    assert outcomes(take(sender, first)) == ["stored"]
    other = tmp_path / "b.dcm"
    other.write_bytes(first.read_bytes().replace(JPEGLSLossless.encode(), JPEGLSNearLossless.encode(), 1))
    assert outcomes(take(sender, other)) == ["conflict"]


# --- conflicts


def test_other_bytes_under_a_known_uid_are_kept_aside_and_the_first_stay(
    sender: Sender, store: BlobStore, tmp_path: Path
) -> None:
    first, later = save(ct_slice(), tmp_path / "a.dcm"), save(ct_slice(PixelData=b"\1" * 32), tmp_path / "b.dcm")
    take(sender, first)
    version = Series.objects.get().version
    for _ in range(2):
        [told] = take(sender, later)
        assert told.outcome == "conflict"
        assert "first stay" in told.reason
    conflict, instance = Conflict.objects.get(), Instance.objects.get()
    assert store.path(instance.blob_id).read_bytes() == first.read_bytes()
    assert store.path(conflict.blob_id).read_bytes() == later.read_bytes()
    assert (conflict.instance, conflict.study) == (instance, Study.objects.get())
    assert Series.objects.get().version == version
    assert AuditEvent.objects.filter(action="study.receive").last().detail["conflicts"] == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"series": "1.2.3.5"}, "another series"), ({"study": "1.2.9", "series": "1.2.9.1"}, "another study")],
)
def test_a_uid_that_lives_elsewhere_in_the_organization_is_a_conflict(
    sender: Sender, tmp_path: Path, changed: dict[str, str], reason: str
) -> None:
    take(sender, save(ct_slice(), tmp_path / "a.dcm"))
    [told] = take(sender, save(ct_slice(**changed), tmp_path / "b.dcm"))
    assert (told.outcome, Conflict.objects.get().study.study_instance_uid) == ("conflict", "1.2.3")
    assert reason in told.reason
    assert (Study.objects.count(), Series.objects.count(), Instance.objects.count()) == (1, 1, 1)


def test_a_series_uid_of_another_study_is_a_conflict_without_an_instance(sender: Sender, tmp_path: Path) -> None:
    take(sender, save(ct_slice(), tmp_path / "a.dcm"))
    [told] = take(sender, save(ct_slice("1.2.3.4.2", study="1.2.9"), tmp_path / "b.dcm"))
    assert (told.outcome, Conflict.objects.get().instance, Study.objects.count()) == ("conflict", None, 1)


def test_two_organizations_hold_the_same_object_each_for_itself(sender: Sender, tmp_path: Path) -> None:
    elsewhere = Sender(Organization.objects.create(name="elsewhere"), "a test", "ingest")
    path, other = save(ct_slice(), tmp_path / "a.dcm"), save(ct_slice(PixelData=b"\1" * 32), tmp_path / "b.dcm")
    assert outcomes(take(sender, path) + take(elsewhere, path) + take(elsewhere, other)) == [
        "stored",
        "stored",
        "conflict",
    ]
    assert Blob.objects.count() == 2
    assert Patient.objects.filter(patient_id="P1").count() == 2


# --- who the patient is


def test_the_same_patient_id_of_another_issuer_is_another_person(sender: Sender, tmp_path: Path) -> None:
    for number, issuer in enumerate(["", "CITY", "COUNTY", "CITY"], start=1):
        changed = {"IssuerOfPatientID": issuer} if issuer else {}
        image = ct_slice(f"1.{number}.1.1", f"1.{number}", f"1.{number}.1", **changed)
        assert outcomes(take(sender, save(image, tmp_path / f"{number}.dcm"))) == ["stored"]
    assert Patient.objects.count() == 3
    assert Patient.objects.get(issuer_of_patient_id="CITY").studies.count() == 2


def test_without_a_patient_id_nothing_joins_two_studies(sender: Sender, tmp_path: Path) -> None:
    for number in (1, 2):
        image = ct_slice(f"1.{number}.1.1", f"1.{number}", f"1.{number}.1", PatientID="")
        take(sender, save(image, tmp_path / f"{number}.dcm"))
    assert sorted(Patient.objects.values_list("only_study_uid", flat=True)) == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PatientName": "Roe^Richard"}, "patient's name"),
        ({"PatientBirthDate": "19800202"}, "birth date"),
        ({"PatientSex": "M"}, "sex"),
        ({"PatientID": "P2"}, "Patient ID"),
        ({"AccessionNumber": "A2"}, "accession number"),
    ],
)
def test_files_that_disagree_are_a_warning_and_the_first_one_wins(
    sender: Sender, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    take(sender, save(ct_slice(), tmp_path / "a.dcm"))
    for number in (2, 3):
        take(sender, save(ct_slice(f"1.2.3.4.{number}", **changed), tmp_path / f"{number}.dcm"))
    study = Study.objects.select_related("patient").get()
    [warning] = study.warnings
    assert said in warning
    assert (study.patient.name, study.patient.patient_id, study.accession_number) == ("Doe^Jane", "P1", "A1")
    assert Patient.objects.count() == 1


def test_another_script_and_padding_of_the_same_name_are_no_disagreement(sender: Sender, tmp_path: Path) -> None:
    names = ["Yamada^Tarou=山田^太郎", "YAMADA^Tarou^^", "Yamada^Tarou=山田^太郎=やまだ^たろう"]
    for number, name in enumerate(names, start=1):
        image = ct_slice(f"1.2.3.4.{number}", SpecificCharacterSet="ISO_IR 192", PatientName=name)
        take(sender, save(image, tmp_path / f"{number}.dcm"))
    assert Study.objects.get().warnings == []


def test_what_the_first_file_left_empty_is_filled_by_the_next(sender: Sender, tmp_path: Path) -> None:
    take(sender, save(ct_slice(PatientName="", StudyDescription=""), tmp_path / "a.dcm"))
    take(sender, save(ct_slice("1.2.3.4.2"), tmp_path / "b.dcm"))
    study = Study.objects.select_related("patient").get()
    assert (study.patient.name, study.patient.name_folded, study.description) == ("Doe^Jane", "doe jane", "Chest")
    assert study.warnings == []


# --- audit and news


def test_every_batch_is_written_down_and_announced(sender: Sender, tmp_path: Path) -> None:
    slices(tmp_path / "in", 4)
    take(sender, tmp_path / "in", batch=2)
    events = AuditEvent.objects.filter(action="study.receive")
    assert [(e.actor, e.organization, e.patient_id, e.study_instance_uid) for e in events] == [
        ("a test", "hospital", "P1", "1.2.3")
    ] * 2
    assert sum(e.detail["instances"] for e in events) == 4
    news = list(Outbox.objects.order_by("id"))
    assert [(one.kind, one.payload["number_of_instances"], one.payload["added"]) for one in news] == [
        ("study.changed", 2, True),
        ("study.changed", 4, False),
    ]
    assert news[-1].payload["series"] == [
        {"series_instance_uid": "1.2.3.4", "series_version": "2", "number_of_instances": 4}
    ]
    assert not any("Doe" in str(one.payload) for one in news)


def test_refusals_are_written_down_without_names(sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "Doe^Jane.dcm").write_bytes(b"not DICOM at all")
    told = take(sender, tmp_path / "Doe^Jane.dcm")
    assert outcomes(told) == ["refused"]
    note_refusals(told, sender)
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.detail["count"]) == ("object.refuse", "failure", 1)
    assert "Doe" not in str(event.detail)


def test_a_reader_that_stumbles_costs_one_object_and_no_more(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from viewer.archive import ingest as module

    slices(tmp_path / "in", 3)
    real, calls = module.read_instance, iter(range(3))

    def stumbling(*args: Any) -> Any:
        if next(calls) == 1:
            raise RecursionError("deep")
        return real(*args)

    monkeypatch.setattr(module, "read_instance", stumbling)
    told = take(sender, tmp_path / "in")
    assert sorted(outcomes(told)) == ["refused", "stored", "stored"]
    assert str(tmp_path) not in caplog.text.split("Traceback")[0]


# --- the database under several writers


def test_nothing_is_asked_of_the_disk_inside_the_transaction(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices(tmp_path / "in", 2)
    real = rows._record

    def without_files(*args: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr("builtins.open", None)
            return real(*args)

    monkeypatch.setattr(rows, "_record", without_files)
    assert outcomes(take(sender, tmp_path / "in")) == ["stored"] * 2


def test_a_batch_costs_few_queries_however_many_objects_it_holds(sender: Sender, tmp_path: Path) -> None:
    slices(tmp_path / "warm", 1, series="1.2.3.9")
    take(sender, tmp_path / "warm")
    asked = []
    for count in (5, 40):
        slices(tmp_path / str(count), count, series=f"1.2.3.{count}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            take(sender, tmp_path / str(count))
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_a_locked_database_is_waited_for(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(patience.time, "sleep", lambda seconds: None)
    tries = iter([OperationalError("database is locked"), OperationalError("database is locked"), None])

    def work() -> str:
        problem = next(tries)
        if problem:
            raise problem
        return "done"

    assert rows.patiently(work) == "done"


def test_a_full_disk_under_the_database_is_said(db: None) -> None:
    def work() -> None:
        raise OperationalError("database or disk is full")

    with pytest.raises(StorageFull):
        rows.patiently(work)


def test_a_database_that_stays_locked_is_called_busy(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", -1.0)

    def work() -> None:
        raise OperationalError("database is locked")

    with pytest.raises(DatabaseBusy, match="try again"):
        rows.patiently(work)


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []
    yield started
    for thread in started:
        thread.join(60)


@pytest.mark.django_db(transaction=True)
def test_eight_senders_of_one_object_make_one_row(tmp_path: Path, threads: list[threading.Thread]) -> None:
    sender = Sender(Organization.objects.create(name="hospital"), "a test", "ingest")
    path = save(ct_slice(), tmp_path / "a.dcm")
    told, gate = [], threading.Barrier(8)

    def send() -> None:
        gate.wait()
        told.append(ingest_file(path, sender.organization, "ingest", "a test").outcome)
        connection.close()

    threads += [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(told) == ["duplicate"] * 7 + ["stored"]
    assert (Instance.objects.count(), Study.objects.count(), Series.objects.get().number_of_instances) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_four_senders_a_typist_and_eight_readers_never_meet_a_locked_database(
    tmp_path: Path, threads: list[threading.Thread]
) -> None:
    sender = Sender(Organization.objects.create(name="hospital"), "a test", "ingest")
    folders = [tmp_path / str(n) for n in range(4)]
    for n, folder in enumerate(folders):
        slices(folder, 20, series=f"1.2.3.{n + 1}")
    told: list[str] = []
    done = threading.Event()

    def send(folder: Path) -> None:
        told.extend(outcomes(take(sender, folder, batch=1)))
        connection.close()

    def type_away() -> None:
        while not done.is_set():
            with transaction.atomic():
                Organization.objects.filter(pk=sender.organization.pk).update(title="typing")
        connection.close()

    read: list[int] = []

    def look_through() -> None:
        seen = 0
        while not done.is_set():
            with transaction.atomic():  # which takes the place of a writer, as every change of a reader does
                seen = max(seen, Instance.objects.filter(series__study__patient__patient_id="P1").count())
            list(Study.objects.select_related("patient", "organization").order_by("-date", "-id")[:50])
        read.append(seen)
        connection.close()

    typist = threading.Thread(target=type_away)
    readers = [threading.Thread(target=look_through) for _ in range(8)]
    threads += [threading.Thread(target=send, args=(folder,)) for folder in folders]
    for thread in (*threads, typist, *readers):
        thread.start()
    for thread in threads:
        thread.join(60)
    done.set()
    for thread in (typist, *readers):
        thread.join(60)
    assert len(read) == 8, "none of them was ended by an error"
    assert max(read) > 0
    assert told == ["stored"] * 80
    study = Study.objects.get()
    assert (study.number_of_instances, study.number_of_series) == (80, 4)
