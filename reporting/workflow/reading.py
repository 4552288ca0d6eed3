"""Rows of a report as the one value that every export reads: what was signed, by whom, with which pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from reporting.chips import chips_of, plain
from reporting.delivery.filed import references
from reporting.evidence.blobs import bytes_of
from reporting.exports import identifiers
from reporting.exports.document import (
    Addendum,
    Code,
    Critical,
    Entry,
    PatientFacts,
    Picture,
    Section,
    Signature,
    SignedReport,
    SourceImage,
)
from reporting.models import Evidence, Report, ReportVersion
from reporting.mrrt.showing import shown
from reporting.workflow.acting import criticals_of, digest_of
from reporting.workflow.difference import empty, reads
from reporting.workflow.heading import order_of, site_of, study_of
from reporting.workflow.naming import title_of
from reporting.workflow.versions import SIGNING, addenda_of, signatures_of, signed_text_of
from reporting.worklist import corrected, images
from viewer.models import Instance

WITHDRAWN = ("cancelled", "entered_in_error")
CO_WRITTEN = ("preliminary", "submit")
"""Kinds of versions whose author also wrote what somebody else made final."""


class NotSigned(LookupError):
    """Nobody has signed this report yet: nothing of it leaves."""


def signed_report(
    report: Report, version: int | None = None, pictures: bool = True, as_signed: bool = False
) -> SignedReport:
    """What readers get: the newest signed version, or the report as it stood with `version`. Without `pictures` their bytes are
    left out; `as_signed`: without what was heard of critical results since, or done to its images. Raises NotSigned,
    OSError."""
    named = [one for one in signatures_of(report) if version is None or one.number <= version]
    text = signed_text_of(report, version)
    if not named or text is None:
        raise NotSigned("Nobody has signed this report yet.")
    newest = named[-1]
    evidence = _frozen(text)
    places = {(one.kind, one.uid): one.position for one in evidence}
    signed = [one for one in named if one.meaning in SIGNING]
    is_withdrawn = newest.state == "cancelled"
    read = facts_of(
        report,
        text,
        () if is_withdrawn else sections_of(text, places),
        () if is_withdrawn else tuple(_picture(one, report, pictures) for one in evidence),
    )
    addenda = addenda_of(report, version)
    stated = newest.context.get("criticals")
    heard = now if stated is not None and (now := criticals_of(report)) != stated else []
    acts = [] if as_signed else corrected.since(report.study, text.at)
    news = [*heard, *({"correction": act.pk} for act in acts)]
    return replace(
        read,
        version=newest.number,
        state=newest.state,
        signatures=tuple(_signature(one) for one in _standing(named, text)),
        addenda=tuple(Addendum(str(one.content.get("addendum", "")), _signature(one)) for one in addenda),
        # What an attending writes to a resident with a returned report stays between the two.
        reason="" if newest.kind == "return" else newest.reason,
        reason_code=newest.reason_code,
        first_signed_at=signed[0].at if signed else None,
        predecessors=tuple(_predecessors(report, signed, newest)),
        study_series=_images_read(report, text),
        criticals=_criticals(stated) if stated is not None and as_signed else read.criticals,
        told_since=digest_of(news) if news and not as_signed else "",
        images_corrected_at=acts[-1].at if acts else None,
        pictures=read.pictures if as_signed else _marked(report, read.pictures),
        filed=references(report, newest.number) if newest.state in WITHDRAWN else (),
    )


def _marked(report: Report, pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    """Pictures, with those that were drawn from an image that was rejected since."""
    gone = corrected.withdrawn(report.study, [one.sop_instance_uid for held in pictures for one in held.sources])
    return tuple(
        replace(held, withdrawn=any(one.sop_instance_uid in gone for one in held.sources)) for held in pictures
    )


def facts_of(
    report: Report, text: ReportVersion, sections: tuple[Section, ...], pictures: tuple[Picture, ...]
) -> SignedReport:
    """What a text says and is about, as a draft that nobody has signed."""
    return SignedReport(
        report_id=report.pk,
        uid=str(report.uid),
        version=text.number,
        state="draft",
        title=title_of(report, text.template_version, _examined(text)),
        language=text.template_version.language,
        template_identifier=text.template_version.template.identifier,
        site=site_of(report, text),
        patient=_patient(report, text),
        study=study_of(report, text),
        order=order_of(report, text),
        sections=sections,
        pictures=pictures,
        signatures=(),
        criticals=_criticals(criticals_of(report)),
    )


def frozen_pictures(report: Report) -> list[Evidence]:
    """The rows behind the pictures of the newest signed text."""
    text = signed_text_of(report)
    return _frozen(text) if text is not None else []


def _frozen(text: ReportVersion) -> list[Evidence]:
    rows = Evidence.objects.filter(report_version=text)
    return list(rows.select_related("picture", "report_version__report__study").order_by("position"))


# --- who signed


def _standing(named: Sequence[ReportVersion], text: ReportVersion) -> list[ReportVersion]:
    """Of the text as it stands: who wrote it before another made it final, who signed it, who withdrew it."""
    earlier: dict[int, ReportVersion] = {}
    if text.kind in ("final", "cosign"):
        for one in named:
            if one.kind in CO_WRITTEN and one.number < text.number and one.author_id != text.author_id:
                earlier[one.author_id] = one
    after = [one for one in named if one.kind in ("cancel", "error") and one.number > text.number]
    return sorted([*earlier.values(), text, *after], key=lambda one: one.number)


def _signature(one: ReportVersion) -> Signature:
    return Signature(
        name=one.author_name,
        username=one.author_username,
        role=one.author_role,
        meaning=one.meaning,
        at=one.at,
        version=one.number,
        mac=one.mac,
    )


def _predecessors(report: Report, signed: Sequence[ReportVersion], newest: ReportVersion) -> list[str]:
    """SOP Instance UIDs of the structured reports of earlier signed versions, newest first."""
    numbers = [one.number for one in signed if one.number < newest.number and one.kind != "error"]
    return [identifiers.report_object(str(report.uid), number) for number in reversed(numbers)]


# --- what about


def _examined(text: ReportVersion) -> str:
    """The procedure as a signature states it; of a draft nothing: it is called as it is today."""
    return str(text.context.get("procedure") or "") if text.meaning else ""


def _patient(report: Report, text: ReportVersion) -> PatientFacts:
    """As they stood when the text was signed."""
    said = {**report.study.stated_patient, "patient_id": report.study.patient.patient_id}
    for name in ("patient_name", "birth_date", "sex", "patient_id"):
        if text.context.get(name):
            said["name" if name == "patient_name" else name] = str(text.context[name])
    return PatientFacts(
        name=said["name"],
        patient_id=said["patient_id"],
        issuer_of_patient_id=report.study.patient.issuer_of_patient_id,
        birth_date=said["birth_date"],
        sex=said["sex"],
    )


def _images_read(report: Report, text: ReportVersion) -> dict[str, tuple[tuple[str, str], ...]]:
    """Series Instance UID -> (SOP Class UID, SOP Instance UID) of the images that whoever signed the text had, as the
    signature states them; of signatures that do not yet, those that were here at that time."""
    stated = text.context.get("images")
    held = stated if isinstance(stated, dict) else images.read_of(report.study, text.at)
    return {
        series: tuple(sorted(((kind, uid) for kind in kinds for uid in kinds[kind]), key=itemgetter(1)))
        for series, kinds in sorted(held.items())
    }


# --- what it says


def sections_of(text: ReportVersion, places: Mapping[tuple[str, str], int]) -> tuple[Section, ...]:
    """Sections and fields of the template that are shown and filled, under the headings that they stand under; links as their
    words. `places`: kind and uid of a link -> position of its picture."""
    schema, content = text.template_version.schema, text.content
    visible = shown(schema, content)
    found: list[Section] = []
    above: list[Section] = []
    for section in schema["sections"]:
        fields = [field for field in section["fields"] if field["id"] in visible]
        entries = [_entry(field, section, content.get(field["id"]), places) for field in fields]
        kept = tuple(one for one in entries if one.text.strip())
        above = above[: section.get("level", 1) - 1]
        above.append(_section(section, kept, above))
        if kept:
            found += [one for one in above if one not in found]
    return tuple(found)


def _section(said: Mapping[str, Any], entries: tuple[Entry, ...], above: Sequence[Section]) -> Section:
    own, level = _code(said.get("code")), len(above) + 1
    if own is None and above:
        return Section(said["id"], said["title"], above[-1].code, entries, level, above[-1].under or above[-1].name)
    return Section(said["id"], said["title"], own, entries, level)


def _entry(
    field: Mapping[str, Any], section: Mapping[str, Any], value: Any, places: Mapping[tuple[str, str], int]
) -> Entry:
    label = field["label"] or field["id"]
    alone = len(section["fields"]) == 1 or label == section["title"] or field["id"] == section["id"]
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    linked = [places.get((chip.kind, chip.uid)) for text in _texts(value) for chip in chips_of(text)]
    return Entry(
        label="" if alone else label,
        text=_said(field, value),
        field_id=field["id"],
        codes=tuple(filter(None, map(_code, _codes(field, value)))),
        number=number,
        units=field["units"] if number is not None else "",
        pictures=tuple(dict.fromkeys(one for one in linked if one is not None)),
    )


def _said(field: Mapping[str, Any], value: Any) -> str:
    """A value as it reads; an empty field and an unticked box say nothing."""
    if empty(value) or value is False:
        return ""
    labels = {option["value"]: option["label"] or option["value"] for option in field["options"]}
    if isinstance(value, list):
        return ", ".join(labels.get(one, reads(one)) for one in value)
    said = labels.get(value) if isinstance(value, str) else None
    words = said or plain(reads(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{words} {field['units']}" if is_number and field["units"] else words


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _codes(field: Mapping[str, Any], value: Any) -> list[Mapping[str, Any]]:
    """Of the field, and of the options that were chosen."""
    chosen = set(_texts(value))
    options = [code for option in field["options"] if option["value"] in chosen for code in option.get("codes") or ()]
    return [*(field.get("codes") or ()), *options]


def _code(said: Mapping[str, Any] | None) -> Code | None:
    if not said or not said.get("value"):
        return None
    return Code(str(said["value"]), str(said.get("scheme", "")), str(said.get("meaning", "")))


def _picture(one: Evidence, report: Report, whole: bool) -> Picture:
    return Picture(
        position=one.position,
        kind=one.kind,
        uid=one.uid,
        caption=one.caption,
        png=bytes_of(one.picture) if whole else b"",
        sha256=one.sha256,
        rows=one.rows,
        columns=one.columns,
        view=one.view,
        renderer=one.renderer,
        series_instance_uid=one.series_instance_uid,
        sources=tuple(_sources(one, report)),
        measurements=tuple(one.measurements),
    )


def _sources(one: Evidence, report: Report) -> list[SourceImage]:
    """The images that it was drawn from; one of another study of the patient says which, or is looked up if it does not yet."""
    uids = [said["sop_instance_uid"] for said in one.sop_instances if "study_instance_uid" not in said]
    rows = Instance.objects.filter(organization=report.organization, sop_instance_uid__in=uids)
    studies = dict(rows.values_list("sop_instance_uid", "series__study__study_instance_uid"))
    own = report.study.study_instance_uid
    found = []
    for said in one.sop_instances:
        study = said.get("study_instance_uid") or studies.get(said["sop_instance_uid"], own)
        found.append(
            SourceImage(
                sop_class_uid=said["sop_class_uid"],
                sop_instance_uid=said["sop_instance_uid"],
                series_instance_uid=said.get("series_instance_uid") or one.series_instance_uid,
                frames=tuple(said.get("frames") or ()),
                study_instance_uid="" if study == own else study,
            )
        )
    return found


def _criticals(stated: Sequence[Mapping[str, Any]]) -> tuple[Critical, ...]:
    return tuple(
        Critical(
            finding=one["finding"],
            category=one["category"],
            found_at=datetime.fromisoformat(one["found_at"]),
            recipient=", ".join(filter(None, (one["recipient"], one["recipient_role"]))),
            method=one["method"],
            read_back=one["read_back"],
            acknowledged_at=_moment(one["acknowledged_at"]),
            closed_at=_moment(one["closed_at"]),
        )
        for one in stated
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
