"""`manage.py verify` for reports: the chain of their versions, the rows that say where they stand, and the frozen pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from hmac import compare_digest
from typing import Any

import imagecodecs
from django.db.models import Max, Q

from accounts.chain import Link
from reporting.evidence.blobs import bytes_of
from reporting.evidence.freezing import COLUMNS as EVIDENCE
from reporting.models import Delivery, Evidence, Report, ReportVersion, WorkingText
from reporting.workflow.versions import CHAIN, COLUMNS, SIGNING, WORKING, mac, plain, working_mac

AT_ONCE = 500


def problems() -> Iterator[str]:
    """What is wrong with reports, in sentences that name the report."""
    yield from _chain()
    yield from _standing()
    yield from _working()
    yield from _evidence()


def _chain() -> list[str]:
    """Every version against its MAC and the one before it, and against the heads kept beside the database."""
    key, kept = CHAIN.key(), CHAIN.remembered()
    rows = ReportVersion.objects.order_by("sequence").values(*COLUMNS, "previous_mac", "mac")
    links = (
        Link(
            row["sequence"],
            row["previous_mac"],
            row["mac"],
            mac(key, row, row["previous_mac"]),
            f"report {row['report_id']}, version {row['number']}",
        )
        for row in rows.iterator(chunk_size=AT_ONCE)
    )
    return CHAIN.problems(links, kept)


def _standing() -> Iterator[str]:
    """Reports whose own row does not say what their versions say."""
    newest = Max("versions__number")
    signed = Max("versions__number", filter=Q(versions__meaning__in=SIGNING))
    states = dict(
        ReportVersion.objects.order_by("report_id", "number").values_list("report_id", "state").iterator(AT_ONCE)
    )
    between = dict(WorkingText.objects.values_list("report_id", "number").iterator(AT_ONCE))
    rows = Report.objects.annotate(newest=newest, newest_signed=signed).order_by("pk")
    for report in rows.iterator(chunk_size=AT_ONCE):
        said = (report.version, report.signed_version, report.state)
        if said != (
            max(report.newest or 0, between.get(report.pk, 0)),
            report.newest_signed or 0,
            states.get(report.pk, "draft"),
        ):
            yield f"report: report {report.pk} says {report.state}, version {report.version}; its versions say otherwise"


def _working() -> Iterator[str]:
    """Texts between two versions that nobody wrote."""
    key = CHAIN.key()
    for row in WorkingText.objects.order_by("report").values("report_id", *WORKING, "mac").iterator(AT_ONCE):
        if not compare_digest(row["mac"], working_mac(key, row["report_id"], row)):
            yield f"report: the text of report {row['report_id']} that is being written was changed"


def _evidence() -> Iterator[str]:
    """Pictures against what the signature's own row (and so its MAC) says of them, and against their digest."""
    signed = ReportVersion.objects.exclude(evidence=[]).order_by("sequence")
    for version in signed.iterator(chunk_size=AT_ONCE):
        held = {one.position: one for one in version.frozen.select_related("picture")}
        manifest = version.evidence if isinstance(version.evidence, list) else []
        for said in (one for one in manifest if isinstance(one, dict)):
            yield from _picture(version, said, held.pop(said.get("position"), None))
        for position in held:
            yield f"report: {_named(version)}: picture {position} was not there when it was signed"
    unsaid = Evidence.objects.filter(report_version__evidence=[]).select_related("report_version")
    for one in unsaid:
        yield f"report: {_named(one.report_version)}: picture {one.position} was not there when it was signed"


def _picture(version: ReportVersion, said: dict[str, Any], held: Evidence | None) -> Iterator[str]:
    where = f"report: {_named(version)}: picture {said.get('position')}"
    if held is None:
        yield f"{where} is missing"
        return
    differing = [name for name in EVIDENCE if plain(getattr(held, name)) != said.get(name)]
    if held.picture_id != said.get("picture"):
        differing.append("picture")
    if differing:
        yield f"{where} is not as it was signed ({', '.join(differing)})"
    try:
        digest = digest_of(bytes_of(held.picture))
    except (OSError, ValueError, RuntimeError) as problem:
        yield f"{where} cannot be read: {problem}"
        return
    if digest != said.get("sha256"):
        yield f"{where} does not show what was signed"


def digest_of(png: bytes) -> str:
    """SHA-256 of a picture's raw bytes: C order, rows x columns [x 3]."""
    return hashlib.sha256(imagecodecs.png_decode(png).tobytes()).hexdigest()


def _named(version: ReportVersion) -> str:
    return f"version {version.sequence} (report {version.report_id}, version {version.number})"


def owners(sha256: str) -> Iterable[str]:
    """What stored bytes are to reports."""
    for one in Evidence.objects.filter(picture_id=sha256).select_related("report_version"):
        yield f"picture {one.position} of {_named(one.report_version)}"
    for delivery in Delivery.objects.filter(payload_id=sha256).select_related("destination"):
        yield f"what was sent of report {delivery.report_id} to {delivery.destination.name}"
