"""Study JSON made to measure, as `/api/studies/{uid}/` answers."""

from __future__ import annotations

from itertools import count
from typing import Any

Json = dict[str, Any]
_numbers = count(1)


def stack(number: int = 0, **more: Any) -> Json:
    return {
        "stack": number,
        "label": "",
        "kind": "spatial",
        "frames": 100,
        "rows": 512,
        "columns": 512,
        "plane": "axial",
        "volume": True,
        "frame_of_reference_uid": "9.9",
        "spacing_between_slices": 1.0,
        "contrast": False,
        "view_position": "",
        "laterality": "",
        "patient_orientation": "",
        "image_type": "ORIGINAL\\PRIMARY",
        "images": [],
        **more,
    }


def series(
    modality: str, description: str = "", *, uid: str = "", stacks: list[Json] | None = None, **more: Any
) -> Json:
    """A series of one stack; `more` are facts of the series where they have that name, else of the stack."""
    own = {
        name: more.pop(name) for name in ("number", "body_part_examined", "protocol_name", "laterality") if name in more
    }
    return {
        "series_instance_uid": uid or f"1.2.{next(_numbers)}",
        "modality": modality,
        "number": None,
        "description": description,
        "body_part_examined": "",
        "protocol_name": "",
        "laterality": "",
        **own,
        "stacks": [stack(**more)] if stacks is None else stacks,
    }


def image(view: str = "", side: str = "", orientation: str = "", **more: Any) -> Json:
    return {
        "sop_instance_uid": f"1.3.{next(_numbers)}",
        "rows": 3000,
        "columns": 2400,
        "spacing": [0.1, 0.1],
        "view_position": view,
        "laterality": side,
        "patient_orientation": orientation,
        "image_type": "ORIGINAL\\PRIMARY",
        **more,
    }


def single(modality: str, *images: Json, description: str = "", **more: Any) -> Json:
    """A series of separate images."""
    pooled = stack(
        kind="other", plane="", volume=False, frames=len(images), images=list(images), frame_of_reference_uid=""
    )
    return series(modality, description, stacks=[pooled], **more)


def study(*rows: Json, uid: str = "1.1", date: str = "20260918", description: str = "", **more: Any) -> Json:
    return {
        "study_instance_uid": uid,
        "date": date,
        "time": "101500",
        "description": description,
        "modalities": sorted({row["modality"] for row in rows}),
        "series": list(rows),
        **more,
    }


ORIENTATIONS = {("R", "CC"): "P\\L", ("L", "CC"): "A\\R", ("R", "MLO"): "P\\FL", ("L", "MLO"): "A\\FR"}
"""As screening units write them: the breast points away from the chest wall, the outer side or the head is at the top."""


def mammogram(*, one_series: bool = False, uid: str = "1.1", date: str = "20260918") -> Json:
    """The four views of a screening."""
    images = {key: image(key[1], key[0], orientation) for key, orientation in ORIENTATIONS.items()}
    if one_series:
        rows = [single("MG", *images.values(), body_part_examined="BREAST")]
    else:
        rows = [single("MG", one, description=f"{side} {view}") for (side, view), one in images.items()]
    return study(*rows, uid=uid, date=date, description="Mammography screening")
