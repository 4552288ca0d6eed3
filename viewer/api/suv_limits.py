"""SUV limits of hanging protocols, as windows in the unit of the series that they are for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.models import Organization
from viewer.archive import query
from viewer.dicom.series import InstanceFile
from viewer.dicom.suv import NoSuv, Suv, suv_of
from viewer.models import Series

Json = dict[str, Any]


def settle(stages: Iterable[Json], organization: Organization) -> None:
    """Put a window in place of `suv` wherever a viewport or what is laid over it has that; where a series gives no SUV its own
    window stays, and `missing` says why. `stages` as told; changed in place."""
    known: dict[str, Suv | NoSuv | None] = {}
    for stage in stages:
        for number, viewport in enumerate(stage["viewports"], 1):
            if viewport is None:
                continue
            view = viewport["view"]
            parts = [(view, viewport["series_instance_uid"])]
            if view.get("fusion"):
                view["fusion"] = dict(view["fusion"])
                parts.append((view["fusion"], view["fusion"]["series"]))
            for part, series in parts:
                limits = part.pop("suv", None)
                if limits is None:
                    continue
                if series not in known:
                    known[series] = _suv(organization, series)
                found = known[series]
                if isinstance(found, Suv):
                    part |= window_of(limits, found.factor)
                else:
                    stage["missing"].append(f"viewport {number}: no SUV: {found or 'it is no PET'}")


def window_of(limits: list[float], factor: float) -> Json:
    """Of values that are SUV when they are multiplied by `factor`."""
    lower, upper = limits
    return {
        "window_center": (lower + upper) / 2.0 / factor,
        "window_width": (upper - lower) / factor,
        "voi_lut_function": "LINEAR_EXACT",
    }


def _suv(organization: Organization, series: str) -> Suv | NoSuv | None:
    row = Series.objects.filter(organization=organization, series_instance_uid=series).first()
    if row is None:
        return None
    files: list[InstanceFile] = list(query.series_content(row).instances)
    return suv_of([file.index for file in files if file.index.get("frames")])
