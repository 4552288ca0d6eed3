"""What the images of a study say about its examination, leaving out what was written here and what others derived."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from reporting.models import Order
from viewer.dicom.modalities import NOT_IMAGES
from viewer.models import Instance, Series, Study
from viewer.objects.header import MANUFACTURER

SIDES = ("L", "R")


def series_with_images(study: Study) -> QuerySet[Series]:
    """Series that came from a modality: with frames, not of a derived kind, and not written by Farview."""
    found = Series.objects.filter(study=study, number_of_frames__gt=0)
    return found.exclude(modality__in=NOT_IMAGES).exclude(manufacturer=MANUFACTURER)


def modalities_of(study: Study, until: datetime | None = None) -> list[str]:
    """Of the images of a study; those that were here at a time, where one is given."""
    came = {"instances__stored_at__lte": until} if until is not None else {}
    rows = series_with_images(study).filter(**came).exclude(modality="")
    return sorted(rows.values_list("modality", flat=True).distinct())


def read_of(study: Study, until: datetime | None = None) -> dict[str, dict[str, list[str]]]:
    """Series Instance UID -> SOP Class UID -> SOP Instance UIDs of what there is to read, or was at a time: objects with frames
    that nobody rejected and Farview did not write."""
    rows = Instance.objects.filter(series__study=study, number_of_frames__gt=0)
    rows = rows.served() if until is None else rows.filter(stored_at__lte=until)
    rows = rows.exclude(series__manufacturer=MANUFACTURER).order_by("series__series_instance_uid", "sop_instance_uid")
    found: dict[str, dict[str, list[str]]] = {}
    columns = rows.values_list("series__series_instance_uid", "sop_class_uid", "sop_instance_uid")
    for series, sop_class, sop_instance in columns.iterator():
        found.setdefault(series, {}).setdefault(sop_class, []).append(sop_instance)
    return found


def newest_at(study: Study) -> datetime | None:
    """When the last image of a study came; None: it has none."""
    images = Instance.objects.served().filter(series__in=series_with_images(study), number_of_frames__gt=0)
    newest: datetime | None = images.aggregate(newest=Max("stored_at"))["newest"]
    return newest


def facts_of(study: Study) -> dict[str, Any]:
    """Fields of an order, as far as the images tell them."""
    rows = series_with_images(study).order_by("number", "id")
    seen = list(rows.values_list("modality", "body_part_examined", "laterality"))
    sides = {side for _, _, side in seen}
    return {
        "modality": next((modality for modality, _, _ in seen if modality), ""),
        "body_part": next((part for _, part, _ in seen if part), ""),
        "laterality": sides.pop() if len(sides) == 1 and sides <= set(SIDES) else "",
    }


def fill(order: Order, study: Study) -> list[str]:
    """Fill modality and part of the body where the order leaves them open; the fields that were."""
    said = facts_of(study)
    fields = [name for name in ("modality", "body_part") if not getattr(order, name) and said[name]]
    for name in fields:
        setattr(order, name, said[name])
    return fields
