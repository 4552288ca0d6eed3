"""Whom an object written here is about: the patient as the study states them, never one whom its images contradict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from pydicom.dataset import Dataset

from viewer.archive import disagreement
from viewer.archive.storage import blob_store
from viewer.dicom.attributes import PatientAttributes, StudyAttributes, patient_attributes
from viewer.dicom.header import opened
from viewer.dicom.limits import Limits
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
    stated, first = stated_patient(study), Instance.objects.filter(series__study=study).order_by("id").first()
    if study.warnings:  # where it has none, all of its files agree
        for image in _instances(study, images):
            if differs := _differences(image, stated):
                raise AnotherPatient(f"image {image.sop_instance_uid} names another patient than the study: {differs}")
    agrees = first is not None and not (study.warnings and _differences(first, stated))
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
    found: Iterable[Instance] = Instance.objects.filter(
        organization=study.organization, sop_instance_uid__in=set(images)
    ).only("sop_instance_uid", "blob_id")
    return found


def _differences(image: Instance, stated: PatientAttributes) -> str:
    with opened(blob_store().path(image.blob_id), Limits()) as header:
        found = disagreement.about_person(stated, patient_attributes(header.dataset))
    return "; ".join(f'{what} "{theirs}" instead of "{ours}"' for what, ours, theirs in found)
