"""Whom an object written here is about: the patient as the study states them, never one whom its images contradict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from pydicom.dataset import Dataset

from viewer.archive import disagreement
from viewer.archive.correcting_warnings import as_corrected
from viewer.archive.storage import blob_store
from viewer.dicom.attributes import PatientAttributes, StudyAttributes
from viewer.dicom.read import ParsedInstance
from viewer.models import Instance, Study
from viewer.objects.header import subject_as_stated


class NotFiled(Exception):
    """An object written here does not get into the archive; the message says why."""


class AnotherPatient(NotFiled):
    """An image that an object is about names another patient than its study; the message says which and how."""


def subject_for(study: Study, images: Iterable[str]) -> Dataset:
    """Patient and study for an object about `images` (SOP Instance UIDs) of it.

    Raises AnotherPatient, DicomError, OSError.
    """
    study = Study.objects.select_related("patient").get(pk=study.pk)
    rows = Instance.objects.filter(series__study=study).select_related("series__study")
    stated, first = stated_patient(study), rows.order_by("id").first()
    if study.warnings:  # where it has none, all of its files agree
        for image in as_corrected(_instances(study, images)):
            if differs := _differences(image, stated):
                raise AnotherPatient(f"image {image.sop_instance_uid} names another patient than the study: {differs}")
    agrees = first is not None and not (
        study.warnings and any(_differences(one, stated) for one in as_corrected([first]))
    )
    said = {column.name: getattr(study, column.name) for column in fields(StudyAttributes)}
    more = blob_store().path(first.blob_id) if first is not None and agrees else None
    return subject_as_stated(stated, StudyAttributes(**said), more)


def stated_patient(study: Study) -> PatientAttributes:
    """Who the study says the patient is."""
    return PatientAttributes(
        patient_id=study.patient.patient_id,
        issuer_of_patient_id=study.patient.issuer_of_patient_id,
        **study.stated_patient,
    )


def _instances(study: Study, images: Iterable[str]) -> Iterable[Instance]:
    rows = Instance.objects.filter(organization=study.organization, sop_instance_uid__in=set(images))
    found: Iterable[Instance] = rows.select_related("series__study").defer("index")
    return found


def _differences(image: ParsedInstance, stated: PatientAttributes) -> str:
    found = disagreement.about_person(stated, image.patient)
    return "; ".join(f'{what} "{theirs}" instead of "{ours}"' for what, ours, theirs in found)
