"""What templates can take over from patient, study, order, measurements and dose: by the names of `merge` fields."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from reporting.evidence.insertable import measurements, words_of_measurement
from reporting.models import Order, Report
from reporting.workflow.naming import person_name
from viewer.archive import query
from viewer.archive.ingest import limits
from viewer.dicom.apart import Waiting
from viewer.dicom.dose_report import dose_table, is_dose_report
from viewer.dicom.errors import DicomError
from viewer.dicom.report_apart import report_of
from viewer.marks.other_objects import path_of
from viewer.models import Instance, Measurement, Study

PRIORS = 5
DOSE_REPORTS = 3
SEXES = {"M": "male", "F": "female", "O": "other"}


def merged(study: Study, order: Order | None, names: Iterable[str]) -> dict[str, str]:
    """The values of `names` that are known. Reads the dose report from disk when it is asked for: not in a transaction."""
    wanted, said = set(names), study.stated_patient
    if not wanted:
        return {}
    known = {
        "patient.name": person_name(said["name"]),
        "patient.id": study.patient.patient_id,
        "patient.birth_date": day(said["birth_date"]),
        "patient.sex": SEXES.get(said["sex"].upper(), ""),
        "patient.age": age(study),
        "study.date": day(study.date),
        "study.description": study.description,
        "study.accession": study.accession_number or (order.accession_number if order else ""),
        "order.reason": order.reason if order else "",
        "order.procedure": (order.procedure_text if order else "") or study.description,
        "order.referrer": person_name((order.referring_physician if order else "") or study.referring_physician),
    }
    if "comparison.list" in wanted:
        known["comparison.list"] = comparison(study)
    if "dose.total" in wanted:
        known["dose.total"] = dose(study)
    if any(name.partition(":")[0] == "measurements" for name in wanted) or any(
        name.startswith("measurement:") for name in wanted
    ):
        known |= _measured(measurements(study), wanted)
    return {name: value for name, value in known.items() if value and name in wanted}


def day(text: str) -> str:
    """A date of DICOM as people read it everywhere: 2024-01-31."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else ""


def years(birth_date: str, on: str) -> int | None:
    """Whole years between two dates of DICOM."""
    try:
        born, then = date.fromisoformat(day(birth_date)), date.fromisoformat(day(on))
    except ValueError:
        return None
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


def age(study: Study) -> str:
    """ "45 years", "3 months": as the study states it, else counted."""
    units = {"Y": "year", "M": "month", "W": "week", "D": "day"}
    stated = study.patient_age
    if len(stated) == 4 and stated[:3].isdigit() and stated[3] in units:
        number, unit = int(stated[:3]), units[stated[3]]
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    counted = years(study.stated_patient["birth_date"], study.date)
    return "" if counted is None else f"{counted} year" if counted == 1 else f"{counted} years"


def comparison(study: Study) -> str:
    """Earlier studies of the same patient, newest first: "CT head 2024-01-31"."""
    earlier = Study.objects.listed().filter(patient_id=study.patient_id, date__lt=study.date, date__gt="")
    earlier = earlier.exclude(pk=study.pk)
    rows = earlier.order_by("-date", "-time")[:PRIORS]
    return "; ".join(
        f"{one.description or one.modalities.replace(chr(92), ', ')} {day(one.date)}".strip() for one in rows
    )


def dose(study: Study) -> str:
    """The sums of its radiation dose reports (PS3.16 TID 10001, 10011): "CT Dose Length Product Total 512 mGy.cm"."""
    rows = Instance.objects.served().filter(series__study=study, sop_class_uid__in=DOSE_CLASSES).select_related("blob")
    found: list[str] = []
    for instance in rows.order_by("id")[:DOSE_REPORTS]:
        try:
            report = report_of(path_of(instance), limits())
        except (DicomError, OSError, Waiting):
            continue
        if is_dose_report(report):
            found += [
                f"{total['name']} {total['value']} {total['unit']}".strip()
                for total in dose_table(report)["totals"]
                if "Total" in total["name"] or "DLP" in total["name"]
            ]
    return "; ".join(dict.fromkeys(found))


DOSE_CLASSES = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68")


def _measured(marks: list[Measurement], wanted: set[str]) -> dict[str, str]:
    """All of them as lines, and single ones by the code they are labelled with ("measurement:Aorta")."""
    found = {"measurements": "\n".join(f"{one.label or one.kind}: {chip(one)}" for one in marks)}
    for name in wanted:
        _, _, code = name.partition("measurement:")
        said = next((one for one in reversed(marks) if code and one.label.casefold() == code.casefold()), None)
        if said is not None:
            found[name] = chip(said)
    return found


def chip(mark: Measurement) -> str:
    """A link to a measurement (`reporting.chips`)."""
    return f"[[measurement:{mark.uid}|{words_of_measurement(mark)}]]"


def priors_of(user: Any, report: Report) -> list[dict[str, Any]]:
    """Signed reports of other studies of the same patient that `user` may see, newest first."""
    studies = query.priors(user, report.study).values_list("pk", flat=True)[:50]
    rows = Report.objects.filter(study__in=list(studies), signed_version__gt=0).exclude(state="entered_in_error")
    found = rows.select_related("study", "template_version").order_by("-study__date", "-study__time", "-pk")
    return [
        {
            "id": one.pk,
            "study": one.study.study_instance_uid,
            "study_date": one.study.date,
            "title": one.study.description or one.template_version.title,
            "state": one.state,
        }
        for one in found
    ]
