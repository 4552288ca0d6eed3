"""Objects that come for identifiers that were corrected: they go where the correction says, as what came before them.

Asked once for all that come together; an organization without corrections costs one short question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q

from accounts.models import Organization
from viewer.archive.corrected import Lines, applied, merge_of, standing
from viewer.archive.correcting import part_of
from viewer.archive.correcting_facts import OF_STUDY, PERSONAL, facts_of
from viewer.archive.rejecting import rejections
from viewer.dicom.attributes import RequestAttributes
from viewer.dicom.read import ParsedInstance
from viewer.dicom.text import fold
from viewer.models import Correction, CorrectionKind, Study

STEPS = 50
"""From one study to the next; more is a circle."""


@dataclass(slots=True)
class Routes:
    """Where objects of some studies and series go."""

    organization: Organization
    any: bool = False
    """Whether anything was ever corrected in the organization."""
    lines: Lines = field(default_factory=Lines)
    studies: dict[str, Study] = field(default_factory=dict)
    """Those that are here, by UID."""
    series: dict[str, str] = field(default_factory=dict)
    """Series Instance UID -> UID of the study that a moved one is in."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    merges: dict[tuple[str, str], Correction | None] = field(default_factory=dict)
    """By (Patient ID, issuer)."""
    new: dict[tuple[str, str], tuple[Correction, dict[str, str]]] = field(default_factory=dict)
    """By study and series: what has to be written down of those that come for the first time, and what they said."""

    @classmethod
    def of(cls, organization: Organization, parsed: Sequence[ParsedInstance]) -> Routes:
        routes = cls(organization)
        if not Correction.objects.filter(organization=organization).exists():
            return routes
        routes.any = True
        studies = {one.study.study_instance_uid for one in parsed}
        series = {one.series.series_instance_uid for one in parsed}
        rows = standing().filter(
            Q(study__study_instance_uid__in=studies) | Q(series_instance_uid__in=series), organization=organization
        )
        routes.lines = Lines.of(rows)
        routes.series = {uid: _study_of(moves[-1]) for (_, uid), moves in routes.lines.moves.items() if uid in series}
        found = Study.objects.filter(organization=organization, study_instance_uid__in=studies)
        routes.studies = {study.study_instance_uid: study for study in found.select_related("patient")}
        routes.rejected = rejections(organization, studies | set(routes.series.values()))
        return routes

    def rejection(self, parsed: ParsedInstance) -> str:
        """The code for which an object was rejected before it came; empty: it was not."""
        return self.rejected.get(parsed.sop_instance_uid, "")

    def corrected(self, parsed: ParsedInstance) -> ParsedInstance:
        """An object as it is to be taken in: what it says of patient and study put right."""
        if not self.any:
            return parsed
        said = said_by(parsed)
        study, series = parsed.study.study_instance_uid, parsed.series.series_instance_uid
        moved = self._moved(series, study)
        home = moved or study
        path = self.lines.of_series(self.organization.pk, series, home) if moved else self._of_study(study)
        now = applied(path, said)
        if moved:
            now["StudyInstanceUID"] = moved
        elif study in self.studies:
            now = self._to_where_it_went(self.studies[study], now, series)
        elif parsed.patient.patient_id:
            now = self._of_surviving(now, said, study)
        return parsed if now == said else saying(parsed, now)

    def _moved(self, series: str, study: str) -> str:
        """The study that a moved series is in, for an object that names one of those in which it was."""
        moves = self.lines.moves.get((self.organization.pk, series), [])
        sources = {move.before["StudyInstanceUID"] for move in moves}
        return self.series[series] if study in sources else ""

    def _of_study(self, study: str) -> list[Correction]:
        return self.lines.studies.get((self.organization.pk, study), [])

    def _to_where_it_went(self, study: Study, now: dict[str, str], series: str) -> dict[str, str]:
        """A further series of a study all of which was moved follows what went last."""
        former, act = facts_of(study), None
        for _ in range(STEPS):
            if not study.emptied:
                break
            move = self._last_move_from(study)
            if move is None or move.study is None:
                break
            study, act = move.study, move.part_of
        if act is None:
            return now
        after = facts_of(study)
        self.new.setdefault((study.study_instance_uid, series), (act, former))
        return {**now, **{name: after[name] for name in after if now[name] in (former[name], "")}, **_identity(after)}

    def _last_move_from(self, study: Study) -> Correction | None:
        rows = standing().filter(
            organization=self.organization,
            kind=CorrectionKind.SERIES_MOVED,
            before__StudyInstanceUID=study.study_instance_uid,
        )
        return rows.select_related("study__patient", "part_of").last()

    def _of_surviving(self, now: dict[str, str], said: dict[str, str], study: str) -> dict[str, str]:
        """A new study under an ID that was merged into another."""
        act = self._merge_of(now)
        merge = act
        while merge is not None:
            act, now = merge, {**applied([merge], now), **{name: merge.after[name] for name in _OF_PATIENT}}
            merge = merge_of(self.organization, now["PatientID"], now["IssuerOfPatientID"], after=merge.pk)
        if act is not None:
            self.new.setdefault((study, ""), (act, said))
        return now

    def _merge_of(self, said: dict[str, str]) -> Correction | None:
        key = (said["PatientID"], said["IssuerOfPatientID"])
        if key not in self.merges:
            self.merges[key] = merge_of(self.organization, *key)
        return self.merges[key]

    def write_down(self) -> None:
        """That what came for the first time was put where it is. Within the transaction, once its rows are there."""
        for (uid, series), (act, before) in self.new.items():
            study = Study.objects.filter(organization=self.organization, study_instance_uid=uid).select_related(
                "patient"
            )
            home = study.first()
            if home is None or Correction.objects.filter(part_of=act, study=home, series_instance_uid=series).exists():
                continue
            now = facts_of(home)
            names = now if series else [name for name in act.after if name in now]
            part_of(act, home, {name: before[name] for name in names}, {name: now[name] for name in names}, series)


_OF_PATIENT = ("PatientID", "IssuerOfPatientID")


def _identity(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: facts[name] for name in (*_OF_PATIENT, "StudyInstanceUID")}


def _study_of(move: Correction) -> str:
    return move.study.study_instance_uid if move.study else ""


def said_by(parsed: ParsedInstance) -> dict[str, str]:
    patient = {name: getattr(parsed.patient, column) for name, column in PERSONAL.items()}
    return patient | {name: getattr(parsed.study, column) for name, column in OF_STUDY.items()}


def saying(parsed: ParsedInstance, said: Mapping[str, str]) -> ParsedInstance:
    patient = replace(parsed.patient, **{column: said[name] for name, column in PERSONAL.items()})
    study = replace(parsed.study, **{column: said[name] for name, column in OF_STUDY.items()})
    return replace(
        parsed,
        patient=replace(patient, name_folded=fold(patient.name)[:400]),
        study=replace(study, description_folded=fold(study.description)[:200]),
        series=replace(parsed.series, requests=requests_of(parsed, said["AccessionNumber"])),
    )


def requests_of(parsed: ParsedInstance, accession_number: str) -> tuple[RequestAttributes, ...]:
    """What asked for the series of an object, whose study has this accession number now."""
    former = parsed.study.accession_number
    if not former or not accession_number:
        return parsed.series.requests
    return tuple(
        replace(one, accession_number=accession_number) if one.accession_number == former else one
        for one in parsed.series.requests
    )
