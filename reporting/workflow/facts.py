"""What the checks read, gathered from rows: the report's text, and everything that it is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from reporting.checks.facts import Context, Facts, Limits, Measured, Prior, sections_of
from reporting.evidence.insertable import measurements
from reporting.models import Report, ReportVersion, TemplateChoice
from reporting.mrrt.showing import shown
from reporting.workflow.content import fields_of
from reporting.workflow.context import context_of, image_laterality
from reporting.workflow.difference import reads
from reporting.workflow.merging import day, years
from reporting.workflow.versions import signed_text_of
from viewer.models import Measurement, Study

PRIORS = 5


def facts_of(report: Report, content: Mapping[str, Any], fills: Mapping[str, str]) -> Facts:
    """Everything about a report whose text is `content`."""
    study, order, schema = report.study, report.order, report.template_version.schema
    said = study.stated_patient
    return Facts(
        sections=sections_of(schema, content, fills, shown(schema, content)),
        language=schema.get("language") or "en",
        sex=said["sex"],
        age=_age(study),
        study_date=date_of(study.date),
        order_laterality=order.laterality if order else "",
        image_laterality=image_laterality(study),
        procedure=(order.procedure_text if order else "") or study.description,
        indication=order.reason if order else "",
        measurements=tuple(one for mark in measurements(study) for one in _numbers(mark)),
        priors=tuple(_priors(report)),
        comparison_dates=_earlier(study),
        criticals=tuple(report.critical_results.order_by("pk").values_list("finding", flat=True)),
        template=_limits(report),
        contexts=_contexts(report),
    )


def date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(day(text))
    except ValueError:
        return None


def _age(study: Study) -> float | None:
    """Years, from Patient's Age (PS3.5 6.2 AS) or the birth date."""
    stated, per_year = study.patient_age, {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if len(stated) == 4 and stated[:3].isdigit() and stated[3] in per_year:
        return int(stated[:3]) / per_year[stated[3]]
    return years(study.stated_patient["birth_date"], study.date)


def _numbers(mark: Measurement) -> list[Measured]:
    found = []
    for name, said in mark.values.items():
        value = said.get("value") if isinstance(said, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found.append(Measured(mark.uid, float(value), str(said.get("unit") or ""), name, mark.label))
    return found


def _priors(report: Report) -> list[Prior]:
    """Signed texts of the patient's other studies, newest first."""
    held = Report.objects.filter(study__patient=report.study.patient_id, signed_version__gt=0).exclude(pk=report.pk)
    rows = held.exclude(state="entered_in_error").select_related("study").order_by("-study__date", "-pk")
    found = []
    for one in rows.exclude(study=report.study_id)[:PRIORS]:
        text = signed_text_of(one)
        if text is not None:
            marks = tuple(number for mark in measurements(one.study) for number in _numbers(mark))
            found.append(Prior(_whole(text), date_of(one.study.date), _impression(text), marks))
    return found


def _whole(text: ReportVersion) -> str:
    names = fields_of(text.template_version.schema)
    return "\n".join(reads(text.content[name]) for name in names if text.content.get(name))


def _impression(text: ReportVersion) -> str:
    said = []
    for section in text.template_version.schema["sections"]:
        if section["id"] == "impression" or (section.get("code") or {}).get("value") == "19005-8":
            said += [reads(text.content.get(field["id"])) for field in section["fields"]]
    return "\n".join(part for part in said if part)


def _earlier(study: Study) -> tuple[date, ...]:
    others = Study.objects.listed().filter(patient_id=study.patient_id).exclude(pk=study.pk)
    dates = {date_of(text) for text in others.values_list("date", flat=True)}
    return tuple(sorted(one for one in dates if one is not None))


def _limits(report: Report) -> Limits:
    """Whom the template is meant for, where its choices agree on it."""
    rows = TemplateChoice.objects.filter(template=report.template_version.template_id).filter(reader=None)
    said = set(rows.values_list("sex", "age_from", "age_to"))
    return Limits(*said.pop()) if len(said) == 1 else Limits()


def _contexts(report: Report) -> tuple[Context, ...]:
    ours = context_of(report.study, report.order)
    found = [Context("images", ours["study"], ours["patient_id"], report.study.accession_number)]
    order = report.order
    if order is not None:
        found.append(Context("order", order.study_instance_uid, order.patient.patient_id, order.accession_number))
    return tuple(found)
