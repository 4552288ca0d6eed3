"""Putting right what came wrong: whose images they are, and for which order they were made.

Each act is one transaction: the rows that pages, searches and doors read, the corrections by which objects leave changed, the
record, the news. A stored file is never rewritten. What other apps hold about it follows in the same transaction
(`FOLLOWERS`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.models import Organization, User
from accounts.origin import Request
from viewer.archive import outbox
from viewer.archive.corrected import merge_of
from viewer.archive.correcting_facts import (
    ORDERED,
    STATED,
    as_known,
    change,
    differs,
    facts_of,
    for_study,
    person_of,
    set_person,
)
from viewer.archive.patience import patiently
from viewer.models import Correction, CorrectionKind, Patient, Series, Study

REASON = 1000
TOLD = ("PatientID", "IssuerOfPatientID", "StudyInstanceUID", "AccessionNumber")
"""Of which the record keeps the values; what else says who somebody is stays out of it."""

Answer = TypeVar("Answer")


class BadCorrection(ValueError):
    """What is asked for cannot be; `field` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class CannotCorrect(Exception):
    """It cannot be done as things stand now; the message says why."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it, why, and from where."""

    actor: User | str
    reason: str
    source: str = "person"
    """person, hl7, dicom."""
    request: Request | None = None


@dataclass(slots=True)
class Done:
    """What an act came to, for those who follow it."""

    act: Correction
    who: Who
    parts: list[Correction] = field(default_factory=list)
    """What it did to single studies and series; the act itself where it did no more."""
    studies: list[Study] = field(default_factory=list)
    """Every study that it touched."""
    former: Patient | None = None
    """Of a merge: the patient that is no longer used."""
    withdrawn: set[str] = field(default_factory=set)
    """Series of which something is no longer given out."""
    order: str = ""
    """Of an act that names one: the order that the study belongs to now, as `CHOICES` told it."""


Follower = Callable[[Done], None]
"""Called within the transaction. May raise CannotCorrect."""

FOLLOWERS: list[Follower] = []


def follow(follower: Follower) -> None:
    """Called from the `ready` of an app."""
    if follower not in FOLLOWERS:
        FOLLOWERS.append(follower)


# --- whose they are


def update_patient(patient: Patient, said: Mapping[str, str], who: Who) -> Correction | None:
    """Name, birth date and sex (keywords of `STATED`) of a patient, and of those of their studies that said what the patient's
    row did; None where they were so before. A study that says otherwise may be of somebody else: it keeps that."""

    def write() -> Correction | None:
        held = Patient.objects.select_for_update().get(pk=patient.pk)
        after = {name: value for name, value in said.items() if name in STATED}
        before = {name: value for name, value in person_of(held).items() if name in after}
        studies = _studies_of(held)
        if not differs(before, after) and not any(
            differs(facts_of(one), for_study(one, before, after)) for one in studies
        ):
            return None
        done = begun(CorrectionKind.PATIENT_UPDATED, held.organization, who, held, before, after)
        set_person(held, after)
        return finished(each(done, studies, before, after))

    return whole(write)


def merge_patients(former: Patient, surviving: Patient, who: Who) -> Correction:
    """Two IDs are one patient: all studies of `former` are those of `surviving` from now on, also those that come later.

    Raises BadCorrection.
    """
    if former.organization_id != surviving.organization_id:
        raise BadCorrection("surviving", "patients of two organizations are linked, not merged")
    if former.pk == surviving.pk:
        raise BadCorrection("surviving", "this is the same patient")
    if former.only_study_uid or surviving.only_study_uid:
        raise BadCorrection("former", "a patient without a Patient ID is not merged: give the study another patient")

    def write() -> Correction:
        last = _who_stays(surviving, former)
        rows = {one.pk: one for one in Patient.objects.select_for_update().filter(pk__in=[former.pk, last.pk])}
        gone, stays = rows[former.pk], rows[last.pk]
        before, after = person_of(gone), as_known(stays)
        done = begun(CorrectionKind.PATIENTS_MERGED, stays.organization, who, stays, before, after)
        done.former = gone
        return finished(each(done, _studies_of(gone), before, after, patient=stays))

    return whole(write)


def study_to_patient(study: Study, patient: Patient, who: Who) -> Correction:
    """The images are of another patient of the organization. Raises BadCorrection."""
    if patient.organization_id != study.organization_id:
        raise BadCorrection("patient", "a study stays in its organization")

    def write() -> Correction:
        held = locked(study)
        if held.patient_id == patient.pk:
            raise BadCorrection("patient", "the study is this patient's already")
        target = Patient.objects.get(pk=patient.pk)
        after = person_of(target)
        former = facts_of(held)
        done = begun(
            CorrectionKind.STUDY_OF_ANOTHER_PATIENT,
            *(held.organization, who, target, {name: former[name] for name in after}, after),
            study=held,
        )
        change(held, after, patient=target)
        done.studies.append(held)
        return finished(done)

    return whole(write)


def study_to_order(study: Study, said: Mapping[str, str], who: Who, order: str = "") -> Correction:
    """The images were made for another order: accession number, description, referring physician (`ORDERED`).

    `order` names it as those who know of orders told it. Raises BadCorrection, and what they raise.
    """
    after = {name: value for name, value in said.items() if name in ORDERED}

    def write() -> Correction:
        held = locked(study)
        former = facts_of(held)
        if not order and not differs(former, after):
            raise BadCorrection("order", "the study says so already")
        before = {name: former[name] for name in after}
        kind = CorrectionKind.STUDY_OF_ANOTHER_ORDER
        done = begun(kind, held.organization, who, held.patient, before, after, study=held)
        done.order = order
        change(held, after)
        done.studies.append(held)
        return finished(done)

    return whole(write)


# --- what every act is made of


def whole(work: Callable[[], Answer]) -> Answer:
    """Run `work` within the transaction that the caller has begun, all of it or nothing, else in one of its own that waits
    for its turn."""
    if not connection.in_atomic_block:
        return patiently(work)
    with transaction.atomic():
        return work()


def begun(
    kind: str,
    organization: Organization,
    who: Who,
    patient: Patient | None,
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    study: Study | None = None,
    undoes: Correction | None = None,
    uids: Iterable[str] = (),
) -> Done:
    """Write an act down, only one at a time of an organization. Raises BadCorrection where nobody says why."""
    reason = " ".join(who.reason.split())
    if not reason or len(reason) > REASON:
        raise BadCorrection("reason", f"say why, in at most {REASON} characters")
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    actor = who.actor if isinstance(who.actor, User) else None
    act = Correction.objects.create(
        organization=organization,
        kind=kind,
        patient=patient,
        study=study,
        sop_instance_uids=list(uids),
        before=dict(before),
        after=dict(after),
        reason=reason,
        source=who.source,
        actor=actor,
        actor_name=(actor.get_username() if actor else str(who.actor))[:150],
        at=timezone.now(),
        undoes=undoes,
    )
    return Done(act, who)


def part(done: Done, study: Study, before: Mapping[str, str], after: Mapping[str, str], series: str = "") -> Correction:
    """What an act did to one study, or to one series."""
    row = part_of(done.act, study, before, after, series)
    done.parts.append(row)
    if all(one.pk != study.pk for one in done.studies):
        done.studies.append(study)
    return row


def part_of(
    act: Correction, study: Study, before: Mapping[str, str], after: Mapping[str, str], series: str = ""
) -> Correction:
    return Correction.objects.create(
        organization=act.organization,
        kind=act.kind,
        patient=study.patient,
        study=study,
        series_instance_uid=series,
        before=dict(before),
        after=dict(after),
        reason=act.reason,
        source=act.source,
        actor=act.actor,
        actor_name=act.actor_name,
        at=timezone.now(),
        part_of=act,
    )


def each(
    done: Done,
    studies: Iterable[Study],
    before: Mapping[str, str],
    after: Mapping[str, str],
    patient: Patient | None = None,
) -> Done:
    """Change every one of these studies in what it said as `before` does, with a row for each that is changed."""
    for study in studies:
        former, now = facts_of(study), for_study(study, before, after)
        if differs(former, now):
            change(study, now, patient=patient)
            part(done, study, {name: former[name] for name in now}, now)
    return done


def _who_stays(surviving: Patient, former: Patient) -> Patient:
    """A patient that was itself merged away since stands for the one that stayed."""
    merge = merge_of(surviving.organization, surviving.patient_id, surviving.issuer_of_patient_id)
    seen = surviving
    while merge is not None and merge.patient is not None:
        seen = merge.patient
        merge = merge_of(seen.organization, seen.patient_id, seen.issuer_of_patient_id, after=merge.pk)
    return surviving if seen.pk == former.pk else seen


def finished(done: Done) -> Correction:
    """Record, news, and those who follow."""
    act, who = done.act, done.who
    done.parts = done.parts or [act]
    changed = sorted(
        {name for row in (act, *done.parts) for name in row.after if row.before.get(name) != row.after[name]}
    )
    audit.record(
        f"correction.{'undone' if act.undoes_id else act.kind}",
        actor=who.actor,
        request=who.request,
        organization=act.organization.name,
        patient_id=act.patient.patient_id if act.patient else "",
        study_instance_uid=done.studies[0].study_instance_uid if len(done.studies) == 1 else "",
        object_uid=f"correction {act.pk}",
        purpose=act.reason[:64],
        detail={
            "kind": act.kind,
            "source": act.source,
            "changed": changed,
            "studies": [study.study_instance_uid for study in done.studies],
            **{name: [act.before.get(name, ""), act.after[name]] for name in TOLD if name in act.after},
            **({"undoes": act.undoes_id} if act.undoes_id else {}),
        },
    )
    for study in done.studies:
        tell(study, done.withdrawn)
    for follower in FOLLOWERS:
        follower(done)
    return act


def tell(study: Study, withdrawn: Collection[str] = ()) -> None:
    """All series of a study count as changed, and everybody hears of it."""
    Series.objects.filter(study=study).update(version=F("version") + 1)
    rows = (
        Series.objects.filter(study=study)
        .order_by("id")
        .values("series_instance_uid", "version", "number_of_instances")
    )
    outbox.announce(
        "study.changed",
        study.organization,
        {
            "study_instance_uid": study.study_instance_uid,
            "added": False,
            "number_of_series": study.number_of_series,
            "number_of_instances": study.number_of_instances,
            "conflicts": 0,
            "series": [
                {
                    "series_instance_uid": row["series_instance_uid"],
                    "series_version": str(row["version"]),
                    "number_of_instances": row["number_of_instances"],
                    **({"withdrawn": True} if row["series_instance_uid"] in withdrawn else {}),
                }
                for row in rows
            ],
        },
    )


def locked(study: Study) -> Study:
    rows = Study.objects.select_for_update(of=("self",)).select_related("patient", "organization")
    return rows.get(pk=study.pk)


def _studies_of(patient: Patient) -> list[Study]:
    rows = Study.objects.select_for_update(of=("self",)).select_related("patient", "organization")
    return list(rows.filter(patient=patient).order_by("id"))
