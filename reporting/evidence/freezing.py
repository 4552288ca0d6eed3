"""Evidence: the pictures that a report's text links to, drawn once more and kept with the signature.

Drawing and writing to disk happen before the transaction that signs (`freeze`); inside it only rows are made (`keep`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from asgiref.sync import sync_to_async

from accounts.models import User
from reporting.chips import Chip, chips_of
from reporting.evidence.blobs import Kept
from reporting.evidence.blobs import keep as keep_bytes
from reporting.evidence.lines import stated
from reporting.models import Evidence, Report, ReportVersion
from viewer.api.frames import draw_kept_view
from viewer.archive.query import NotFound
from viewer.engine.errors import CannotDraw
from viewer.engine.series import OpenSeries
from viewer.models import Instance, KeyImage, Measurement, Series, Study
from viewer.rendering.view import BadView, View, objects_named

MOST = 60
"""Pictures of one report."""


class CannotFreeze(Exception):
    """A linked picture cannot be had; nothing was signed. The message names it for the person who signs."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A picture that is durable already; `keep` makes its row."""

    position: int
    kind: str
    uid: str
    caption: str
    series_instance_uid: str
    view: Mapping[str, Any]
    sop_instances: list[dict[str, Any]]
    renderer: str
    series_version: str
    rows: int
    columns: int
    sha256: str
    picture: Kept
    measurements: list[dict[str, Any]] = field(default_factory=list)
    as_marked: bool = True
    """Of a key image: whether it was drawn now as it was when it was marked."""

    def manifest(self) -> dict[str, Any]:
        """What the signature's own row says of it, and its MAC covers."""
        found = asdict(self)
        found["picture"] = self.picture.sha256
        return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One picture to draw, for one or more chips."""

    kind: str
    uid: str
    study: Study
    series: Series
    view: View
    caption: str
    marks: list[Measurement]
    marked_sha256: str | None


async def freeze(report: Report, content: Mapping[str, Any], user: User) -> list[Frozen]:
    """Draw every picture that the texts of `content` link to, once each, and make its PNG durable.

    Raises CannotFreeze naming a link that leads nowhere or a picture that cannot be drawn, Busy when the engine is.
    """
    wanted = await sync_to_async(_wanted)(report, chips_in(content))
    return [await _frozen(position, one) for position, one in enumerate(wanted, 1)]


def chips_in(content: Mapping[str, Any]) -> list[Chip]:
    """Every chip in the texts of a report's content, in the order of the fields, each target once."""
    found: dict[tuple[str, str], Chip] = {}
    for value in content.values():
        for text in value if isinstance(value, list) else [value]:
            for chip in chips_of(text) if isinstance(text, str) else ():
                found.setdefault((chip.kind, chip.uid), chip)
    return list(found.values())


def keep(report_version: ReportVersion, frozen: Iterable[Frozen]) -> list[Evidence]:
    """Make the rows, inside the transaction that signs."""
    return [
        Evidence.objects.create(
            report_version=report_version,
            picture=one.picture.row(),
            **{name: getattr(one, name) for name in COLUMNS},
        )
        for one in frozen
    ]


COLUMNS = (
    *("position", "kind", "uid", "caption", "series_instance_uid", "view", "sop_instances"),
    *("renderer", "series_version", "rows", "columns", "sha256", "measurements"),
)


async def draws_the_same(evidence: Evidence) -> bool:
    """Whether drawing its View today gives the very same pixels; what cannot be drawn any more does not."""
    study = await sync_to_async(lambda: evidence.report_version.report.study)()
    try:
        series = await sync_to_async(_series)(study, evidence.series_instance_uid)
        drawn, _ = await draw_kept_view(series, View.from_json(evidence.view))
    except (CannotFreeze, NotFound, BadView, CannotDraw, OSError):
        return False
    return bool(drawn.header.get("sha256") == evidence.sha256)


async def _frozen(position: int, wanted: _Wanted) -> Frozen:
    try:
        drawn, opened = await draw_kept_view(wanted.series, wanted.view)
    except (NotFound, BadView, CannotDraw, OSError) as problem:
        raise CannotFreeze(f'The picture "{wanted.caption}" cannot be drawn: {problem}') from problem
    header = drawn.header
    if not header.get("exact"):
        raise CannotFreeze(f'The picture "{wanted.caption}" could not be drawn exactly. Try again.')
    return Frozen(
        position=position,
        kind=wanted.kind,
        uid=wanted.uid,
        caption=wanted.caption,
        series_instance_uid=wanted.series.series_instance_uid,
        view=header["view"],
        sop_instances=await sync_to_async(_sources)(opened, header["view"], wanted.study),
        renderer=header["renderer"],
        series_version=str(header["series_version"]),
        rows=header["rows"],
        columns=header["columns"],
        sha256=header["sha256"],
        picture=await sync_to_async(keep_bytes)(bytes(drawn.payload)),
        measurements=[stated(mark, header) for mark in wanted.marks],
        as_marked=wanted.marked_sha256 in (None, header["sha256"]),
    )


def _wanted(report: Report, chips: list[Chip]) -> list[_Wanted]:
    if len(chips) > MOST:
        raise CannotFreeze(f"The text links to {len(chips)} pictures; {MOST} are the most that a report keeps.")
    study = Study.objects.select_related("patient", "organization").get(pk=report.study_id)
    return [_of_key_image(study, chip) if chip.kind == "key_image" else _of_measurement(study, chip) for chip in chips]


def _of_key_image(study: Study, chip: Chip) -> _Wanted:
    """Key images of the same patient's other studies may be linked to as well: a prior is compared with."""
    held = KeyImage.objects.filter(study__patient=study.patient_id, uid=chip.uid)
    kept = held.select_related("study__organization", "study__patient").first()
    if kept is None:
        raise CannotFreeze(f'"{chip.words}" links to a key image that is not there.')
    marks = Measurement.objects.filter(study=kept.study, uid__in=kept.measurements, deleted_at=None)
    series = _series(kept.study, kept.series_instance_uid)
    caption = " · ".join(part for part in (chip.words, _where(series), kept.note) if part)
    view = View.from_json(kept.view)
    return _Wanted(chip.kind, chip.uid, kept.study, series, view, caption[:300], list(marks), kept.sha256)


def _of_measurement(study: Study, chip: Chip) -> _Wanted:
    held = Measurement.objects.filter(study__patient=study.patient_id, uid=chip.uid)
    mark = held.select_related("study__organization", "study__patient").first()
    if mark is None:
        raise CannotFreeze(f'"{chip.words}" links to a measurement that is not there.')
    if mark.deleted_at is not None:
        raise CannotFreeze(f'"{chip.words}" links to a measurement that was deleted. Undo that, or take the link out.')
    series = _series(mark.study, mark.series_instance_uid)
    caption = " · ".join(part for part in (mark.label or mark.kind, chip.words, _where(series)) if part)
    return _Wanted(chip.kind, chip.uid, mark.study, series, View.from_json(mark.view), caption[:300], [mark], None)


def _series(study: Study, uid: str) -> Series:
    held = Series.objects.filter(organization=study.organization, series_instance_uid=uid)
    series = held.select_related("study__patient", "organization").first()
    if series is None:
        raise CannotFreeze("The series of a linked picture is not in the archive any more.")
    return series


def _where(series: Series) -> str:
    return " ".join(part for part in (series.modality, series.description) if part)


def _sources(opened: OpenSeries, view: Mapping[str, Any], study: Study) -> list[dict[str, Any]]:
    """The objects that the picture was drawn from: the one frame, or all of the stack; and what was laid over it."""
    if view.get("sop_instance_uid"):
        frames: dict[str, list[int]] = {view["sop_instance_uid"]: [view.get("frame_number") or 1]}
    else:
        frames = {}
        for source in opened.stacks[view.get("stack") or 0].frames:
            frames.setdefault(source.sop_instance_uid, []).append(source.frame_number)
    frames |= {uid: [] for uid in objects_named(View.from_json(dict(view))) if uid not in frames}
    held = Instance.objects.served().filter(organization=study.organization, sop_instance_uid__in=list(frames))
    rows = {one.sop_instance_uid: one for one in held.select_related("series")}
    return [
        {
            "sop_class_uid": rows[uid].sop_class_uid,
            "sop_instance_uid": uid,
            "series_instance_uid": rows[uid].series.series_instance_uid,
            "study_instance_uid": study.study_instance_uid,
            "frames": numbers if rows[uid].number_of_frames > 1 else [],
        }
        for uid, numbers in frames.items()
        if uid in rows
    ]
