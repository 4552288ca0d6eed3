"""The one transaction of an ingest: rows, audit and news for objects whose bytes are durable already.

Nothing here opens a file. The database takes one writer at a time, so everything is looked up in a few queries and
written in a few more, however many objects come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

from accounts import audit
from accounts.models import Organization, User
from viewer.archive import disagreement, outbox, rejecting
from viewer.archive.correcting_arrivals import Routes
from viewer.archive.correcting_series import fitting
from viewer.archive.held import BLOBS, INSTANCES, SERIES, STUDIES, any_correction, any_instance, series_with_studies
from viewer.archive.patience import DatabaseBusy as DatabaseBusy
from viewer.archive.patience import is_locked as is_locked
from viewer.archive.patience import patiently as patiently
from viewer.dicom.attributes import RequestAttributes
from viewer.dicom.read import ParsedInstance
from viewer.dicom.rejection_note import RejectionNote
from viewer.models import Blob, Conflict, Instance, Patient, Series, SeriesRequest, Study


@dataclass(frozen=True, slots=True)
class Arrival:
    """One parsed object whose bytes are durable under `sha256`."""

    parsed: ParsedInstance
    sha256: str
    size: int
    note: RejectionNote | None = None
    """What it rejects, where it is such a note."""


@dataclass(frozen=True, slots=True)
class Sender:
    """For whom, by whom and by which door objects come."""

    organization: Organization
    actor: User | str
    origin: str
    """The door: "ingest", "upload", ..."""
    address: str = ""
    """Where the sender is, when it came over a network."""


OWN = "farview"
"""The door of what Farview itself writes. It says of patient and study what was known of them, or was ordered: nothing new."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one arrival: "stored", "duplicate" or "conflict", the latter with its reason."""

    outcome: str
    reason: str = ""


@dataclass(slots=True)
class _Hand:
    """What one transaction has looked up and changed so far; one object in memory for each row."""

    sender: Sender
    studies: dict[str, Study] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    patients: dict[tuple[str, str, str], Patient] = field(default_factory=dict)
    new: list[Instance] = field(default_factory=list)
    stored: dict[int, list[ParsedInstance]] = field(default_factory=dict)
    """By series."""
    rejected: dict[int, int] = field(default_factory=dict)
    """How many came that are not given out: rejected before they came, or notes of rejection; by study."""
    conflicts: dict[int, int] = field(default_factory=dict)
    """How many new ones, by study."""
    filled: set[int] = field(default_factory=set)
    """Studies that were told what they did not know."""


def record(arrivals: Sequence[Arrival], sender: Sender) -> list[Verdict]:
    """Make rows of arrivals, all or none; returns one verdict each, in order, once they are committed.

    Raises DatabaseBusy, never "database is locked", and StorageFull.
    """
    return patiently(lambda: _record(arrivals, sender))


def _record(arrivals: Sequence[Arrival], sender: Sender) -> list[Verdict]:
    routes = Routes(sender.organization)
    if any_correction(sender.organization):
        routes = Routes.of(sender.organization, [arrival.parsed for arrival in arrivals])
    as_said = arrivals
    if routes.any:
        arrivals = [replace(one, parsed=routes.corrected(one.parsed)) for one in arrivals]
    hand = _look_up([arrival.parsed for arrival in arrivals], sender)
    BLOBS.insert([Blob(sha256=arrival.sha256, size=arrival.size) for arrival in arrivals], unless_held=True)
    verdicts = [_take(arrival, hand, routes) for arrival in arrivals]
    INSTANCES.insert(hand.new)
    _write_conflicts(as_said, verdicts, hand)
    _sum_up(hand)
    routes.write_down()
    for arrival, verdict in zip(arrivals, verdicts, strict=True):
        if arrival.note is not None and verdict.outcome == "stored":
            rejecting.apply(arrival.note, sender.organization, sender.actor, own=sender.origin == OWN)
    return verdicts


def _look_up(parsed: list[ParsedInstance], sender: Sender) -> _Hand:
    ours, hand = {"organization": sender.organization}, _Hand(sender)
    for series in series_with_studies({one.series.series_instance_uid for one in parsed}, sender.organization):
        _adopt_series(series, hand)
    missing = {one.study.study_instance_uid for one in parsed} - hand.studies.keys()
    if missing:
        studies = Study.objects.select_for_update(of=("self",)).filter(**ours, study_instance_uid__in=missing)
        for study in studies.select_related("patient").order_by("id"):
            hand.studies[study.study_instance_uid] = study
    uids = [one.sop_instance_uid for one in parsed]
    if any_instance(uids, sender.organization):
        instances = Instance.objects.filter(**ours, sop_instance_uid__in=uids)
        for instance in instances.select_related("series__study__patient").defer("index", "series__stacks"):
            instance.series = _adopt_series(instance.series, hand)
            hand.instances[instance.sop_instance_uid] = instance
    return hand


def _adopt_series(series: Series, hand: _Hand) -> Series:
    series = hand.series.setdefault(series.series_instance_uid, series)
    series.study = hand.studies.setdefault(series.study.study_instance_uid, series.study)
    return series


def _take(arrival: Arrival, hand: _Hand, routes: Routes) -> Verdict:
    parsed = arrival.parsed
    held_instance = hand.instances.get(parsed.sop_instance_uid)
    if held_instance is not None:
        return _beside(arrival, held_instance)
    study = hand.studies.get(parsed.study.study_instance_uid)
    series = hand.series.get(parsed.series.series_instance_uid)
    if series is not None and (study is None or series.study_id != study.pk):
        return Verdict(
            "conflict", f"its series belongs to another study here ({series.study.study_instance_uid}); kept aside"
        )
    if study is None:
        study = _new_study(parsed, hand)
    if series is None:
        series = _new_series(parsed, study, hand)
    if hand.sender.origin != OWN and _fill(parsed, study):
        hand.filled.add(study.pk)
    disagreement.note(study, disagreement.between(study, parsed))
    instance = _instance(arrival, series, hand.sender.organization)
    instance.rejection = arrival.note.code if arrival.note else routes.rejection(parsed)
    hand.new.append(instance)
    hand.instances[parsed.sop_instance_uid] = instance
    if instance.rejection:
        hand.rejected[study.pk] = hand.rejected.get(study.pk, 0) + 1
    else:
        hand.stored.setdefault(series.pk, []).append(parsed)
    return Verdict("stored")


def _beside(arrival: Arrival, instance: Instance) -> Verdict:
    """An object whose SOP Instance UID is held already."""
    parsed, series = arrival.parsed, instance.series
    if series.study.study_instance_uid != parsed.study.study_instance_uid:
        where = f"another study ({series.study.study_instance_uid})"
    elif series.series_instance_uid != parsed.series.series_instance_uid:
        where = f"another series ({series.series_instance_uid})"
    elif instance.blob_id != arrival.sha256:
        return Verdict(
            "conflict", "other bytes are held under the same SOP Instance UID; the first stay, these are kept aside"
        )
    else:
        return Verdict("duplicate")
    return Verdict("conflict", f"its SOP Instance UID belongs to {where}; the first stays, this one is kept aside")


def _new_study(parsed: ParsedInstance, hand: _Hand) -> Study:
    said = parsed.study
    study = Study.objects.create(
        organization=hand.sender.organization,
        patient=_patient(parsed, hand),
        study_instance_uid=said.study_instance_uid,
        **{f"patient_{name}": getattr(parsed.patient, name) for name in STATED},
        **{name: getattr(said, name) for name in STUDY_COLUMNS},
    )
    hand.studies[said.study_instance_uid] = study
    return study


def _patient(parsed: ParsedInstance, hand: _Hand) -> Patient:
    said = parsed.patient
    only_study = "" if said.patient_id else parsed.study.study_instance_uid
    key = (said.issuer_of_patient_id, said.patient_id, only_study)
    if key not in hand.patients:
        hand.patients[key], _ = Patient.objects.get_or_create(
            organization=hand.sender.organization,
            issuer_of_patient_id=said.issuer_of_patient_id,
            patient_id=said.patient_id,
            only_study_uid=only_study,
            defaults={name: getattr(said, name) for name in PATIENT_COLUMNS},
        )
    return hand.patients[key]


def _new_series(parsed: ParsedInstance, study: Study, hand: _Hand) -> Series:
    said = parsed.series
    series = Series.objects.create(
        organization=hand.sender.organization,
        study=study,
        series_instance_uid=said.series_instance_uid,
        **{name: getattr(said, name) for name in SERIES_COLUMNS},
    )
    keep_requests(series, said.requests)
    hand.series[said.series_instance_uid] = series
    return series


def keep_requests(series: Series, requests: Iterable[RequestAttributes]) -> None:
    """What asked for a series, as its first object says it."""
    if requests:
        SeriesRequest.objects.bulk_create([SeriesRequest(series=series, **asdict(one)) for one in requests])


def _instance(arrival: Arrival, series: Series, organization: Organization) -> Instance:
    parsed = arrival.parsed
    return Instance(
        organization=organization,
        series=series,
        blob_id=arrival.sha256,
        index=parsed.index,
        warnings=list(parsed.warnings),
        **{name: getattr(parsed, name) for name in INSTANCE_COLUMNS},
    )


def _fill(parsed: ParsedInstance, study: Study) -> bool:
    """First wins: only what is missing is filled in. Whether the study learned anything."""
    if disagreement.fill(study.patient, parsed.patient, PATIENT_COLUMNS):
        study.patient.save(update_fields=PATIENT_COLUMNS)
    stated = [name for name in STATED if not getattr(study, f"patient_{name}") and getattr(parsed.patient, name)]
    for name in stated:
        setattr(study, f"patient_{name}", getattr(parsed.patient, name))
    return disagreement.fill(study, parsed.study, STUDY_COLUMNS) or bool(stated)


def _write_conflicts(arrivals: Sequence[Arrival], verdicts: list[Verdict], hand: _Hand) -> None:
    for arrival, verdict in zip(arrivals, verdicts, strict=True):
        if verdict.outcome != "conflict":
            continue
        parsed = arrival.parsed
        instance = hand.instances.get(parsed.sop_instance_uid)
        if instance is not None and instance.pk is None:  # it came in this very batch
            instance = Instance.objects.get(
                organization=hand.sender.organization, sop_instance_uid=parsed.sop_instance_uid
            )
        series = instance.series if instance is not None else hand.series[parsed.series.series_instance_uid]
        _, made = Conflict.objects.get_or_create(
            organization=hand.sender.organization,
            sop_instance_uid=parsed.sop_instance_uid,
            blob_id=arrival.sha256,
            defaults={
                "study": series.study,
                "instance": instance,
                "series_instance_uid": parsed.series.series_instance_uid,
                "study_instance_uid": parsed.study.study_instance_uid,
                "reason": verdict.reason[:300],
            },
        )
        if made:
            hand.conflicts[series.study_id] = hand.conflicts.get(series.study_id, 0) + 1


def _sum_up(hand: _Hand) -> None:
    """Counts, versions, audit and news of every series and study that changed."""
    touched: dict[int, list[Series]] = {}
    for series in hand.series.values():
        arrived = hand.stored.get(series.pk, [])
        if arrived:
            series.number_of_instances += len(arrived)
            series.number_of_frames += sum(one.number_of_frames for one in arrived)
            series.version += 1
            SERIES.update(series, "number_of_instances", "number_of_frames", "version")
            touched.setdefault(series.study_id, []).append(series)
    for study in hand.studies.values():
        if study.pk in touched or study.pk in hand.conflicts or study.pk in hand.rejected:
            _sum_up_study(study, touched.get(study.pk, []), hand)


def _sum_up_study(study: Study, changed: list[Series], hand: _Hand) -> None:
    arrived = {series.series_instance_uid: len(hand.stored[series.pk]) for series in changed}
    first = study.number_of_series == 0
    study.number_of_instances += sum(arrived.values())
    study.number_of_series += sum(series.number_of_instances == len(hand.stored[series.pk]) for series in changed)
    modalities = {
        *filter(None, study.modalities.split("\\")),
        *(series.modality for series in changed if series.modality),
    }
    study.modalities = fitting(sorted(modalities))
    study.emptied = study.number_of_instances == 0
    STUDIES.update(study, *(() if study.pk in hand.filled else SUMMED_UP))
    conflicts = hand.conflicts.get(study.pk, 0)
    audit.record(
        "study.receive",
        actor=hand.sender.actor,
        origin=hand.sender.address,
        organization=hand.sender.organization.name,
        patient_id=study.patient.patient_id,
        study_instance_uid=study.study_instance_uid,
        detail={
            "door": hand.sender.origin,
            "instances": sum(arrived.values()),
            "series": sorted(arrived),
            "conflicts": conflicts,
            **({"rejected": hand.rejected[study.pk]} if study.pk in hand.rejected else {}),
        },
    )
    outbox.announce(
        "study.changed",
        hand.sender.organization,
        {
            "study_instance_uid": study.study_instance_uid,
            "added": first,
            "number_of_series": study.number_of_series,
            "number_of_instances": study.number_of_instances,
            "conflicts": conflicts,
            "series": [
                {
                    "series_instance_uid": series.series_instance_uid,
                    "series_version": str(series.version),
                    "number_of_instances": series.number_of_instances,
                }
                for series in changed
            ],
        },
    )


SUMMED_UP = ("number_of_instances", "number_of_series", "modalities", "emptied", "warnings")
"""Of a study, changed by what arrives for it."""
PATIENT_COLUMNS = ("name", "name_folded", "birth_date", "sex")
STATED = ("name", "birth_date", "sex")
"""Of the patient, kept with each study as it states them."""
STUDY_COLUMNS = (
    "study_id",
    "accession_number",
    "date",
    "time",
    "timezone_offset",
    "description",
    "description_folded",
    "referring_physician",
    "institution",
    "patient_age",
)
SERIES_COLUMNS = (
    "modality",
    "number",
    "description",
    "body_part_examined",
    "laterality",
    "protocol_name",
    "station_name",
    "manufacturer",
    "date",
    "time",
    "performed_date",
    "performed_time",
)
INSTANCE_COLUMNS = (
    "sop_instance_uid",
    "sop_class_uid",
    "transfer_syntax_uid",
    "instance_number",
    "number_of_frames",
    "rows",
    "columns",
)
