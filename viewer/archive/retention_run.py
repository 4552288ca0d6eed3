"""Doing what the rules of retention say: a study at a time, each in one transaction with its event in the record.

Rows go first, then the bytes that no row needs any more. What is still to be removed stands in the row of the deletion until
it is gone, so that a run that was killed is gone on with by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from viewer.archive.aside import Busy, alone, keep_state
from viewer.archive.correcting import locked, tell
from viewer.archive.correcting_series import recount, recount_series
from viewer.archive.patience import patiently
from viewer.archive.retention import Planned, plan, planned, rules_in_force, touched
from viewer.archive.retention_derived import derived, forget_metadata
from viewer.archive.storage import InUse, blob_store
from viewer.models import (
    Blob,
    Conflict,
    Deletion,
    Instance,
    KeyImage,
    Measurement,
    RetentionAction,
    Series,
    Study,
    ViewedImage,
)

ACTOR = "retention"
LOCK = ("retention.lock", "another run of the rules is at work")
STATE = "retention.json"
"""In the data folder: how the newest run went."""
AT_ONCE = 20
"""Stored files that are removed in one go. So many may be left without a row when a run is killed, which is no more than what a
starting server sweeps (`BlobStore.sweep_orphans`)."""

Step = Callable[[int], None]


@dataclass(slots=True)
class Ran:
    """What a run came to."""

    started: str
    ended: str = ""
    studies: int = 0
    instances: int = 0
    size: int = 0
    """Bytes of these objects."""
    freed: int = 0
    kept: int = 0
    """Studies that a rule is about and that something keeps."""
    problem: str = ""


def run(now: datetime | None = None, step: Step = lambda done: None) -> Ran:
    """Finish what an earlier run left, then do what is due. Raises Busy."""
    with alone(*LOCK):
        ran = Ran(timezone.now().isoformat(timespec="seconds"))
        try:
            ran.freed += sum(release(deletion) for deletion in Deletion.objects.filter(finished_at=None).order_by("id"))
            rules = list(rules_in_force())
            for found in plan(rules, now or timezone.now()):
                _one(found, now or timezone.now(), ran)
                step(ran.studies)
        except Exception as problem:
            ran.problem = type(problem).__name__
            raise
        finally:
            ran.ended = timezone.now().isoformat(timespec="seconds")
            keep_state(STATE, asdict(ran))
        return ran


def _one(found: Planned, now: datetime, ran: Ran) -> None:
    if found.kept:
        ran.kept += 1
        return
    act = _remove_derived if found.rule.action == RetentionAction.DERIVED else _delete
    done = patiently(lambda: act(found, now))
    if done is None:
        return
    ran.studies, ran.instances, ran.size = ran.studies + 1, ran.instances + done.instances, ran.size + done.size
    if isinstance(done, Deletion):
        ran.freed += release(done)
    else:
        blobs = Instance.objects.filter(series__study=found.study).values_list("blob", flat=True)
        ran.freed += derived().remove(set(blobs))


def _again(found: Planned, now: datetime) -> Planned | None:
    """As it is now that the study is locked: somebody may have opened a report or placed a hold since the plan was made, or
    turned the rule off."""
    rules = list(rules_in_force().filter(organization=found.rule.organization_id))
    still = planned([found.study], rules, now)
    return still[0] if still and not still[0].kept and still[0].rule.pk == found.rule.pk else None


def _remove_derived(found: Planned, now: datetime) -> Planned | None:
    study = locked(Study(pk=found.study))
    still = _again(found, now)
    if still is not None:
        _record(study, still)
    return still


def _delete(found: Planned, now: datetime) -> Deletion | None:
    """Within a transaction: the rows of the objects, and of what belongs to them alone."""
    study = locked(Study(pk=found.study))
    still = _again(found, now)
    if still is None:
        return None
    everything = still.rule.action == RetentionAction.EVERYTHING
    rows = touched(study, still.rule.action)
    series = list(Series.objects.filter(pk__in=rows.values("series")).order_by("id"))
    blobs = set(rows.values_list("blob", flat=True))
    asides = Conflict.objects.filter(study=study)
    blobs |= _gone(asides if everything else asides.filter(instance__in=rows))
    if everything:
        for left in (Measurement, KeyImage, ViewedImage):
            left.objects.filter(study=study).delete()
    else:
        images = rows.values("sop_instance_uid")
        ViewedImage.objects.filter(study=study, sop_instance_uid__in=images).delete()
    rows.delete()
    for one in series:
        recount_series(one)
    recount(study)
    deletion = Deletion.objects.create(
        organization=study.organization,
        study=study,
        rule=still.rule,
        rule_words=str(still.rule)[:300],
        action=still.rule.action,
        instances=still.instances,
        size=still.size,
        pending=sorted(blobs),
        at=timezone.now(),
    )
    _record(study, still)
    tell(study, {one.series_instance_uid for one in series})
    return deletion


def _gone(rows: QuerySet[Conflict]) -> set[str]:
    """Bytes that came later than objects that go, and that somebody has decided on: `KEEPERS` see to that."""
    blobs = set(rows.values_list("blob", flat=True))
    rows.delete()
    return blobs


def _record(study: Study, found: Planned) -> None:
    audit.record(
        f"retention.{found.rule.action}",
        actor=ACTOR,
        organization=study.organization.name,
        patient_id=study.patient.patient_id,
        study_instance_uid=study.study_instance_uid,
        object_uid=f"rule {found.rule.pk}",
        purpose=str(found.rule)[:64],
        detail={"instances": found.instances, "bytes": found.size, "rule": str(found.rule)},
    )


# --- bytes


def release(deletion: Deletion) -> int:
    """Remove the pending bytes of a deletion that nothing else needs; how many bytes that were. While a backup is being made
    they stay, and are left to the next run."""
    store, freed = blob_store(), 0
    derived().remove(deletion.pending)
    forget_metadata()
    while deletion.pending:
        try:
            with store.alone():
                sizes = patiently(lambda: _forget(deletion))
                for sha256 in sizes:
                    store.path(sha256).unlink(missing_ok=True)
        except InUse:
            return freed
        freed += sum(sizes.values())
    deletion.finished_at = timezone.now()
    patiently(lambda: deletion.save(update_fields=["finished_at"]))
    return freed


def _forget(deletion: Deletion) -> dict[str, int]:
    """Away with the rows of some bytes that nothing refers to: digest -> size of these."""
    held = Deletion.objects.get(pk=deletion.pk)
    some, rest = held.pending[:AT_ONCE], held.pending[AT_ONCE:]
    needed = needed_still(some)
    sizes = dict(Blob.objects.filter(pk__in=set(some) - needed).values_list("sha256", "size"))
    Blob.objects.filter(pk__in=sizes).delete()
    deletion.pending, deletion.freed = rest, held.freed + sum(sizes.values())
    deletion.save(update_fields=["pending", "freed"])
    return sizes


def needed_still(digests: Collection[str]) -> set[str]:
    """Those that a row of any table refers to."""
    found: set[str] = set()
    for relation in Blob._meta.related_objects:
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": list(digests)})
        found |= set(rows.values_list(relation.field.attname, flat=True))
    return found


# --- one at a time, and how it went


def state() -> dict[str, Any] | None:
    """Of the newest run that ended: the fields of `Ran`; None before any."""
    try:
        return dict(json.loads((Path(settings.FARVIEW_DATA_DIR) / STATE).read_text()))
    except (OSError, ValueError):
        return None


__all__ = ["Busy", "Ran", "needed_still", "release", "run", "state"]
