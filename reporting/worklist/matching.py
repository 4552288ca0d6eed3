"""Which order a study is of, and whether the two are about one patient.

A study belongs to the orders that name its Study Instance UID, else to those of its organization that carry its accession
number. Patients must agree; where they do not, nothing is put together by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from reporting.models import Order
from reporting.worklist.identity import Identity, confirmed, disagreements
from viewer.dicom.text import fold
from viewer.models import Study

MOST = 20
"""Orders or studies that are looked at for one match."""


@dataclass(frozen=True, slots=True)
class Match:
    """Orders for one study: that agree with it, and that do not (each with the reasons)."""

    agreeing: list[Order] = field(default_factory=list)
    disputed: list[tuple[Order, list[str]]] = field(default_factory=list)


def of_order(order: Order) -> Identity:
    """The patient as the order states them."""
    patient = order.patient
    return Identity(
        patient.issuer_of_patient_id,
        patient.patient_id,
        fold(order.patient_name or patient.name),
        order.patient_birth_date or patient.birth_date,
        order.patient_sex or patient.sex,
    )


def of_study(study: Study) -> Identity:
    """The patient as the study states them."""
    stated, patient = study.stated_patient, study.patient
    return Identity(
        patient.issuer_of_patient_id, patient.patient_id, fold(stated["name"]), stated["birth_date"], stated["sex"]
    )


def numbers_differ(order: Order, study: Study) -> str:
    """That the two carry different accession numbers, in words; "": they do not."""
    if not order.accession_number or not study.accession_number or order.accession_number == study.accession_number:
        return ""
    return f'accession number "{order.accession_number}" in the order, "{study.accession_number}" in the images'


def patients_differ(order: Order, study: Study) -> list[str]:
    """What the images say of their patient otherwise than the order, in words."""
    return disagreements(of_order(order), of_study(study))


def mixed(study: Study) -> str:
    """That images of the study name two patients, as the archive has noted it; "": they do not."""
    return next((said for said in study.warnings if said.startswith(TWO_PATIENTS)), "")


TWO_PATIENTS = "An image of this study gives another Patient ID:"


def reasons_against(order: Order, study: Study) -> list[str]:
    """Why the study cannot be taken for that of the order; none: it can. By accession number alone the Patient ID must be
    stated on both sides: numbers of two systems may happen to be alike."""
    ours, theirs = of_order(order), of_study(study)
    found = [*disagreements(ours, theirs), *filter(None, [numbers_differ(order, study)])]
    by_uid = order.study_instance_uid == study.study_instance_uid
    if not found and not by_uid and not confirmed(ours, theirs):
        found.append("the Patient ID is missing in the order or in the images")
    return found


def orders_for(study: Study) -> Match:
    """The orders that a study may be of."""
    standing = _standing(study)
    found = list(standing.filter(study_instance_uid=study.study_instance_uid)[:MOST])
    if not found and study.accession_number:
        found = list(standing.filter(accession_number=study.accession_number)[:MOST])
    match = Match()
    for order in found:
        reasons = reasons_against(order, study)
        if reasons:
            match.disputed.append((order, reasons))
        else:
            match.agreeing.append(order)
    return match


def _standing(study: Study) -> QuerySet[Order]:
    orders = Order.objects.filter(organization=study.organization, status="ordered").exclude(source="study")
    return orders.select_related("patient", "organization", "referrer", "item__study").order_by("id")


def studies_for(order: Order) -> list[Study]:
    """Studies that are here already and agree with an order."""
    named = Q(pk__in=[])
    if order.study_instance_uid:
        named |= Q(study_instance_uid=order.study_instance_uid)
    if order.accession_number:
        named |= Q(accession_number=order.accession_number)
    rows = Study.objects.listed().filter(named, organization=order.organization)
    found = list(rows.select_related("patient", "organization").order_by("-id")[:MOST])
    exact = [study for study in found if study.study_instance_uid == order.study_instance_uid]
    return [study for study in exact or found if not reasons_against(order, study)]
