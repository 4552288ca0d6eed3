"""The newest text of a report as it will be read, signed or not; its pictures are addresses, nothing is frozen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from reporting.chips import Chip
from reporting.evidence.freezing import chips_in
from reporting.exports import page
from reporting.exports.document import Picture, SignedReport
from reporting.models import Report
from reporting.workflow.reading import facts_of, sections_of, signed_report
from reporting.workflow.versions import text_of
from viewer.models import KeyImage, Measurement, Study

SIDE = 512
"""Of a picture whose View names no size."""


def html_of(report: Report) -> str:
    """What a page shows of the newest text: the signed report where that is it, else the draft with its pictures drawn now."""
    text = text_of(report)
    if report.signed_version and text.number <= report.signed_version and report.state != "returned":
        signed = signed_report(report, pictures=False)
        return page.body(signed, lambda one: reverse("api-report-evidence-picture", args=[report.pk, one.position]))
    pictures, addresses = _pictures(report, text.content)
    places = {(one.kind, one.uid): one.position for one in pictures}
    draft: SignedReport = facts_of(report, text, sections_of(text, places), tuple(pictures))
    return page.body(draft, _address(addresses))


def _address(addresses: Mapping[int, str]) -> Callable[[Picture], str]:
    return lambda one: addresses[one.position]


def _pictures(report: Report, content: Mapping[str, Any]) -> tuple[list[Picture], dict[int, str]]:
    """The pictures that its links lead to; a link that leads nowhere has none, and signing says so."""
    pictures, addresses = [], {}
    for position, chip in enumerate(chips_in(content), 1):
        target = _target(report, chip)
        if target is None:
            continue
        study, series, view, caption = target
        rows, columns = view.get("size") or (SIDE, SIDE)
        pictures.append(
            Picture(position, chip.kind, chip.uid, caption, b"", "", rows, columns, view, "", series, ()),
        )
        addresses[position] = _drawn_at(study, series, view)
    return pictures, addresses


def _target(report: Report, chip: Chip) -> tuple[Study, str, dict[str, Any], str] | None:
    patient = report.study.patient_id
    if chip.kind == "key_image":
        kept = KeyImage.objects.filter(study__patient=patient, uid=chip.uid, deleted_at=None)
        image = kept.select_related("study__organization").first()
        if image is None:
            return None
        return image.study, image.series_instance_uid, image.view, " · ".join(filter(None, (chip.words, image.note)))
    held = Measurement.objects.filter(study__patient=patient, uid=chip.uid, deleted_at=None)
    mark = held.select_related("study__organization").first()
    if mark is None:
        return None
    return mark.study, mark.series_instance_uid, mark.view, f"{mark.label or mark.kind} · {chip.words}"


def _drawn_at(study: Study, series: str, view: Mapping[str, Any]) -> str:
    said = {
        "view": json.dumps(view, separators=(",", ":"), ensure_ascii=False),
        "media_type": "image/png",
        "organization": study.organization.name,
    }
    return f"{reverse('api-frame', args=[series])}?{urlencode(said)}"
