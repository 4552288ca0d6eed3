"""Segmentations kept, shared by all readers: read and decoded once, bounded by bytes, least recently used first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from viewer.dicom.errors import DicomError
from viewer.dicom.segmentations import MaskFrame, SegmentationFile, SegmentRow, is_segmentation, read_segmentation
from viewer.dicom.series import InstanceFile
from viewer.dicom.structure_sets import StructureSetFile, is_structure_set, read_structure_set
from viewer.rendering.contours import contours_of
from viewer.rendering.masks import Crop, Parts, PlacedMask, SeveralMasks, cut, cut_labels, masks_of
from viewer.rendering.segments import PALETTE, Segment, Segmentation
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Plane

from .cache import Cache
from .children import DecodeChild, DecodeChildren
from .errors import CannotDraw, TooLarge
from .frames import Frames, is_compressed, read_frame
from .series import OpenSeries
from .workers import Priority, WorkerPool

PIECE = 4 << 20
"""Pixels of the frames that one read job takes on."""

MOST_PIXELS = 2**35
"""Of all masks of one object: 100,000 of 512 x 512 are fewer."""
MOST_IN_FRAME = 2**26

T = TypeVar("T")


class Segmentations:
    """Lives on the event loop; `start` gives it the engine's threads."""

    def __init__(self, limit: int, frames: Frames) -> None:
        self.cache: Cache[str, Segmentation] = Cache(limit, lambda segmentation: segmentation.nbytes)
        self._frames = frames

    def start(self, readers: WorkerPool[None], children: DecodeChildren) -> None:
        self._readers, self._children = readers, children

    async def load(self, instance: InstanceFile) -> Segmentation:
        """The segmentation; callers for the same one share its loading. Raises CannotDraw."""
        return await self.cache.load(instance.digest, lambda _: self._start(instance), Priority.INTERACTIVE)

    def resident(self, view: View, objects: Mapping[str, InstanceFile]) -> bool:
        """True when none of those that a View names needs to be loaded."""
        named = (objects.get(choice.sop_instance_uid) for choice in view.segmentations)
        return all(instance is None or instance.digest in self.cache for instance in named)

    async def of_view(
        self, view: View, series: OpenSeries, objects: Mapping[str, InstanceFile]
    ) -> tuple[Segmentation, ...]:
        """Those that a View of a series names, in their order. Raises BadView for what is not there or cannot lie over it."""
        found = []
        for choice in view.segmentations:
            instance = objects.get(choice.sop_instance_uid)
            if instance is None:
                raise BadView("segmentations: There is no such object.")
            try:
                segmentation = await self.load(instance)
            except CannotDraw as error:
                raise BadView(f"segmentations: {error}") from None
            if not lies_over(segmentation, series):
                raise BadView(
                    "segmentations: it has no frame of reference in common with this series, so nobody knows how it lies"
                )
            found.append(segmentation)
        return tuple(found)

    def _start(self, instance: InstanceFile) -> _Loading:
        return _Loading(instance, self._frames, self._readers, self._children, self.cache.limit // 2)


def lies_over(segmentation: Segmentation, series: OpenSeries) -> bool:
    """It shares the frame of reference of the series, or was made on one of its images."""
    here = {source.frame_of_reference_uid for stack in series.stacks for source in stack.frames[:1]} - {""}
    if segmentation.frame_of_reference_uid in here:
        return True
    return any(uid in segmentation.refers_to for uid, _ in series.places)


class _Loading:
    """One segmentation on its way, for `Cache`."""

    def __init__(
        self,
        instance: InstanceFile,
        frames: Frames,
        readers: WorkerPool[None],
        children: DecodeChildren,
        limit: int,
    ) -> None:
        self._instance, self._frames, self._limit = instance, frames, limit
        self._readers, self._children = readers, children
        self._size = 0
        self.future: asyncio.Future[Segmentation] = asyncio.ensure_future(self._run())

    def promote(self) -> None:
        """They are only loaded for readers who wait."""

    def drop(self) -> bool:
        """Nobody waits any more: jobs not begun are not."""
        self.future.cancel()
        return True

    async def _run(self) -> Segmentation:
        try:
            return await self._read()
        except (DicomError, OSError) as error:
            reason = str(error) if isinstance(error, DicomError) else "its file cannot be used"
            raise CannotDraw("cannot_decode", f"This object cannot be drawn: {reason}.") from error

    async def _read(self) -> Segmentation:
        instance = self._instance
        if is_structure_set(instance):
            return await self._job(partial(structure_set, instance, self._limit))
        if not is_segmentation(instance):
            raise CannotDraw("cannot_decode", "This object holds no segments.")
        file: SegmentationFile = await self._job(partial(read_segmentation, instance))
        pixels = _pixels_of(file)
        if pixels > MOST_PIXELS or pixels > MOST_IN_FRAME * len(file.frames):
            raise TooLarge("The masks of this segmentation have more pixels than this server looks through.")
        parts: dict[int, Parts] = {}
        if not file.not_drawn:
            piece = max(1, PIECE * len(file.frames) // max(pixels, 1))
            indexes = {segment.number: index for index, segment in enumerate(file.segments)}
            for first in range(0, len(file.frames), piece):
                numbers = range(first, min(first + piece, len(file.frames)))
                for number, found in await self._piece(file, indexes, numbers):
                    parts[number] = found
                    self._count(found)
        return await self._job(partial(assembled, instance.digest, file, parts))

    async def _piece(self, file: SegmentationFile, indexes: dict[int, int], numbers: range) -> list[tuple[int, Parts]]:
        """What is in some neighbouring frames."""
        look = partial(parts_of, file, indexes, self._frames)
        if not is_compressed(file.frames[numbers[0]].source):
            return await self._job(lambda: [(number, look(number, None)) for number in numbers])
        jobs = [self._children.submit(partial(look, number), Priority.VOLUME) for number in numbers]
        try:
            return [(number, await job.future) for number, job in zip(numbers, jobs, strict=True)]
        except BaseException:
            for job in jobs:
                job.drop()
            raise

    def _count(self, parts: Parts) -> None:
        self._size += sum(crop.data.nbytes + _BESIDE for _, crop in parts)
        if self._size > self._limit:
            raise TooLarge(
                f"This segmentation takes more than the {self._limit / 1e6:,.0f} MB that this server has for one."
            )

    async def _job(self, work: Callable[[], T]) -> T:
        job = self._readers.submit(lambda _: work(), Priority.VOLUME)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.drop()
            raise


_BESIDE = 200
"""Bytes that a crop takes beside its pixels."""


def _pixels_of(file: SegmentationFile) -> int:
    """Of all frames together; those of one object have one size."""
    rows, columns = _size_of(file)
    return rows * columns * len(file.frames)


# --- in threads


def parts_of(
    file: SegmentationFile, indexes: dict[int, int], frames: Frames, number: int, child: DecodeChild | None
) -> Parts:
    """What is in one frame, by segment."""
    mask = file.frames[number]
    values = (read_frame(mask.source) if child is None else frames.decode(mask.source, child)).values
    if values.ndim != 2:
        raise DicomError("the masks of the segmentation are in colour", "segmentation")
    if mask.segment is None:
        wanted = {number: index for number, index in indexes.items() if number not in file.background}
        return list(cut_labels(values, wanted))
    crop = cut(values, file.maximum if file.kind == "FRACTIONAL" else None)
    return [] if crop is None else [(indexes[mask.segment], crop)]


def assembled(key: str, file: SegmentationFile, parts: dict[int, Parts]) -> Segmentation:
    """The segmentation of a file of which these frames hold something."""
    count, packed = len(file.segments), file.kind != "FRACTIONAL"
    by_image: dict[tuple[str, int], list[tuple[int, Crop]]] = {}
    placed: list[PlacedMask] = []
    for number, found in parts.items():
        frame = file.frames[number]
        for image in frame.shown_on:
            by_image.setdefault(image, []).extend(found)
        placed += _placed(frame, found)
    try:
        shapes, reason = tuple(masks_of(placed, count, packed)), ""
    except SeveralMasks:
        shapes, reason = (), "it has several masks of one segment at one place, which nobody can tell apart"
    alone = {} if shapes else {image: found for image, found in by_image.items() if found}
    if not reason and not shapes and not alone:
        reason = "its masks have no place in the patient" if any(parts.values()) else "its masks are all empty"
    return Segmentation(
        key=key,
        kind="seg",
        title=file.title,
        segments=_segments(file.segments),
        frame_of_reference_uid=file.frame_of_reference_uid,
        refers_to=file.refers_to,
        shapes=shapes,
        on_frames=alone,
        mask_size=_size_of(file),
        packed=packed,
        reason=file.not_drawn or ("" if alone else reason),
    )


def _size_of(file: SegmentationFile) -> tuple[int, int]:
    layouts = [frame.source.layout for frame in file.frames[:1]]
    return (layouts[0].rows, layouts[0].columns) if layouts else (0, 0)


def _placed(frame: MaskFrame, parts: Parts) -> Iterable[PlacedMask]:
    source = frame.source
    position, orientation, spacing = source.position, source.orientation, source.pixel_spacing
    if position is None or orientation is None or spacing is None:
        return
    between = source.group.get("between") or source.group.get("thickness")
    for segment, crop in parts:
        yield PlacedMask(segment, crop, Plane(position, *orientation), spacing, between)


def structure_set(instance: InstanceFile, limit: int) -> Segmentation:
    """A structure set, ready to be drawn."""
    file: StructureSetFile = read_structure_set(instance)
    here = file.frame_of_reference_uid
    elsewhere = [region.frame_of_reference_uid not in ("", here) for region in file.regions]
    shapes, crooked = contours_of(
        [() if away else region.contours for region, away in zip(file.regions, elsewhere, strict=True)]
    )
    if shapes.nbytes > limit:
        raise TooLarge(f"This structure set takes more than the {limit / 1e6:,.0f} MB that this server has for one.")
    segments = []
    rows = _segments([region.row for region in file.regions])
    for segment, region, away, bent, kept in zip(rows, file.regions, elsewhere, crooked, shapes.regions, strict=True):
        reason = _reason(away, region.left_out, bent, kept is not None)
        segments.append(
            Segment(
                segment.number, segment.label, segment.color, segment.category, segment.type, segment.algorithm, reason
            )
        )
    drawable = any(region is not None for region in shapes.regions)
    return Segmentation(
        key=instance.digest,
        kind="rtstruct",
        title=file.title,
        segments=tuple(segments),
        frame_of_reference_uid=here,
        refers_to=file.refers_to,
        shapes=(shapes,),
        reason="" if drawable else "none of its regions has closed contours",
    )


def _reason(away: bool, open_ones: int, bent: int, drawn: bool) -> str:
    if away:
        return "lies in another frame of reference than the other regions: not drawn"
    parts = []
    if open_ones:
        parts.append(f"{open_ones} points or open lines are not drawn")
    if bent:
        parts.append(f"{bent} contours do not lie on the planes of the others and are not drawn")
    return "; ".join(parts) or ("" if drawn else "has no contours")


def _segments(rows: Iterable[SegmentRow]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            row.number,
            row.label or f"Segment {row.number}",
            row.color or PALETTE[place % len(PALETTE)],
            row.category,
            row.type,
            row.algorithm,
        )
        for place, row in enumerate(rows)
    )
