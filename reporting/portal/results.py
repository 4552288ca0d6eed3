"""What a referring physician is shown: examinations they asked for, and the reports of those that are out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import Role, User
from reporting.models import Order, ReadingItem, Report
from reporting.visibility import visible_reports
from reporting.workflow.noting import read_by
from viewer.models import Study

LISTED = 50


@dataclass(frozen=True, slots=True)
class Result:
    """One examination as a row. `report` is there once the person may read it."""

    patient_name: str
    patient_id: str
    birth_date: str
    sex: str
    examination: str
    date: str
    at: datetime | None
    accession_number: str
    organization: str
    status: str
    """A key of `WORDS`."""
    report: Report | None
    study: Study | None
    fresh: bool
    """Signed since this person last looked at it."""
    critical: bool


def results_of(user: User, words: str = "", page: int = 0) -> tuple[list[Result], bool]:
    """(rows, whether there are more): newest first, `words` all to be found in patient, accession number or examination.
    Awaited examinations come first, on the first page."""
    reports = _matching(
        visible_reports(user).select_related("study__patient", "organization", "order"),
        words,
        ("study__patient__name_folded", "study__patient__patient_id", "study__accession_number", "study__description"),
    ).order_by("-updated_at", "-id")
    held = list(reports[page * LISTED : (page + 1) * LISTED + 1])
    shown, more = held[:LISTED], len(held) > LISTED
    seen = read_by(user, shown)
    open_criticals = set(
        Report.objects.filter(pk__in=[one.pk for one in shown], critical_results__closed_at=None)
        .exclude(critical_results=None)
        .values_list("pk", flat=True)
    )
    rows = [_of_report(one, (str(one.uid), one.signed_version) not in seen, one.pk in open_criticals) for one in shown]
    return ([*_awaited(user, words), *rows] if page == 0 else rows), more


def _awaited(user: User, words: str) -> list[Result]:
    """Examinations that this person asked for and whose report they may not read yet."""
    referring = user.organizations_as((Role.REFERRER,))
    orders = Order.objects.filter(referrer=user, organization__in=referring, status="ordered")
    orders = orders.exclude(reports__in=visible_reports(user)).select_related("patient", "organization", "item__study")
    names = ("patient_name", "patient__patient_id", "accession_number", "procedure_text")
    return [_of_order(one) for one in _matching(orders, words, names).order_by("-created_at", "-id")[:LISTED]]


def _matching(rows: QuerySet, words: str, columns: tuple[str, ...]) -> QuerySet:
    for word in words.split()[:8]:
        anywhere = Q()
        for column in columns:
            anywhere |= Q(**{f"{column}__icontains": word.casefold() if column.endswith("_folded") else word})
        rows = rows.filter(anywhere)
    return rows


def _of_report(report: Report, fresh: bool, critical: bool) -> Result:
    study = report.study
    patient = study.stated_patient
    return Result(
        patient_name=patient["name"],
        patient_id=study.patient.patient_id,
        birth_date=patient["birth_date"],
        sex=patient["sex"],
        examination=study.description or (report.order.procedure_text if report.order else ""),
        date=study.date,
        at=report.updated_at,
        accession_number=study.accession_number,
        organization=str(report.organization),
        status=report.state,
        report=report,
        study=study,
        fresh=fresh,
        critical=critical,
    )


def _of_order(order: Order) -> Result:
    item: ReadingItem | None = getattr(order, "item", None)
    study = item.study if item is not None else None
    return Result(
        patient_name=order.patient_name or order.patient.name,
        patient_id=order.patient.patient_id,
        birth_date=order.patient_birth_date or order.patient.birth_date,
        sex=order.patient_sex or order.patient.sex,
        examination=order.procedure_text or order.procedure_code,
        date=study.date if study is not None else "",
        at=order.requested_at or order.created_at,
        accession_number=order.accession_number,
        organization=str(order.organization),
        status="awaited" if study is not None else "ordered",
        report=None,
        study=study,
        fresh=False,
        critical=False,
    )
