"""Rules of retention: which one counts, what none of them touches, and that a run does what the plan said, to its end."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, Organization, Role
from tests.live import ROOT
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.conftest import person
from viewer.archive import retention, retention_run
from viewer.archive.aside import alone
from viewer.archive.ingest import ingest_file
from viewer.archive.retention import Facts, is_over, rule_for
from viewer.archive.storage import BlobStore, InUse
from viewer.dicom.layout import Decoded
from viewer.engine.store import DecodedStore
from viewer.models import (
    Blob,
    Commitment,
    Conflict,
    Deletion,
    DicomPeer,
    Hold,
    Instance,
    KeyImage,
    Measurement,
    Outbox,
    RetentionRule,
    Series,
    Study,
    Transfer,
)

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
OLD = NOW - timedelta(days=100)


@pytest.fixture(autouse=True)
def folders(settings: LazySettings, tmp_path: Path, store: BlobStore) -> None:
    settings.FARVIEW_CACHE_DIR, settings.FARVIEW_DATA_DIR = tmp_path / "cache", tmp_path


def rule(organization: Organization, action: str = "everything", **said: Any) -> RetentionRule:
    return RetentionRule.objects.create(
        **{"organization": organization, "action": action, "days": 365, "active": True} | said
    )


def facts(**said: Any) -> Facts:
    given = {"modalities": frozenset({"CT"}), "description": "chest", "studied": date(2024, 1, 31)}
    return Facts(**given | {"arrived": date(2024, 2, 1), "birth": date(1970, 1, 1)} | said)


Bring = Callable[..., Study]


@pytest.fixture
def bring(hospital: Organization, tmp_path: Path) -> Bring:
    """Ingest a study of some slices that came long ago."""

    def bringing(study: str = "1.2.3", count: int = 3, organization: Organization = hospital, **said: Any) -> Study:
        for path in slices(tmp_path / study, count, study, f"{study}.4", **{"StudyInstanceUID": study} | said):
            assert ingest_file(path, organization, "ingest", "").outcome == "stored"
        Instance.objects.filter(series__study__study_instance_uid=study).update(stored_at=OLD)
        Study.objects.filter(study_instance_uid=study).update(created_at=OLD)
        return Study.objects.get(study_instance_uid=study, organization=organization)

    return bringing


def due() -> list[tuple[str, int, int]]:
    found = retention.plan(list(retention.rules_in_force()), NOW)
    return [(one.study_instance_uid, one.instances, one.size) for one in found if not one.kept]


def kept() -> list[str]:
    return [why for one in retention.plan(list(retention.rules_in_force()), NOW) for why in one.kept]


# --- which rule


def test_a_rule_that_names_more_puts_a_general_one_aside() -> None:
    general, of_ct = RetentionRule(pk=1, days=100, action="everything"), RetentionRule(pk=2, days=9, modality="CT")
    assert rule_for([general, of_ct], facts()) is of_ct
    assert rule_for([general, of_ct], facts(modalities=frozenset({"MR"}))) is general
    assert rule_for([of_ct], facts(modalities=frozenset({"MR"}))) is None


def test_of_rules_that_name_as_much_the_longest_counts_and_keeping_for_ever_is_longest() -> None:
    short = RetentionRule(pk=1, days=100, action="everything", modality="CT")
    long = RetentionRule(pk=2, days=900, action="everything", modality="MG")
    both = facts(modalities=frozenset({"CT", "MG"}))
    assert rule_for([short, long], both) is long
    never = RetentionRule(pk=3, days=1, action="nothing", modality="CT")
    assert rule_for([short, long, never], both) is never
    gentle = RetentionRule(pk=4, days=900, action="images", modality="MG")
    assert rule_for([long, gentle], both) is gentle


def test_the_description_is_looked_for_without_case_and_accents() -> None:
    one = RetentionRule(pk=1, days=1, action="everything", description="Schädel")
    assert rule_for([one], facts(description="ct schadel nativ")) is one
    assert rule_for([one], facts()) is None


@pytest.mark.parametrize(
    ("birth", "studied", "adult"),
    [
        (date(2006, 1, 31), date(2024, 1, 31), True),
        (date(2006, 2, 1), date(2024, 1, 31), False),
        (None, date(2024, 1, 31), False),
        (date(1950, 1, 1), None, False),
    ],
)
def test_whose_age_is_not_known_is_treated_as_a_child(birth: date | None, studied: date | None, adult: bool) -> None:
    adults = RetentionRule(pk=1, days=1, action="everything", patients="adults")
    children = RetentionRule(pk=2, days=1, action="everything", patients="children")
    found = rule_for([adults, children], facts(birth=birth, studied=studied))
    assert found is (adults if adult else children)


def test_age_counts_from_the_study_or_from_the_arrival_and_what_came_lately_stays() -> None:
    of_study = RetentionRule(days=365, counted_from="study")
    of_arrival = RetentionRule(days=365, counted_from="arrival")
    assert is_over(of_study, facts(), date(2025, 1, 30))
    assert not is_over(of_study, facts(), date(2025, 1, 29))
    assert is_over(of_arrival, facts(), date(2025, 1, 31))
    assert not is_over(of_arrival, facts(), date(2025, 1, 30))
    lately = facts(studied=date(1999, 1, 1))
    assert not is_over(of_study, lately, date(2024, 3, 1))
    assert is_over(of_study, lately, date(2024, 3, 2))
    assert not is_over(of_study, facts(studied=None), date(2025, 1, 30))


# --- what a run does


def test_nothing_happens_without_a_rule_that_is_on(bring: Bring, hospital: Organization) -> None:
    bring()
    rule(hospital, active=False)
    rule(hospital, action="nothing", modality="CT")
    assert due() == []
    assert retention_run.run(NOW).studies == 0
    assert Instance.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_run_deletes_exactly_what_the_plan_named_and_the_record_says_so(
    bring: Bring, hospital: Organization, elsewhere: Organization, store: BlobStore
) -> None:
    bring("1.2.3"), bring("1.2.4", 2, Modality="MR"), bring("1.9", 2, organization=elsewhere)
    chosen = rule(hospital, modality="CT")
    planned = due()
    assert [(uid, count) for uid, count, _ in planned] == [("1.2.3", 3)]
    shas = set(Instance.objects.filter(series__study__study_instance_uid="1.2.3").values_list("blob", flat=True))
    ran = retention_run.run(NOW)
    assert (ran.studies, ran.instances, ran.size) == (1, 3, planned[0][2])
    assert ran.freed == ran.size
    assert due() == []
    assert Instance.objects.count() == 4
    assert not Blob.objects.filter(pk__in=shas).exists()
    assert [sha for sha in shas if store.path(sha).exists()] == []
    study = Study.objects.get(study_instance_uid="1.2.3")
    assert (study.emptied, study.number_of_instances) == (True, 0)
    event = AuditEvent.objects.get(action="retention.everything")
    assert (event.organization, event.study_instance_uid, event.patient_id) == ("hospital", "1.2.3", "P1")
    assert event.detail == {"instances": 3, "bytes": planned[0][2], "rule": str(chosen)}
    assert audit.verify_chain() == []
    news = Outbox.objects.filter(kind="study.changed").latest("id").payload
    assert [one.get("withdrawn") for one in news["series"]] == [True]
    deletion = Deletion.objects.get()
    assert (deletion.instances, deletion.pending, deletion.freed) == (3, [], ran.size)
    assert retention_run.state()["studies"] == 1  # type: ignore[index]
    assert retention_run.run(NOW).studies == 0


@pytest.mark.django_db(transaction=True)
def test_bytes_that_another_organization_has_too_stay(
    bring: Bring, hospital: Organization, elsewhere: Organization, store: BlobStore, tmp_path: Path
) -> None:
    bring(count=2)
    first = min((tmp_path / "1.2.3").iterdir())
    assert ingest_file(first, elsewhere, "ingest", "").outcome == "stored"
    rule(hospital)
    ran = retention_run.run(NOW)
    [left] = Instance.objects.all()
    assert store.damage(left.blob_id, left.blob.size) is None
    assert ran.freed == ran.size - left.blob.size
    assert Blob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_images_go_and_documents_and_key_images_stay(bring: Bring, hospital: Organization, tmp_path: Path) -> None:
    study = bring()
    document = ct_slice("1.2.3.9.1", "1.2.3", "1.2.3.9", SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", Modality="DOC")
    for name in ("PixelData", "Rows", "Columns"):
        delattr(document, name)
    document.EncapsulatedDocument, document.MIMETypeOfEncapsulatedDocument = b"%PDF-1.4", "application/pdf"
    assert ingest_file(save(document, tmp_path / "pdf.dcm"), hospital, "ingest", "").outcome == "stored"
    Instance.objects.update(stored_at=OLD)
    shown = {"series_instance_uid": "1.2.3.4", "sop_instance_uid": "1.2.3.4.2", "view": {}, "rows": 4, "columns": 4}
    KeyImage.objects.create(organization=hospital, study=study, uid="k", **shown)
    Measurement.objects.create(
        organization=hospital, study=study, uid="m", kind="length", series_instance_uid="1.2.3.4", points=[], view={}
    )
    rule(hospital, "images")
    assert [(uid, count) for uid, count, _ in due()] == [("1.2.3", 2)]
    retention_run.run(NOW)
    assert set(Instance.objects.values_list("sop_instance_uid", flat=True)) == {"1.2.3.4.2", "1.2.3.9.1"}
    study.refresh_from_db()
    assert (study.emptied, study.number_of_instances, study.modalities) == (False, 2, "CT\\DOC")
    assert Measurement.objects.exists()
    assert KeyImage.objects.exists()
    RetentionRule.objects.update(action="everything")
    retention_run.run(NOW)
    assert not Instance.objects.exists()
    assert not KeyImage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_study_that_comes_again_is_welcome_and_stays_for_a_while(
    bring: Bring, hospital: Organization, tmp_path: Path
) -> None:
    bring(count=1)
    rule(hospital)
    assert retention_run.run(NOW).studies == 1
    path = next((tmp_path / "1.2.3").iterdir())
    assert ingest_file(path, hospital, "ingest", "").outcome == "stored"
    study = Study.objects.get()
    assert (study.emptied, study.number_of_series, study.number_of_instances) == (False, 1, 1)
    assert Instance.objects.served().count() == 1
    now = timezone.now()
    assert not list(retention.plan(list(retention.rules_in_force()), now))
    assert list(retention.plan(list(retention.rules_in_force()), now + timedelta(days=31)))


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_run_left_is_finished_first(
    bring: Bring, hospital: Organization, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(count=25)
    rule(hospital)
    removed: list[str] = []

    def killed(path: Path, missing_ok: bool = False) -> None:
        removed.append(path.name)
        if len(removed) == 22:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    unlink = Path.unlink
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            retention_run.run(NOW)
    left = [path for path in store.root.glob("??/*") if path.is_file()]
    assert 0 < len(left) <= retention_run.AT_ONCE
    assert Study.objects.get().emptied
    assert AuditEvent.objects.filter(action="retention.everything").count() == 1
    ran = retention_run.run(NOW)
    assert ran.studies == 0
    assert Deletion.objects.get().finished_at
    assert not Blob.objects.exists()
    assert AuditEvent.objects.filter(action="retention.everything").count() == 1
    assert audit.verify_chain() == []


@pytest.mark.django_db(transaction=True)
def test_while_a_backup_is_made_bytes_stay_and_the_next_run_removes_them(
    bring: Bring, hospital: Organization, store: BlobStore
) -> None:
    bring(count=2)
    rule(hospital)
    with store.unchanged():
        with pytest.raises(InUse), store.alone():
            pass
        ran = retention_run.run(NOW)
        assert (ran.studies, ran.freed) == (1, 0)
        assert Blob.objects.count() == 2
    assert retention_run.run(NOW).freed == ran.size
    assert not Blob.objects.exists()


def test_two_runs_do_not_work_side_by_side(db: None) -> None:
    with alone(*retention_run.LOCK), pytest.raises(retention_run.Busy):
        retention_run.run(NOW)


# --- what stands above every rule


def _hold(study: Study) -> None:
    user = person("admin", study.organization, Role.ADMIN)
    Hold.objects.create(organization=study.organization, study=study, reason="A lawsuit", placed_by=user)


def _hold_patient(study: Study) -> None:
    user = person("admin", study.organization, Role.ADMIN)
    Hold.objects.create(organization=study.organization, patient=study.patient, reason="A lawsuit", placed_by=user)


def _conflict(study: Study) -> None:
    Conflict.objects.create(
        organization=study.organization,
        study=study,
        sop_instance_uid="1.2.3.4.1",
        series_instance_uid="1.2.3.4",
        study_instance_uid="1.2.3",
        blob=Blob.objects.create(sha256="a" * 64, size=3),
        reason="other bytes",
    )


def _peer(study: Study) -> DicomPeer:
    return DicomPeer.objects.create(organization=study.organization, ae_title="PACS", host="127.0.0.1")


def _transfer(study: Study) -> None:
    Transfer.objects.create(
        organization=study.organization,
        peer=_peer(study),
        kind="send",
        study_instance_uid=study.study_instance_uid,
        state="failed",
        next_try_at=NOW,
    )


def _commitment(study: Study) -> None:
    Commitment.objects.create(
        organization=study.organization,
        peer=_peer(study),
        transaction_uid="2.25.1",
        references=[["1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.2"]],
        next_try_at=NOW,
    )


KEEPING: tuple[tuple[Callable[[Study], None], str, Callable[[], object]], ...] = (
    (_hold, "held: A lawsuit", lambda: Hold.objects.update(lifted_at=NOW)),
    (_hold_patient, "its patient is held", lambda: Hold.objects.update(lifted_at=NOW)),
    (_conflict, "nobody has decided", lambda: Conflict.objects.update(resolved_at=NOW)),
    (_transfer, "on its way", lambda: Transfer.objects.update(state="done")),
    (_commitment, "storage commitment", lambda: Commitment.objects.update(state="answered")),
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("keep", "said", "let_go"), KEEPING, ids=[one.__name__ for one, _, _ in KEEPING])
def test_a_rule_never_touches(
    bring: Bring, hospital: Organization, keep: Callable[[Study], None], said: str, let_go: Callable[[], object]
) -> None:
    keep(bring())
    rule(hospital)
    [why] = kept()
    assert said in why
    ran = retention_run.run(NOW)
    assert (ran.studies, ran.kept, Instance.objects.count()) == (0, 1, 3)
    let_go()
    assert retention_run.run(NOW).studies == 1
    assert not Instance.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_hold_that_is_placed_after_the_plan_was_made_still_keeps(bring: Bring, hospital: Organization) -> None:
    study = bring()
    rule(hospital)
    [found] = retention.plan(list(retention.rules_in_force()), NOW)
    assert not found.kept
    _hold(study)
    ran = retention_run.Ran("")
    retention_run._one(found, NOW, ran)
    assert ran.studies == 0
    Hold.objects.update(lifted_at=NOW)
    RetentionRule.objects.update(active=False)
    retention_run._one(found, NOW, ran)
    assert ran.studies == 0
    assert Series.objects.get().number_of_instances == 3


# --- derived pixels, and a run that is killed


@pytest.mark.django_db(transaction=True)
def test_derived_pixels_go_and_nothing_else(bring: Bring, hospital: Organization, tmp_path: Path) -> None:
    bring(count=2)
    digests = list(Instance.objects.order_by("id").values_list("blob", flat=True))
    frames = DecodedStore(tmp_path / "cache" / "decoded", 1 << 20)
    frames.start()
    for digest in (*digests, "f" * 64):
        frames.keep((digest, 1), Decoded(np.zeros((4, 4), np.int16), "MONOCHROME2"))
    frames.settle()
    frames.close()
    size = sum(path.stat().st_size for path in (tmp_path / "cache" / "decoded").rglob("*-1"))
    rule(hospital, "derived")
    assert due() == [("1.2.3", 2, size * 2 // 3)]
    ran = retention_run.run(NOW)
    assert (ran.instances, ran.freed) == (2, size * 2 // 3)
    assert [path.name for path in (tmp_path / "cache" / "decoded").rglob("*-1")] == [f"{'f' * 64}-1"]
    assert Instance.objects.count() == 2
    assert AuditEvent.objects.get(action="retention.derived").study_instance_uid == "1.2.3"
    assert due() == []


@pytest.mark.django_db(transaction=True)
def test_frames_and_metadata_of_deleted_images_go_with_them(
    bring: Bring, hospital: Organization, tmp_path: Path
) -> None:
    bring(count=1)
    [digest] = Instance.objects.values_list("blob", flat=True)
    for name in (f"decoded/{digest[:2]}/{digest}-1", "metadata/something.json.gz"):
        (tmp_path / "cache" / name).parent.mkdir(parents=True)
        (tmp_path / "cache" / name).write_bytes(b"pixels")
    rule(hospital, "images")
    retention_run.run(NOW)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


PREPARED = """
import sys, django
django.setup()
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from accounts.models import Organization
from viewer.models import Instance, RetentionRule, Study
call_command("migrate", verbosity=0)
call_command("ingest", sys.argv[1])
before = timezone.now() - timedelta(days=100)
Instance.objects.update(stored_at=before)
Study.objects.update(created_at=before)
RetentionRule.objects.create(organization=Organization.objects.get(), action="everything", days=365, active=True)
"""


def test_runs_that_are_killed_are_gone_on_with_until_everything_is_done(tmp_path: Path) -> None:
    """Real processes: in the end what the rule speaks of is gone, each study once on the record, and nothing else amiss."""
    for number in range(12):
        slices(tmp_path / "cd" / str(number), 2, f"1.7.{number}", f"1.7.{number}.1", PatientID=f"P{number}")
    environment = os.environ | {"FARVIEW_DATA_DIR": str(tmp_path / "var"), "FARVIEW_DICOM_PORT": "0"}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"

    def python(*arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
        )

    def done(*arguments: str) -> str:
        running = python(*arguments)
        said, wrong = running.communicate(timeout=300)
        assert running.returncode == 0, said + wrong
        return said

    done("-c", PREPARED, str(tmp_path / "cd"))
    with contextlib.closing(sqlite3.connect(tmp_path / "var" / "farview.sqlite3", timeout=60)) as rows:

        def asked(what: str) -> int:
            return int(rows.execute(f"SELECT count(*) FROM {what}").fetchone()[0])

        for kill in (2, 6):
            running = python("manage.py", "retain")
            while asked("viewer_deletion") < kill and running.poll() is None:
                time.sleep(0.002)
            running.kill()
            running.communicate()
        before = asked("viewer_deletion")
        done("manage.py", "retain")
        assert 6 <= before < asked("viewer_deletion") == 12
        assert asked("viewer_deletion WHERE finished_at IS NULL") == 0
        assert asked("accounts_auditevent WHERE action = 'retention.everything'") == 12
        assert asked("viewer_instance") == asked("viewer_blob") == 0
    assert len(list((tmp_path / "var" / "blob").glob("??/*"))) <= 2 * retention_run.AT_ONCE
    assert "are whole" in done("manage.py", "verify")
