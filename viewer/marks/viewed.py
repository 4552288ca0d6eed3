"""Mammograms count as viewed only when every pixel was on the glass exactly and at full size: what each reader has seen by now.

The page says which parts of which frames it has painted so; they are joined here and stay with the reader and the study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.models import User
from viewer.archive import rows
from viewer.models import Instance, Study, ViewedImage
from viewer.rendering.coverage import Area, joined, share

MODALITY = "MG"
MOST_FRAMES = 5000
"""Of one study that are told of."""

Frame = tuple[str, int]
"""(SOP Instance UID, frame number from 1)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame, and how much of it was seen."""

    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int
    frames: int
    """Of its image."""
    rows: int
    columns: int
    areas: tuple[Area, ...] = ()
    covered: float = 0.0

    @property
    def viewed(self) -> bool:
        return self.covered >= 1.0


def standing(study: Study, user: User) -> list[Seen]:
    """Every frame of the mammograms of a study as `user` has seen it by now, in the order of the study. Empty where there are
    none."""
    held = {(one.sop_instance_uid, one.frame_number): one for one in ViewedImage.objects.filter(study=study, user=user)}
    found: list[Seen] = []
    for image in _images(study):
        for number in range(1, image.number_of_frames + 1):
            if len(found) >= MOST_FRAMES:
                return found
            seen = held.get((image.sop_instance_uid, number))
            found.append(
                Seen(
                    image.series.series_instance_uid,
                    image.sop_instance_uid,
                    number,
                    image.number_of_frames,
                    image.rows or 0,
                    image.columns or 0,
                    tuple((t, x, b, r) for t, x, b, r in seen.areas) if seen else (),
                    seen.covered if seen else 0.0,
                )
            )
    return found


def add(study: Study, user: User, said: Mapping[Frame, Sequence[Area]]) -> None:
    """Join what was seen now to what was seen before; frames that are no mammogram of this study are left out. Raises
    DatabaseBusy."""
    images = {image.sop_instance_uid: image for image in _images(study)}

    def write() -> None:
        for (uid, number), areas in said.items():
            image = images.get(uid)
            if image is None or not image.rows or not image.columns or not 0 < number <= image.number_of_frames:
                continue
            seen, _ = ViewedImage.objects.select_for_update().get_or_create(
                user=user, study=study, sop_instance_uid=uid, frame_number=number
            )
            before = [(t, x, b, r) for t, x, b, r in seen.areas]
            now = joined([*before, *areas], image.rows, image.columns)
            if now != before:
                seen.areas, seen.covered = now, share(now, image.rows, image.columns)
                seen.save()

    rows.patiently(write)


def _images(study: Study) -> list[Instance]:
    found = Instance.objects.served().filter(series__study=study, series__modality=MODALITY, number_of_frames__gt=0)
    return list(
        found.select_related("series").defer("index").order_by("series__number", "series", "instance_number", "id")
    )
